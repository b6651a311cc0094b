/** `sweeplab serve` on a folder of its own, and a Chromium that looks at it. Whatever the browser complains about is collected. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { vi } from 'vitest';
import { processBegan } from '../../main/files/processBegan.ts';
import { buildPages, needsBuild, ROOT } from '../../main/host/buildPages.ts';

const BIN = fileURLToPath(new URL('../../main/cli/bin.js', import.meta.url));
/** How long is waited for anything, which costs nothing where it comes: it may stand behind training, on a machine that has other work too. ms */
export const PATIENCE = Number(process.env.SWEEPLAB_E2E_PATIENCE ?? 120_000);
// What is waited for is named before the whole test is given up.
vi.setConfig({ testTimeout: 4 * PATIENCE, hookTimeout: 2 * PATIENCE });

/** Where Chromium is: SWEEPLAB_CHROMIUM and nothing else where that is set, or the system's, or the one that Playwright fetched. */
export function chromiumPath(): string | undefined {
  const chosen = process.env.SWEEPLAB_CHROMIUM;
  const usual = [
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    chromium.executablePath(),
  ];
  return (chosen ? [chosen] : usual).find((path) => existsSync(path));
}

/** Builds the pages where they are missing or old. @returns why nothing can be looked at; undefined when all is there */
export async function whyNot(): Promise<string | undefined> {
  if (chromiumPath() === undefined) return 'no Chromium on this machine';
  try {
    await buildOnce(async () => {
      if (await needsBuild()) await buildPages();
    });
    return undefined;
  } catch (error) {
    return `the interface cannot be built: ${(error as Error).message}`;
  }
}

/** Files of tests run side by side, and want the same things built. */
export async function buildOnce(build: () => Promise<void>): Promise<void> {
  const lock = join(ROOT, 'node_modules', '.cache', 'sweeplab-build.lock');
  mkdirSync(dirname(lock), { recursive: true });
  const holder = (): number => {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      return 0;
    } catch {
      return Number(readFileSync(lock, 'utf8'));
    }
  };
  await until(
    () => {
      const pid = holder();
      if (pid !== 0 && processBegan(pid) === undefined) rmSync(lock, { force: true });
      return pid;
    },
    (pid) => pid === 0,
    'the end of another build',
  );
  try {
    await build();
  } finally {
    rmSync(lock, { force: true });
  }
}

export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath(),
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

export interface Lab {
  readonly url: string;
  readonly port: number;
  /** Ids of the running engine processes, by their run. */
  engines(): Map<string, number>;
  /** As a power failure would: nothing is saved, nobody is told. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export const newHome = (): string => mkdtempSync(join(tmpdir(), 'sweeplab-e2e-'));
export const removeHome = (home: string): void => rmSync(home, { recursive: true, force: true, maxRetries: 5 });

/** Processes of the engines that a lab runs, by their runs. */
export function enginesOf(home: string): Map<string, number> {
  const folder = join(home, 'engines');
  const found = new Map<string, number>();
  for (const name of existsSync(folder) ? readdirSync(folder) : [])
    try {
      const { pid, runId } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { pid: number; runId: string };
      found.set(runId, pid);
    } catch {
      // It ended while we read, or its note is being written.
    }
  return found;
}

/** @param port 0: any that is free */
export async function startLab(home: string, port = 0): Promise<Lab> {
  const child = spawn(
    process.execPath,
    [BIN, '--data-dir', home, 'serve', '--no-open', '--port', String(port)],
    // Chromium must be the only one who asks for anything.
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const url = await addressOf(child);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const end = async (signal: 'SIGKILL' | 'SIGINT'): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
  };
  return {
    url,
    port: Number(new URL(url).port),
    engines: () => enginesOf(home),
    kill: () => end('SIGKILL'),
    stop: () => end('SIGINT'),
  };
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const hear = (text: string): void => {
      said += text;
      const found = /http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]+/u.exec(said);
      if (found !== null) resolve(found[0]);
    };
    child.stdout!.setEncoding('utf8').on('data', hear);
    child.stderr!.setEncoding('utf8').on('data', hear);
    child.once('close', (code) => reject(new Error(`serve ended with ${code}:\n${said}`)));
  });
}

/** The last one is how the stand-in for Electron shows `app://sweeplab`. */
const OWN_HOSTS: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', 'sweeplab.app.test']);

/** What a browser complained about: errors of the console and of scripts, broken policies, requests to other machines. */
export class Complaints {
  #list: string[] = [];
  #expected: RegExp[] = [];

  watch(context: BrowserContext): void {
    const hear = (page: Page): void => {
      page.on('console', (message) => {
        const { url } = message.location();
        // Browsers ask for this by themselves while they are passed on to the page, which names its own icon.
        if (message.type() === 'error' && !url.endsWith('/favicon.ico'))
          this.#add(`console: ${message.text()} (${url})`);
      });
      page.on('pageerror', (error) => this.#add(`script: ${error.stack ?? error.message}`));
    };
    context.pages().forEach(hear);
    context.on('page', hear);
    context.on('request', (request) => {
      const { protocol, hostname } = new URL(request.url());
      const ours = OWN_HOSTS.has(hostname) || ['data:', 'blob:', 'about:', 'app:'].includes(protocol);
      if (!ours) this.#add(`request to another machine: ${request.url()}`);
    });
  }

  /** Until the end of the test, complaints like `pattern` are no fault: some are told a moment after what they complain about. */
  async expecting(pattern: RegExp, action: () => Promise<void>): Promise<void> {
    this.#expected.push(pattern);
    await action();
  }

  /** What there was since the last call. */
  take(): string[] {
    const taken = this.#list;
    this.#list = [];
    this.#expected = [];
    return taken;
  }

  #add(text: string): void {
    if (!this.#expected.some((pattern) => pattern.test(text))) this.#list.push(text);
  }
}

/** A browser of its own, that reports every break of the content policy. */
export async function newContext(
  browser: Browser,
  complaints: Complaints,
  options: BrowserContextOptions = {},
): Promise<BrowserContext> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    colorScheme: 'light',
    reducedMotion: 'reduce',
    ...options,
  });
  context.setDefaultTimeout(PATIENCE);
  complaints.watch(context);
  await reportPolicy(context);
  return context;
}

/** Has every break of the content policy told as an error. */
export const reportPolicy = (context: BrowserContext): Promise<unknown> =>
  context.addInitScript(`
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sourceFile }) => {
      console.error('policy: ' + violatedDirective + ' blocked ' + blockedURI + ' in ' + sourceFile);
    });`);

/** Goes to a view by its address, as a link would. */
export async function go(page: Page, address: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(address)}`);
  await settled(page);
}

/**
 * The view's code and data are there: nothing says that it is loading, and two frames were drawn since. What goes on beside it (fit
 * checks of recipes, live curves) is not waited for.
 */
export async function settled(page: Page): Promise<void> {
  await until(
    () =>
      page.evaluate(`(() => {
        const main = document.querySelector('main');
        return main?.firstElementChild != null && !main.querySelector('[aria-busy="true"], .skeleton, .wait');
      })()`),
    (there) => there === true,
    'a view that has loaded',
  );
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))');
}

/** The part of the browser's canvas that is used here: the browser's own types are not those of this project's programs. */
interface Canvas {
  readonly width: number;
  readonly height: number;
  getContext(kind: '2d'): {
    getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8ClampedArray };
  };
}

/** The chart of a metric, and how many of its pixels have a colour: grey ones are axes and text. */
export const chart = (page: Page, metric: string): Locator => page.locator(`[data-metric="${metric}"]`);
export const colouredPixels = (page: Page, metric: string): Promise<number> =>
  colouredPixelsOf(chart(page, metric).locator('.host canvas').first());

export function colouredPixelsOf(canvas: Locator): Promise<number> {
  return canvas.evaluate((element: unknown) => {
    const { width, height, getContext } = element as Canvas;
    if (width === 0) return 0;
    const pixels = getContext.call(element, '2d').getImageData(0, 0, width, height).data;
    let count = 0;
    for (let i = 0; i < pixels.length; i += 4) {
      const [red, green, blue] = [pixels[i]!, pixels[i + 1]!, pixels[i + 2]!];
      if (pixels[i + 3]! > 128 && Math.max(red, green, blue) - Math.min(red, green, blue) > 60) count += 1;
    }
    return count;
  });
}

/** Waits until `read` gives something that `holds`. @param what is waited for, in words */
export async function until<T>(
  read: () => T | Promise<T>,
  holds: (value: T) => boolean,
  what: string,
  patience = PATIENCE,
): Promise<T> {
  for (const end = Date.now() + patience; ;) {
    const value = await read();
    if (holds(value)) return value;
    if (Date.now() > end) throw new Error(`Waited in vain for ${what}; last it was ${JSON.stringify(value)}`);
    await setTimeout(50);
  }
}
