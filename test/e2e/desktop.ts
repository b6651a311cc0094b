/**
 * The built desktop app as the tests hold it: on Electron where its program is, else on the stand-in (test/app/standin). Both show a page,
 * and run functions in the app's own process, where questions to people wait for the test's answers.
 */
import { fork, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type * as Electron from 'electron';
import type { InlineConfig } from 'vite';
import { _electron, chromium } from 'playwright-core';
import type { BrowserContext, Page } from 'playwright-core';
import { desktopArguments, desktopBinary } from '../../main/cli/desktop.ts';
import { buildPages, needsAppBuild, needsBuild, ROOT } from '../../main/host/buildPages.ts';
import { Complaints, PATIENCE, buildOnce, chromiumPath, reportPolicy, until } from './harness.ts';

const STANDIN = fileURLToPath(new URL('../app/standin/main.ts', import.meta.url));
const QUIET = ['--disable-warning=ExperimentalWarning'];
export type Kind = 'stand-in' | 'Electron';

/** A function that is run in the app's process: it sees nothing of this file. */
type Action<Value, Result> = (module: typeof Electron, value: Value) => Result | Promise<Result>;

/** A question to the person at the machine. */
export interface Question {
  readonly kind: 'message' | 'save' | 'error';
  readonly options: Electron.MessageBoxOptions & Electron.SaveDialogOptions;
  /** Whether it belongs to a window, which cannot be used meanwhile. */
  readonly modal: boolean;
}

/** What the app asked of the system, kept in its own process. */
interface Desk {
  readonly waiting: (Question & { answer(value: unknown): void })[];
  readonly opened: string[];
  readonly located: string[];
  readonly notified: Electron.Notification[];
  readonly downloads: { name: string; prevented: boolean }[];
  readonly sleepless: number[];
  /** Channels on which a page was heard, and answered where it asked. */
  readonly heard: Set<string>;
}

declare global {
  var desk: Desk;
}

/** In the place of what only a person could answer, or see. */
const sitDown: Action<undefined, void> = ({ dialog, shell, Notification, session, powerSaveBlocker, app, ipcMain }) => {
  const desk: Desk = {
    waiting: [],
    opened: [],
    located: [],
    notified: [],
    downloads: [],
    sleepless: [],
    heard: new Set(),
  };
  globalThis.desk = desk;
  const ask = (kind: Question['kind'], values: unknown[]): Promise<never> =>
    new Promise((resolve) => {
      const options = values.at(-1) as Question['options'];
      desk.waiting.push({ kind, options, modal: values.length > 1, answer: (value) => resolve(value as never) });
    });
  Object.assign(dialog, {
    showMessageBox: (...values: unknown[]) => ask('message', values),
    showSaveDialog: (...values: unknown[]) => ask('save', values),
    showErrorBox: (message: string, detail: string) => void ask('error', [{ message, detail }]),
  });
  Object.assign(shell, {
    openExternal: async (address: string) => void desk.opened.push(address),
    showItemInFolder: (path: string) => void desk.located.push(path),
  });
  Notification.prototype.show = function show(this: Electron.Notification) {
    desk.notified.push(this);
  };
  const { start, stop } = powerSaveBlocker;
  Object.assign(powerSaveBlocker, {
    start(type: 'prevent-app-suspension') {
      const id = start.call(powerSaveBlocker, type);
      desk.sleepless.push(id);
      return id;
    },
    stop(id: number) {
      desk.sleepless.splice(desk.sleepless.indexOf(id), 1);
      return stop.call(powerSaveBlocker, id);
    },
  });
  const { on, handle } = ipcMain;
  Object.assign(ipcMain, {
    on: (channel: string, listener: (...values: unknown[]) => void) =>
      on.call(ipcMain, channel, (...values: unknown[]) => {
        desk.heard.add(channel);
        listener(...values);
      }),
    handle: (channel: string, answer: (...values: unknown[]) => unknown) =>
      handle.call(ipcMain, channel, async (...values: unknown[]) => {
        const answered = await answer(...values);
        desk.heard.add(channel);
        return answered;
      }),
  });
  void app.whenReady().then(() => {
    session.defaultSession.on('will-download', (event, item) => {
      desk.downloads.push({ name: item.getFilename(), prevented: event.defaultPrevented });
      // One that the app lets through must not wait for anybody.
      if (!event.defaultPrevented) item.cancel();
    });
  });
};

/** One started process of the app. */
interface Started {
  readonly context: BrowserContext;
  run(action: string, value: unknown): Promise<unknown>;
  /** Whether it has ended by itself, and how. */
  readonly ended: Promise<number | null>;
  kill(): Promise<void>;
}

export class Desktop {
  readonly kind: Kind;
  readonly home: string;
  readonly app: string;
  readonly complaints = new Complaints();
  /** What the app's process said. */
  said = '';
  /** Channels on which it heard a page, in all its starts. */
  readonly heard = new Set<string>();
  page!: Page;
  #started: Started | undefined;
  #hasEnded = false;

  /** @param app the folder of the built app */
  constructor(kind: Kind, home: string, app: string = desktopArguments()[0]!) {
    [this.kind, this.home, this.app] = [kind, home, app];
  }

  get context(): BrowserContext {
    return this.#started!.context;
  }

  /** @param files what it is started with @returns the page of its window, once its frame is there */
  async start(files: readonly string[] = []): Promise<Page> {
    await this.launch(files);
    await this.page.getByRole('banner').waitFor();
    return this.page;
  }

  /** Whether it was started and has not ended. */
  get running(): boolean {
    return this.#started !== undefined && !this.#hasEnded;
  }

  /** As `start`, but whatever the window shows. */
  async launch(files: readonly string[] = []): Promise<void> {
    mkdirSync(join(this.home, 'user'), { recursive: true });
    this.#started = await (this.kind === 'stand-in' ? this.#standIn(files) : this.#electron(files));
    this.#hasEnded = false;
    void this.#started.ended.then(() => (this.#hasEnded = true));
    await this.findWindow();
  }

  /** Runs a function in the app's process. */
  async main<Result, Value = undefined>(action: Action<Value, Result>, value?: Value): Promise<Result> {
    return (await this.#started!.run(String(action), value)) as Result;
  }

  /** Keeps what the app's process heard of pages, before it ends. */
  async collect(): Promise<void> {
    for (const channel of await this.main(() => [...globalThis.desk.heard]).catch(() => [])) this.heard.add(channel);
  }

  /** The question that waits for an answer, once there is one. */
  async question(): Promise<Question> {
    const all = await until(
      () => this.main(() => globalThis.desk.waiting.map(({ kind, options, modal }) => ({ kind, options, modal }))),
      (waiting) => waiting.length > 0,
      'a question to the person at the machine',
    );
    return all[0] as Question;
  }

  /** Answers the question that waits. */
  async answer(
    value: { readonly response: number } | { readonly canceled: boolean; readonly filePath: string },
  ): Promise<void> {
    await this.main((_electron, given) => globalThis.desk.waiting.shift()!.answer(given), value);
  }

  /** Answers with a button, by its words. */
  async press(button: string): Promise<Question> {
    const question = await this.question();
    const response = question.options.buttons?.indexOf(button) ?? -1;
    if (response < 0) throw new Error(`There is no ${button} among ${String(question.options.buttons)}`);
    await this.answer({ response });
    return question;
  }

  /** Answers where to save. @param path null for none */
  async choose(path: string | null): Promise<Question> {
    const question = await this.question();
    if (question.kind !== 'save') throw new Error(`Asked was: ${question.options.message}`);
    await this.answer({ canceled: path === null, filePath: path ?? '' });
    return question;
  }

  /** As its menu does. @returns how its process ended, once it has */
  quit(): Promise<number | null> {
    const { ended } = this.#started!;
    void this.main(({ app }) => void setImmediate(() => app.quit())).catch(() => {});
    return ended;
  }

  /** As `quit`, and whatever trains is stopped. */
  async stop(): Promise<number | null> {
    const ended = this.quit();
    await this.pressing('Stop and quit', async () => void (await ended));
    return await ended;
  }

  async kill(): Promise<void> {
    await this.#started?.kill();
  }

  /** Starts the app once more beside the one that runs. @param files in `folder` @returns how that ended */
  second(files: readonly string[] = [], folder: string = ROOT): Promise<number | null> {
    const options = { env: this.#environment, stdio: 'ignore', cwd: folder } as const;
    const child =
      this.kind === 'Electron'
        ? spawn(desktopBinary()!, [...this.#arguments, ...files], options)
        : spawn(process.execPath, [...QUIET, STANDIN, ...this.#arguments, ...files], options);
    return new Promise((resolve) => child.once('exit', resolve));
  }

  /** The process of the lab. */
  async labProcess(): Promise<number> {
    return await until(
      () =>
        this.main(() => {
          const handles = (
            process as unknown as { _getActiveHandles(): { pid?: number; spawnargs?: string[] }[] }
          )._getActiveHandles();
          return handles.find(({ spawnargs }) => spawnargs?.some((each) => /labMain/u.test(each)))?.pid ?? 0;
        }),
      (pid) => pid > 0,
      'the process of the lab',
    );
  }

  /** The page again, after its process crashed: Playwright gives up on it then. */
  async meetAgain(): Promise<Page> {
    const { context } = this.#started!;
    if (this.kind === 'stand-in') {
      await context.browser()!.close();
      this.#started = { ...this.#started!, context: await this.#connect(this.#endpoint) };
    }
    return await this.findWindow();
  }

  /** Chooses what stands in the menu, by its words. */
  async menu(title: string, label: string): Promise<void> {
    await this.main(
      ({ Menu }, [first, second]) => {
        const lists = Menu.getApplicationMenu()!.items;
        lists
          .find((each) => each.label === first)!
          .submenu!.items.find((each) => each.label === second)!
          .click();
      },
      [title, label],
    );
  }

  /** Presses keys that belong to the menu. What Playwright presses does not get that far in Electron. */
  async key(keys: string): Promise<void> {
    if (this.kind === 'stand-in') await this.page.keyboard.press(keys);
    else if (keys === 'Control+q') void this.quit();
  }

  /** Presses a button of whatever questions come while something is done. */
  async pressing(button: string, action: () => Promise<void>): Promise<void> {
    const end = new AbortController();
    const pressed = (async () => {
      while (!end.signal.aborted) {
        // It may end meanwhile.
        const [open] = await this.main(() => globalThis.desk.waiting.map(({ options }) => options.buttons ?? [])).catch(
          () => [],
        );
        if (open?.includes(button) === true) await this.press(button);
        else await setTimeout(50);
      }
    })();
    try {
      await action();
    } finally {
      end.abort();
      await pressed;
    }
  }

  #endpoint = '';

  get #arguments(): string[] {
    return [`--user-data-dir=${join(this.home, 'user')}`, this.app];
  }

  get #environment(): Record<string, string> {
    const { NODE_OPTIONS: _, ...rest } = process.env as Record<string, string>;
    return {
      ...rest,
      SWEEPLAB_HOME: join(this.home, 'lab'),
      SWEEPLAB_NODE: process.execPath,
      SWEEPLAB_CHROMIUM: chromiumPath() ?? '',
    };
  }

  async #standIn(files: readonly string[]): Promise<Started> {
    const child = fork(STANDIN, [...this.#arguments, ...files], {
      env: this.#environment,
      execArgv: QUIET,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => (this.said += text));
    const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
    let next = 1;
    const run = (action: string, value: unknown): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const id = next++;
        waiting.set(id, { resolve, reject });
        if (child.connected) child.send({ id, action, value });
        else reject(new Error('The app has ended.'));
      });
    void ended.then(() => {
      for (const { reject } of waiting.values()) reject(new Error('The app has ended.'));
    });
    this.#endpoint = await new Promise<string>((resolve, reject) => {
      child.on('message', ({ endpoint, id, value, error }: Record<string, never>) => {
        if (endpoint !== undefined) return resolve(endpoint);
        const asked = waiting.get(id);
        waiting.delete(id);
        if (error === undefined) asked?.resolve(value);
        else asked?.reject(new Error(error));
      });
      void ended.then((code) => reject(new Error(`The app ended with ${code}:\n${this.said}`)));
    });
    const context = await this.#connect(this.#endpoint);
    await run(String(sitDown), undefined);
    child.send('go');
    const kill = async (): Promise<void> => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await ended;
    };
    return { context, run, ended, kill };
  }

  async #connect(endpoint: string): Promise<BrowserContext> {
    const browser = await chromium.connectOverCDP(endpoint, { noDefaults: true });
    const [context] = browser.contexts();
    await this.#watch(context!);
    return context!;
  }

  async #electron(files: readonly string[]): Promise<Started> {
    const app = await _electron.launch({
      executablePath: desktopBinary()!,
      args: [...this.#arguments, ...files],
      env: this.#environment,
    });
    const child = app.process();
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.said += text));
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    const run = (action: string, value: unknown): Promise<unknown> =>
      // oxlint-disable-next-line no-eval
      app.evaluate((module, [text, given]) => (0, eval)(`(${text})`)(module, given), [action, value] as const);
    await run(String(sitDown), undefined);
    await this.#watch(app.context());
    return { context: app.context(), run, ended, kill: () => app.close() };
  }

  async #watch(context: BrowserContext): Promise<void> {
    context.setDefaultTimeout(PATIENCE);
    this.complaints.watch(context);
    await reportPolicy(context);
  }

  /** The page of the window, once there is one. @param before another one, which was closed */
  async findWindow(before?: Page): Promise<Page> {
    const { context } = this.#started!;
    const own = (page: Page): boolean => /^(?:app:\/\/sweeplab|https:\/\/sweeplab\.app\.test)\//u.test(page.url());
    this.page = await until(
      () => context.pages().find((page) => own(page) && page !== before && !page.isClosed())!,
      (page) => page !== undefined,
      'the window of the app',
    );
    return this.page;
  }
}

/** Builds the app where it is old; that it cannot be built is a fault. @returns why there is nothing to test */
export async function whyNoDesktop(kind: Kind): Promise<string | undefined> {
  if (kind === 'Electron' && desktopBinary() === undefined) return 'no Electron on this machine';
  if (kind === 'stand-in' && chromiumPath() === undefined) return 'no Chromium on this machine';
  await buildOnce(async () => {
    if (await needsBuild()) await buildPages();
    if (await needsAppBuild()) await buildAdapters();
  });
  return undefined;
}

interface BuildOptions {
  /** Where to; the folder of the built app where it is left out. */
  readonly out?: string;
  /** The text of a source in the place of the one that lies there. */
  change?(path: string, text: string): string | undefined;
}

/** What is Electron's of the app, without the pages. */
export async function buildAdapters({ out, change }: BuildOptions = {}): Promise<void> {
  const { NODE_ENV } = process.env;
  const [{ resolveConfig }, { build }] = await Promise.all([import('electron-vite'), import('vite')]);
  const { config } = await resolveConfig({ root: ROOT, logLevel: 'error' }, 'build', 'production');
  for (const [name, part] of [
    ['main', config!.main!],
    ['preload', config!.preload!],
  ] as const) {
    const options = part as InlineConfig;
    if (change !== undefined)
      options.plugins = [
        ...(options.plugins ?? []),
        { name: 'changed', enforce: 'pre', transform: (text, path) => change(path, text) },
      ];
    if (out !== undefined) options.build = { ...options.build, outDir: join(out, name), emptyOutDir: true };
    await build(options);
  }
  // The builder sets it for this process, and for those that it starts.
  process.env.NODE_ENV = NODE_ENV;
}
