/** The adapters of Electron over a stand-in of its module: what windows are made with, and what the app does with events. */
import { execFileSync } from 'node:child_process';
import type { EventEmitter } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BRIDGE_KEYS, CHANNELS } from '../../preload/contract/bridge.ts';
import { writeProblem } from '../../main/files/words.ts';
import { COMMAND_MENUS } from '../../preload/contract/menu.ts';

type Listener = (...values: never[]) => unknown;

const fake = vi.hoisted(() => ({
  userData: '',
  exposed: new Map<string, object>(),
  handlers: new Map<string, (...values: unknown[]) => unknown>(),
  listeners: new Map<string, (...values: unknown[]) => void>(),
  sent: [] as unknown[][],
  opened: [] as string[],
  /** What the save dialog was opened with, and what it answers. */
  asked: [] as unknown[],
  chosen: undefined as string | undefined,
  located: [] as string[],
  windows: [] as unknown[],
  schemes: [] as unknown[],
  blocked: [] as unknown[],
  dialogs: [] as unknown[],
  notifications: [] as unknown[],
  menu: [] as unknown[],
  answer: 0,
  lock: true,
  quits: 0,
  labs: [] as unknown[],
  served: undefined as ((request: { url: string; method: string }) => Promise<Response>) | undefined,
  session: {} as Record<string, (...values: never[]) => unknown>,
  app: undefined as unknown,
}));

/** What the lab's process is told, and what the test lets it say. */
interface FakeLab {
  busy: boolean;
  closed: boolean;
  retries: number;
  options: {
    onBusy(busy: boolean): void;
    onFailure(message: string): void;
    onFinished(notice: object): void;
    refuse(message: unknown): string | undefined;
  };
  ports: unknown[];
}

vi.mock('../../main/app/labProcess.ts', () => ({
  LabProcess: class {
    busy = false;
    closed = false;
    retries = 0;
    ports: unknown[] = [];
    options: unknown;
    constructor(options: unknown) {
      this.options = options;
      fake.labs.push(this);
    }
    connect(port: unknown): void {
      this.ports.push(port);
    }
    retry(): void {
      this.retries++;
    }
    async close(): Promise<void> {
      this.closed = true;
    }
  },
}));

vi.mock('electron', async () => {
  const { EventEmitter: Emitter } = await import('node:events');
  class Contents extends Emitter {
    id = 1;
    opener: ((details: { url: string }) => unknown) | undefined;
    reloads = 0;
    reload(): void {
      this.reloads++;
    }
    send(...values: unknown[]): void {
      fake.sent.push(values);
    }
    getType(): string {
      return 'window';
    }
    setWindowOpenHandler(handler: (details: { url: string }) => unknown): void {
      this.opener = handler;
    }
  }
  class BrowserWindow extends Emitter {
    static fromWebContents(contents: unknown): unknown {
      return fake.windows.find((each) => (each as BrowserWindow).webContents === contents) ?? null;
    }
    webContents = new Contents();
    options: unknown;
    address = '';
    constructor(options: unknown) {
      super();
      this.options = options;
      fake.windows.push(this);
      (fake.app as EventEmitter).emit('web-contents-created', {}, this.webContents);
    }
    async loadURL(address: string): Promise<void> {
      this.address = address;
    }
    show(): void {}
    focus(): void {}
    isDestroyed = (): boolean => false;
    isMinimized = (): boolean => false;
    isMaximized = (): boolean => false;
    isFocused = (): boolean => false;
    getNormalBounds = (): object => ({ x: 1, y: 2, width: 1000, height: 700 });
  }
  const app = Object.assign(new Emitter(), {
    getAppPath: () => fake.userData,
    getPath: () => fake.userData,
    requestSingleInstanceLock: () => fake.lock,
    enableSandbox: () => fake.blocked.push('sandbox'),
    whenReady: () => Promise.resolve(),
    quit: () => void fake.quits++,
  });
  fake.app = app;
  const keep = (name: string) => (value: never) => void (fake.session[name] = value);
  return {
    app,
    BrowserWindow,
    screen: { getAllDisplays: () => [{ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }] },
    nativeTheme: { shouldUseDarkColors: true },
    shell: {
      openExternal: async (address: string) => void fake.opened.push(address),
      showItemInFolder: (path: string) => void fake.located.push(path),
    },
    protocol: { registerSchemesAsPrivileged: (schemes: unknown[]) => fake.schemes.push(...schemes) },
    session: {
      defaultSession: {
        setPermissionRequestHandler: keep('request'),
        setPermissionCheckHandler: keep('check'),
        setDevicePermissionHandler: keep('device'),
        on: (name: string, listener: never) => void (fake.session[name] = listener),
        protocol: { handle: (_scheme: string, serve: typeof fake.served) => void (fake.served = serve) },
      },
    },
    dialog: {
      showMessageBox: async (...values: unknown[]) => {
        fake.dialogs.push(values.at(-1));
        return { response: fake.answer };
      },
      showSaveDialog: async (_window: unknown, options: unknown) => {
        fake.asked.push(options);
        return { canceled: fake.chosen === undefined, filePath: fake.chosen ?? '' };
      },
      showErrorBox: (...values: unknown[]) => fake.dialogs.push(values),
    },
    powerSaveBlocker: {
      start: (kind: string) => fake.blocked.push(kind),
      stop: (id: number) => fake.blocked.push(['stop', id]),
    },
    Notification: class extends Emitter {
      static isSupported = (): boolean => true;
      constructor(options: unknown) {
        super();
        fake.notifications.push(Object.assign(this, { options }));
      }
      show(): void {}
    },
    Menu: {
      buildFromTemplate: (template: unknown) => template,
      setApplicationMenu: (menu: unknown[]) => void (fake.menu = menu),
    },
    MessageChannelMain: class {
      port1 = Object.assign(new Emitter(), { start: () => {}, postMessage: () => {}, close: () => {} });
      port2 = { second: true };
    },
    ipcMain: {
      on: (channel: string, listener: never) => fake.listeners.set(channel, listener),
      handle: (channel: string, handler: never) => fake.handlers.set(channel, handler),
    },
    ipcRenderer: { on: () => {}, send: () => {}, invoke: () => Promise.resolve() },
    contextBridge: { exposeInMainWorld: (name: string, api: object) => fake.exposed.set(name, api) },
  };
});

interface Shown {
  webContents: EventEmitter & { id: number; reloads: number; opener(details: { url: string }): unknown };
  options: { webPreferences: Record<string, unknown> };
  address: string;
}
const shown = (): Shown => fake.windows[0] as Shown;
const lab = (): FakeLab => fake.labs[0] as FakeLab;
const fromPage = (change: object = {}, url = 'app://sweeplab/index.html') => ({
  sender: shown().webContents,
  senderFrame: { url, parent: null, postMessage: (...values: unknown[]) => void fake.sent.push(values), ...change },
});
const emit = (name: string, ...values: unknown[]): boolean => (fake.app as EventEmitter).emit(name, ...values);

beforeAll(async () => {
  fake.userData = mkdtempSync(join(tmpdir(), 'sweeplab-electron-'));
  vi.spyOn(console, 'error').mockImplementation(() => {});
  await import('../../main/app/index.ts');
  await vi.waitFor(() => expect(fake.windows).toHaveLength(1));
  shown().webContents.emit('did-finish-load');
});
afterAll(() => rmSync(fake.userData, { recursive: true }));

describe('the window (statement 1)', () => {
  it('is isolated, sandboxed and without Node (would catch one loosened switch)', () => {
    expect(shown().options.webPreferences).toMatchObject({
      contextIsolation: true,
      sandbox: true,
      webSecurity: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webviewTag: false,
      allowRunningInsecureContent: false,
    });
    expect(fake.blocked).toContain('sandbox');
    expect(shown().address).toBe('app://sweeplab/index.html');
    expect(fake.schemes).toEqual([{ scheme: 'app', privileges: expect.not.objectContaining({ bypassCSP: true }) }]);
  });

  it('goes nowhere else and opens nothing (statement 7; would catch a missing event)', async () => {
    const contents = shown().webContents;
    for (const name of ['will-navigate', 'will-frame-navigate', 'will-redirect']) {
      const go = (url: string): boolean => {
        const preventDefault = vi.fn<() => void>();
        contents.emit(name, { url, preventDefault });
        return preventDefault.mock.calls.length === 0;
      };
      expect([name, go('https://example.org/'), go('app://sweeplab/index.html')]).toEqual([name, false, true]);
    }
    const webview = vi.fn<() => void>();
    contents.emit('will-attach-webview', { preventDefault: webview });
    expect(webview).toHaveBeenCalledOnce();
    expect(contents.opener({ url: 'https://example.org/a' })).toEqual({ action: 'deny' });
    expect(contents.opener({ url: 'file:///bin/sh' })).toEqual({ action: 'deny' });
    await vi.waitFor(() => expect(fake.opened).toEqual(['https://example.org/a']));
  });

  it('is denied permissions, devices and downloads (statement 8)', () => {
    const { request, check, device } = fake.session as Record<string, Listener>;
    const answer = vi.fn<(allowed: boolean) => void>();
    request(...([{}, 'media', answer, { requestingUrl: 'app://sweeplab/' }] as never[]));
    expect(answer).toHaveBeenCalledWith(false);
    expect(check(...([null, 'geolocation', 'app://sweeplab/'] as never[]))).toBe(false);
    expect(device(...([{}] as never[]))).toBe(false);
    const preventDefault = vi.fn<() => void>();
    fake.session['will-download'](...([{ preventDefault }] as never[]));
    expect(preventDefault).toHaveBeenCalled();
  });

  it('gets 404 with the same headers for what is not there (statements 5 and 6)', async () => {
    const response = await fake.served!({ url: 'app://sweeplab/..%2f..%2fetc/passwd', method: 'GET' });
    expect(response.status).toBe(404);
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  });
});

describe('the bridge (statement 2)', () => {
  it('has exactly the listed keys (would catch a key added in passing)', async () => {
    await import('../../preload/index.ts');
    expect([...fake.exposed.keys()]).toEqual(['sweeplab']);
    expect(Object.keys(fake.exposed.get('sweeplab')!).sort()).toEqual([
      'chooseFile',
      'connect',
      'saveFile',
      'showFile',
    ]);
    expect([...BRIDGE_KEYS].sort()).toEqual(Object.keys(fake.exposed.get('sweeplab')!).sort());
  });
});

describe('messages of pages (statement 3)', () => {
  it('from elsewhere are refused on every channel (would catch a channel without the check)', async () => {
    const strangers = [
      fromPage({ parent: {} }),
      fromPage({}, 'https://example.org/'),
      { ...fromPage(), senderFrame: null },
    ];
    expect([...fake.handlers.keys(), ...fake.listeners.keys()].sort()).toEqual(
      [CHANNELS.connect, CHANNELS.saveFile, CHANNELS.chooseFile, CHANNELS.showFile].sort(),
    );
    for (const event of strangers) {
      for (const handler of fake.handlers.values())
        expect(() => handler(event, 'https://example.org/stranger')).toThrow(/may not/u);
      for (const listener of fake.listeners.values()) listener(event, 'a', 'b');
    }
    expect(lab().ports).toEqual([]);
    expect(fake.asked).toEqual([]);
  });

  it('get a port of the lab, with the token that they sent', () => {
    fake.listeners.get(CHANNELS.connect)!(fromPage(), 'token-1');
    expect(lab().ports).toHaveLength(1);
    expect(fake.sent).toContainEqual([CHANNELS.port, 'token-1', [{ second: true }]]);
  });

  it('may have the lab write a file only where a dialog was answered, once', async () => {
    fake.chosen = '/home/a/x.csv';
    const message = { kind: 'request', id: 1, input: { path: fake.chosen } };
    expect(lab().options.refuse(message)).toBeDefined();
    expect(await fake.handlers.get(CHANNELS.chooseFile)!(fromPage(), { name: '../../x.csv' })).toBe(fake.chosen);
    expect(lab().options.refuse(message)).toBeUndefined();
    expect(lab().options.refuse(message)).toBeDefined();
  });
});

describe('saving a file', () => {
  const save = (content: unknown, choice: unknown = { name: 'val-loss.svg' }): unknown =>
    fake.handlers.get(CHANNELS.saveFile)!(fromPage(), choice, content);
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

  it('writes what the page made where the dialog says (would catch a picture that is nowhere)', async () => {
    fake.chosen = join(fake.userData, 'val-loss.svg');
    const choice = { name: '../../val-loss.svg', filters: [{ name: 'Picture (SVG)', extensions: ['svg', '../x'] }] };
    expect(await save(bytes('<svg/>'), choice)).toEqual({ path: fake.chosen });
    expect(readFileSync(fake.chosen, 'utf8')).toBe('<svg/>');
    expect(fake.asked.at(-1)).toMatchObject({
      defaultPath: join(fake.userData, 'val-loss.svg'),
      filters: [{ name: 'Picture (SVG)', extensions: ['svg'] }],
    });
    // Writing it was part of saving: the lab is not let at it.
    expect(lab().options.refuse({ kind: 'request', id: 1, input: { path: fake.chosen } })).toBeDefined();
  });

  it.each(['.', '..', '/etc/..', 'a/', '', '\0', 7])(
    'offers a name in the folder of documents for %j',
    async (name) => {
      fake.chosen = undefined;
      await save(bytes('x'), { name });
      const { defaultPath } = fake.asked.at(-1) as { defaultPath: string };
      expect(defaultPath).toBe(join(fake.userData, name === 'a/' ? 'a' : 'sweeplab'));
    },
  );

  it('writes nothing when the dialog is closed', async () => {
    fake.chosen = undefined;
    expect(await save(bytes('x'))).toBeNull();
  });

  it.skipIf(process.getuid?.() === 0 || process.platform === 'win32')(
    'says that a folder may not be written to, and leaves what was there (would catch a message about a failed call)',
    async () => {
      const folder = join(fake.userData, 'kept');
      mkdirSync(folder);
      fake.chosen = join(folder, 'a.csv');
      writeFileSync(fake.chosen, 'before');
      chmodSync(folder, 0o500);
      expect(await save(bytes('after'))).toEqual({ problem: expect.stringContaining('a.csv may not be written in') });
      chmodSync(folder, 0o700);
      expect(readFileSync(fake.chosen, 'utf8')).toBe('before');
    },
  );

  it('says in words what stood in the way, whatever it was', async () => {
    fake.chosen = join(fake.userData, 'missing', 'a.csv');
    expect(await save(bytes('x'))).toEqual({ problem: `There is no folder ${join(fake.userData, 'missing')}.` });
    fake.chosen = join(fake.userData, 'folder');
    mkdirSync(join(fake.chosen, 'full'), { recursive: true });
    expect(await save(bytes('x'))).toEqual({ problem: `${fake.chosen} is a folder: choose another name.` });
    expect(readdirSync(fake.userData).filter((name) => name.includes('.tmp-'))).toEqual([]);
    expect(await save('not bytes')).toEqual({ problem: 'There is nothing to save.' });
    const words = (code: string): string => writeProblem(Object.assign(new Error('raw'), { code }), '/home/a/x.csv');
    expect(words('ENOSPC')).toBe('There is no room left for x.csv in /home/a; nothing was written.');
    for (const code of ['EACCES', 'EFBIG', 'EIO', 'EPERM', 'EROFS', 'EDQUOT', 'EBUSY', 'ENAMETOOLONG'])
      expect(words(code), code).not.toMatch(/raw|E[A-Z]{3}/u);
    expect(words('EXDEV')).toContain('raw');
  });

  it.skipIf(process.platform === 'win32')(
    'leaves pipes and devices as they are (would catch a device that has become a file)',
    async () => {
      const pipe = join(fake.userData, 'pipe.csv');
      execFileSync('mkfifo', [pipe]);
      fake.chosen = join(fake.userData, 'to-pipe.csv');
      symlinkSync(pipe, fake.chosen);
      expect(await save(bytes('x'))).toEqual({
        problem: `${fake.chosen} is no file but a pipe or a device: choose another name.`,
      });
      expect(statSync(pipe).isFIFO()).toBe(true);
    },
  );

  it('shows only what was saved in the file manager (would catch a page that opens any folder)', async () => {
    const show = (path: unknown): unknown => fake.handlers.get(CHANNELS.showFile)!(fromPage(), path);
    fake.chosen = join(fake.userData, 'shown.png');
    expect(await show(fake.chosen)).toBe(false);
    await save(bytes('png'));
    expect(await show(fake.chosen)).toBe(true);
    expect(await show(join(fake.userData, 'window.json'))).toBe(false);
    expect(await show([fake.chosen])).toBe(false);
    expect(fake.located).toEqual([fake.chosen]);
    rmSync(fake.chosen);
    expect(await show(fake.chosen)).toBe(false);
  });
});

describe('what crashes', () => {
  it('is shown again, and in the end asked about (would catch a window that stays white)', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    try {
      const contents = shown().webContents;
      const crash = (): boolean => contents.emit('render-process-gone', {}, { reason: 'crashed' });
      for (const pause of [250, 1000, 4000]) {
        const before = contents.reloads;
        crash();
        vi.advanceTimersByTime(pause - 1);
        expect(contents.reloads).toBe(before);
        vi.advanceTimersByTime(1);
        expect(contents.reloads).toBe(before + 1);
      }
      const { reloads } = contents;
      fake.answer = 1;
      crash();
      expect(fake.dialogs.pop()).toMatchObject({ type: 'error', detail: expect.stringMatching(/4 times.*crashed/u) });
      await vi.waitFor(() => expect(contents.reloads).toBe(reloads + 1));
      fake.answer = 0;
      crash();
      await vi.waitFor(() => expect(fake.quits).toBe(1));
      expect(fake.dialogs.pop()).toMatchObject({ buttons: ['Quit', 'Show it again'] });
      expect(contents.reloads).toBe(reloads + 1);
      contents.emit('did-finish-load');
    } finally {
      vi.useRealTimers();
      fake.quits = 0;
    }
  });

  it('of the lab can be tried again (would catch a page that waits for ever for a folder that was mended)', async () => {
    fake.answer = 1;
    lab().options.onFailure('The data folder is a file.');
    await vi.waitFor(() => expect(lab().retries).toBe(1));
    expect(fake.dialogs.pop()).toMatchObject({ detail: 'The data folder is a file.', buttons: ['Quit', 'Try again'] });
    fake.answer = 0;
    lab().options.onFailure('It still is.');
    await vi.waitFor(() => expect(fake.quits).toBe(1));
    expect(lab().retries).toBe(1);
    fake.dialogs.pop();
    fake.quits = 0;
  });
});

describe('training', () => {
  it('keeps the computer awake as long as it lasts (would catch a blocker that is never released)', () => {
    lab().options.onBusy(true);
    lab().options.onBusy(true);
    lab().options.onBusy(false);
    const kinds = fake.blocked.filter((each) => each !== 'sandbox');
    expect(kinds).toEqual(['prevent-app-suspension', ['stop', expect.any(Number)]]);
  });

  it('tells of its end, and a click leads there', () => {
    lab().options.onFinished({ level: 'good', message: 'The sweep a has finished.', path: '/sweep/1' });
    const [notification] = fake.notifications as (EventEmitter & { options: unknown })[];
    expect(notification.options).toEqual({ title: 'Sweeplab', body: 'The sweep a has finished.' });
    notification.emit('click');
    expect(fake.sent).toContainEqual([CHANNELS.arrival, { type: 'sweeplab:path', path: '/sweep/1' }]);
  });

  it('is asked about on quit, and ended before it (would catch a quit that loses a run)', async () => {
    const quit = (): boolean => {
      const preventDefault = vi.fn<() => void>();
      emit('before-quit', { preventDefault });
      return preventDefault.mock.calls.length === 0;
    };
    lab().busy = true;
    fake.answer = 0;
    expect(quit()).toBe(false);
    await vi.waitFor(() => expect(fake.dialogs).toHaveLength(1));
    await Promise.resolve();
    expect([lab().closed, fake.quits]).toEqual([false, 0]);
    fake.answer = 1;
    expect(quit()).toBe(false);
    await vi.waitFor(() => expect(fake.quits).toBe(1));
    expect(lab().closed).toBe(true);
    expect(quit()).toBe(true);
  });
});

describe('the menu', () => {
  const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
  it('names commands that the interface has (would catch an entry that does nothing)', () => {
    const builtin = read('renderer/commands/builtin.ts');
    const rail = read('renderer/frame/rail.ts');
    const ids = COMMAND_MENUS.flatMap(({ entries }) =>
      entries.flatMap((each) => (each === 'separator' ? [] : [each.id])),
    );
    expect(ids.length).toBeGreaterThan(10);
    for (const id of ids) {
      const [section, name] = id.split('.');
      if (section === 'view') expect(rail).toContain(`name: '${name}'`);
      else if (section === 'theme') expect(builtin).toContain(`'${name}'`);
      else expect(builtin).toContain(`id: '${id}'`);
    }
  });

  it('runs them in the page', () => {
    const lists = fake.menu as { label?: string; submenu?: { label?: string; click?: () => void }[] }[];
    lists.find(({ label }) => label === 'Lab')!.submenu![0].click!();
    expect(fake.sent).toContainEqual([CHANNELS.arrival, { type: 'sweeplab:command', id: 'sweep.new' }]);
  });
});

describe('a second start', () => {
  it('brings the window of the first to the front (would catch two windows of one lab)', () => {
    const before = fake.windows.length;
    const focus = vi.spyOn(shown() as unknown as { focus(): void }, 'focus');
    emit('second-instance', {}, ['sweeplab'], fake.userData);
    expect(focus).toHaveBeenCalledOnce();
    expect(fake.windows).toHaveLength(before);
  });

  it('hands its sweep files to the first (would catch a double click that does nothing)', async () => {
    writeFileSync(join(fake.userData, 'lr.sweeplab'), 'recipe: quick\n');
    emit('second-instance', {}, ['sweeplab', '--flag', 'lr.sweeplab'], fake.userData);
    const arrival = { type: 'sweeplab:open', name: 'lr.sweeplab', text: 'recipe: quick\n' };
    await vi.waitFor(() => expect(fake.sent).toContainEqual([CHANNELS.arrival, arrival]));
    const preventDefault = vi.fn<() => void>();
    emit('open-file', { preventDefault }, join(fake.userData, 'gone.sweeplab'));
    expect(preventDefault).toHaveBeenCalledOnce();
    await vi.waitFor(() =>
      expect(fake.dialogs).toContainEqual([
        'The sweep cannot be opened',
        expect.stringContaining('gone.sweeplab cannot be read: there is no such file'),
      ]),
    );
  });

  it('opens the first of several, and names the others (would catch whichever is read last)', async () => {
    for (const name of ['a', 'b', 'c']) writeFileSync(join(fake.userData, `${name}.sweeplab`), `name: ${name}\n`);
    const before = fake.sent.length;
    emit('second-instance', {}, ['sweeplab', 'a.sweeplab', 'b.sweeplab', 'c.sweeplab'], fake.userData);
    const arrival = { type: 'sweeplab:open', name: 'a.sweeplab', text: 'name: a\n' };
    await vi.waitFor(() => expect(fake.sent.slice(before)).toEqual([[CHANNELS.arrival, arrival]]));
    expect(fake.dialogs).toContainEqual([expect.any(String), expect.stringContaining('b.sweeplab, c.sweeplab')]);
  });

  it('tells a page that crashed of them when it is there again (would catch a file that nobody hears of)', async () => {
    writeFileSync(join(fake.userData, 'late.sweeplab'), 'seeds: 2\n');
    const contents = shown().webContents;
    const arrival = { type: 'sweeplab:open', name: 'late.sweeplab', text: 'seeds: 2\n' };
    contents.emit('did-finish-load');
    contents.emit('render-process-gone', {}, { reason: 'clean-exit' });
    emit('second-instance', {}, ['sweeplab', 'late.sweeplab'], fake.userData);
    await vi.waitFor(() => expect(contents.listenerCount('did-finish-load')).toBe(2));
    expect(fake.sent).not.toContainEqual([CHANNELS.arrival, arrival]);
    contents.emit('did-finish-load');
    expect(fake.sent).toContainEqual([CHANNELS.arrival, arrival]);
  });

  it('ends itself and starts no lab of its own (would catch two writers of one database)', async () => {
    fake.lock = false;
    const before = [fake.windows.length, fake.labs.length, fake.quits];
    vi.resetModules();
    await import('../../main/app/index.ts');
    await Promise.resolve();
    expect([fake.windows.length, fake.labs.length, fake.quits]).toEqual([before[0], before[1], before[2] + 1]);
  });
});
