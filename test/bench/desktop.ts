/**
 * The desktop app from its start to a first curve, on the stand-in for Electron (test/app/standin): its process, the lab's and the pages are the
 * real ones, in Chromium in the place of Electron.
 *
 *     npm run bench -- desktop [--rounds 3]
 *
 * Each round starts over a new data folder, and over one where it ended before. The times are those of the page's own clock.
 */
import { fork, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import type { Page } from 'playwright-core';
import { needsAppBuild, ROOT } from '../../main/host/buildPages.ts';
import { CHROMIUM, hasBrowser, option } from './pageBench.ts';
import { spread } from './statistics.ts';

/** A machine with other work is not measured, and yet may get to its end. ms */
const PATIENCE = 300_000;
const STANDIN = fileURLToPath(new URL('../app/standin/main.ts', import.meta.url));
/** Of one start, in ms since the program was started. */
interface Times {
  /** Something is painted in the window. */
  readonly window: number;
  /** Quick start can be pressed. */
  readonly usable: number;
  /** Its first curve is drawn, from the press on. */
  readonly curve: number;
}

/** @param press whether Quick start is run */
async function start(home: string, press = true): Promise<Times> {
  const began = Date.now();
  const child = fork(STANDIN, [`--user-data-dir=${join(home, 'user')}`, ROOT], {
    env: {
      ...process.env,
      SWEEPLAB_HOME: join(home, 'lab'),
      SWEEPLAB_NODE: process.execPath,
      SWEEPLAB_CHROMIUM: CHROMIUM,
    },
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  try {
    const endpoint = await new Promise<string>((resolve, reject) => {
      child.once('message', (message) => resolve((message as { endpoint: string }).endpoint));
      void ended.then(() => reject(new Error('The app ended before it had a window.')));
    });
    const browser = await chromium.connectOverCDP(endpoint, { noDefaults: true });
    const [context] = browser.contexts();
    context!.setDefaultTimeout(PATIENCE);
    const shown = context!.waitForEvent('page');
    child.send('go');
    const page = await shown;
    const quick = page.getByRole('button', { name: 'Run Quick start' });
    await quick.waitFor();
    const usable = await now(page);
    const window = await page.evaluate<number>(
      "performance.timeOrigin + performance.getEntriesByName('first-contentful-paint')[0].startTime",
    );
    if (!press) return { window: window - began, usable: usable - began, curve: Number.NaN };
    await quick.click();
    const pressed = await now(page);
    await page.getByRole('img', { name: /^train\/loss against step: .*, from \d/u }).waitFor();
    const curve = await now(page);
    return { window: window - began, usable: usable - began, curve: curve - pressed };
  } finally {
    // It would ask whether to end the training.
    child.kill('SIGKILL');
    await ended;
  }
}

const now = (page: Page): Promise<number> => page.evaluate('performance.timeOrigin + performance.now()');

async function inFolder(work: (home: string) => Promise<unknown>): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'sweeplab-bench-desktop-'));
  mkdirSync(join(home, 'user'));
  try {
    await work(home);
  } finally {
    rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

export async function desktopBench(args: string[]): Promise<void> {
  if (!hasBrowser()) return;
  const rounds = Number(option(args, '--rounds', '3'));
  if (await needsAppBuild()) {
    const { status } = spawnSync('npm', ['run', '-s', 'build'], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
    if (status !== 0) throw new Error('The app cannot be built.');
  }
  const all: Record<'first' | 'again', Times[]> = { first: [], again: [] };
  for (let round = 0; round < rounds; round++) {
    await inFolder(async (home) => all.first.push(await start(home)));
    await inFolder(async (home) => {
      await start(home, false);
      all.again.push(await start(home));
    });
  }
  const words = (times: readonly Times[], what: keyof Times): string => {
    const { median, min, max } = spread(times.map((each) => each[what]));
    return `${(median / 1000).toFixed(2)} s (${(min / 1000).toFixed(2)} to ${(max / 1000).toFixed(2)})`;
  };
  console.table(
    Object.entries(all).map(([which, times]) => ({
      start: which,
      window: words(times, 'window'),
      'Start usable': words(times, 'usable'),
      'from the press to a curve': words(times, 'curve'),
    })),
  );
  console.log(`${rounds} rounds; load average ${loadavg()[0]!.toFixed(1)}`);
}
