/** The app's life: one instance, ready, quitting. */
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { processBegan } from '../../../main/files/processBegan.ts';
import { Emitter, eventOf } from './emitter.ts';
import type { WebContents } from './contents.ts';
import { state } from './state.ts';
import { BrowserWindow, watchWindows } from './window.ts';

interface AppEvents {
  ready: [];
  activate: [];
  /** Of macOS, whose Finder is not here. */
  'open-file': [event: Electron.Event, path: string];
  'before-quit': [event: Electron.Event];
  'will-quit': [event: Electron.Event];
  quit: [event: Electron.Event, code: number];
  'window-all-closed': [];
  'web-contents-created': [event: Electron.Event, contents: WebContents];
  'second-instance': [event: Electron.Event, argv: string[], folder: string];
}

class App
  extends Emitter<AppEvents>
  implements
    Pick<
      Electron.App,
      | 'getAppPath'
      | 'getName'
      | 'getPath'
      | 'isReady'
      | 'whenReady'
      | 'enableSandbox'
      | 'requestSingleInstanceLock'
      | 'quit'
      | 'exit'
    >
{
  #path = '';
  #name = 'Electron';
  #ready = false;
  #quitting = false;
  readonly #whenReady: Promise<void>;

  constructor() {
    super();
    this.#whenReady = new Promise((resolve) => this.once('ready', resolve));
    watchWindows(
      (contents) => this.emit('web-contents-created', eventOf({}), contents),
      () => {
        if (this.#quitting) this.#end();
        else if (!this.emit('window-all-closed')) this.quit();
      },
    );
  }

  /** As Electron's program does before it loads the app. */
  launch(path: string, name: string, userData: string | undefined): void {
    this.#path = path;
    this.#name = name;
    state.userData = userData ?? join(this.getPath('appData'), name);
    mkdirSync(state.userData, { recursive: true });
  }

  becomeReady(): void {
    this.#ready = true;
    this.emit('ready');
  }

  get quitting(): boolean {
    return this.#quitting;
  }

  getAppPath(): string {
    return this.#path;
  }

  getName(): string {
    return this.#name;
  }

  getPath(name: Parameters<Electron.App['getPath']>[0]): string {
    const { XDG_CONFIG_HOME, APPDATA } = process.env;
    switch (name) {
      case 'userData':
        return state.userData;
      case 'home':
        return homedir();
      case 'temp':
        return tmpdir();
      case 'documents':
        return join(homedir(), 'Documents');
      case 'appData':
        if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support');
        return (process.platform === 'win32' ? APPDATA : XDG_CONFIG_HOME) ?? join(homedir(), '.config');
      default:
        throw new Error(`Failed to get '${name}' path`);
    }
  }

  isReady(): boolean {
    return this.#ready;
  }

  whenReady(): Promise<void> {
    return this.#whenReady;
  }

  enableSandbox(): void {
    if (this.#ready) throw new Error('app.enableSandbox() can only be called before app is ready');
  }

  /** Said at once, as Electron says it: a file that one process makes, and that says where the other one is heard. */
  requestSingleInstanceLock(): boolean {
    const note = join(state.userData, 'standin-instance.json');
    const address =
      process.platform === 'win32'
        ? `\\\\.\\pipe\\standin-${process.pid}`
        : join(tmpdir(), `standin-${process.pid}.sock`);
    for (;;)
      try {
        const file = openSync(note, 'wx');
        writeFileSync(file, JSON.stringify({ pid: process.pid, address }));
        closeSync(file);
        break;
      } catch {
        const first = JSON.parse(readFileSync(note, 'utf8')) as { pid: number; address: string };
        if (processBegan(first.pid) !== undefined) {
          this.#told = tell(first.address);
          return false;
        }
        rmSync(note, { force: true });
      }
    rmSync(address, { force: true });
    const server = createServer((socket) => {
      let text = '';
      socket.setEncoding('utf8').on('data', (part: string) => (text += part));
      socket.on('end', () => {
        socket.end();
        const { argv, folder } = JSON.parse(text) as { argv: string[]; folder: string };
        void this.#whenReady.then(() => this.emit('second-instance', eventOf({}), argv, folder));
      });
    });
    server.listen(address).unref();
    process.once('exit', () => {
      rmSync(note, { force: true });
      rmSync(address, { force: true });
    });
    return true;
  }

  #told: Promise<void> = Promise.resolve();

  quit(): void {
    if (this.#quitting) return;
    const event = eventOf({});
    this.emit('before-quit', event);
    if (event.defaultPrevented) return;
    this.#quitting = true;
    const windows = BrowserWindow.getAllWindows();
    for (const window of windows) window.close();
    if (BrowserWindow.getAllWindows().length > 0) this.#quitting = false;
    else if (windows.length === 0) this.#end();
  }

  exit(code = 0): void {
    void this.#told.then(async () => {
      await (state.chromium as typeof state.chromium | undefined)?.close();
      process.exit(code);
    });
  }

  #end(): void {
    const event = eventOf({});
    this.emit('will-quit', event);
    if (event.defaultPrevented) {
      this.#quitting = false;
      return;
    }
    this.emit('quit', eventOf({}), 0);
    this.exit(0);
  }
}

function tell(address: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(address, () => socket.end(JSON.stringify({ argv: process.argv, folder: process.cwd() })));
    socket.on('close', () => resolve());
    socket.on('error', () => resolve());
    socket.resume();
  });
}

export const app = new App();
