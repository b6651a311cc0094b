/** The desktop app: puts the adapters together. Everything that decides lies in modules of its own. */
import { basename, dirname, join } from 'node:path';
import { app, dialog, Notification, session } from 'electron';
import type { BrowserWindow } from 'electron';
import { CHANNELS } from '../../preload/contract/bridge.ts';
import type { Arrival } from '../../preload/contract/bridge.ts';
import { shownText, withoutCommands } from '../../preload/shared/plainText.ts';
import { listenToPages } from './channels.ts';
import { ExportGuard } from './exportGuard.ts';
import { LabProcess } from './labProcess.ts';
import { setMenu } from './menu.ts';
import { findNode } from './nodeBinary.ts';
import { readSweepFile, sweepFilesIn } from './openFiles.ts';
import { registerScheme, servePages } from './protocol.ts';
import { spawnLab } from './spawnLab.ts';
import { confirmed } from './question.ts';
import { confirmReading } from './reading.ts';
import { confirmStarting } from './starting.ts';
import { confirmQuit, Wakefulness } from './training.ts';
import { guardContents, guardSession, openWindow } from './window.ts';

const root = app.getAppPath();
/** Plain Node cannot look into an archive; packages keep the lab's files beside it (.ci/package). */
const labFolder = root.endsWith('app.asar') ? join(dirname(root), 'lab') : root;
const windows = new Set<number>();
let lab: LabProcess | undefined;
let window: BrowserWindow | undefined;
/** A page that is still loading hears nothing. */
let loaded = false;
/** `asking` until the question is answered, `closing` until the lab has ended. */
let quit: 'no' | 'asking' | 'closing' | 'ready' = 'no';

function show(): void {
  if (window !== undefined) {
    if (window.isMinimized()) window.restore();
    window.show();
    window.focus();
    return;
  }
  const made = openWindow({
    preload: join(root, 'out/preload/index.cjs'),
    stateFile: join(app.getPath('userData'), 'window.json'),
  });
  window = made;
  loaded = false;
  made.webContents.on('did-finish-load', () => (loaded = true));
  // It is loaded again, or the window is closed.
  made.webContents.on('render-process-gone', () => (loaded = false));
  const { id } = made.webContents;
  windows.add(id);
  made.on('closed', () => {
    windows.delete(id);
    window = undefined;
  });
}

function tellPage(arrival: Arrival): void {
  show();
  const contents = window?.webContents;
  const tell = (): void => contents?.send(CHANNELS.arrival, arrival);
  if (loaded) tell();
  else contents?.once('did-finish-load', tell);
}

/** The builder shows one sweep: the first is opened, and of the others it is said that they are not. */
function openFiles([path, ...others]: readonly string[]): void {
  if (path === undefined) return;
  readSweepFile(path).then(tellPage, (error: Error) =>
    dialog.showErrorBox('The sweep cannot be opened', error.message),
  );
  if (others.length > 0)
    dialog.showErrorBox(
      'One sweep is opened at a time',
      withoutCommands(`Not opened, after ${basename(path)}: ${others.map((each) => basename(each)).join(', ')}.`),
    );
}

function notify(title: string, body: string, path: string | undefined): void {
  if (!Notification.isSupported()) return;
  const notification = new Notification({ title, body: shownText(body) });
  notification.on('click', () => (path === undefined ? show() : tellPage({ type: 'sweeplab:path', path })));
  notification.show();
}

function startLab(exports: ExportGuard): LabProcess {
  const awake = new Wakefulness();
  return new LabProcess({
    spawn: () => {
      const node = findNode({
        env: process.env,
        platform: process.platform,
        arch: process.arch,
        root: labFolder,
        resources: process.resourcesPath,
      });
      if (node === undefined)
        throw new Error(
          `Node is missing: ${labFolder === root ? 'run `npm ci` again' : 'install Sweeplab again'}, or name it in the variable SWEEPLAB_NODE.`,
        );
      return spawnLab({ node, entry: join(labFolder, 'main/app/labMain.ts'), home: process.env.SWEEPLAB_HOME });
    },
    onBusy: (busy) => awake.set(busy),
    onAsk: (path) => confirmReading(window, path),
    onAskStart: (words) => confirmStarting(window, words),
    onFinished: ({ message, path }) => {
      if (window?.isFocused() !== true) notify('Sweeplab', message, path);
    },
    onFailure: (message) => void offerRetry(message),
    refuse: (message) => exports.refuse(message),
  });
}

/** Without the lab the page shows nothing and waits. */
async function offerRetry(detail: string): Promise<void> {
  const again = await confirmed(window, {
    type: 'error',
    message: 'The lab cannot run',
    detail,
    no: 'Quit',
    yes: 'Try again',
  });
  if (again) lab?.retry();
  else app.quit();
}

async function endAll(): Promise<void> {
  quit = 'asking';
  if (lab?.busy === true && !(await confirmQuit(window))) {
    quit = 'no';
    // The window may be gone; training must not go on unseen.
    show();
    return;
  }
  quit = 'closing';
  await lab?.close();
  quit = 'ready';
  app.quit();
}

function start(): void {
  registerScheme();
  app.enableSandbox();
  app.on('web-contents-created', (_event, contents) => guardContents(contents));
  app.on('second-instance', (_event, args, folder) => {
    show();
    openFiles(sweepFilesIn(args.slice(1), folder));
  });
  // macOS says it this way, perhaps before the app is ready.
  app.on('open-file', (event, path) => {
    event.preventDefault();
    void app.whenReady().then(() => openFiles([path]));
  });
  app.on('activate', show);
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  app.on('before-quit', (event) => {
    if (quit === 'ready') return;
    event.preventDefault();
    if (quit === 'no') void endAll();
  });
  void app.whenReady().then(() => {
    guardSession(session.defaultSession);
    servePages(session.defaultSession, join(root, 'out/renderer'));
    const exports = new ExportGuard();
    const started = startLab(exports);
    lab = started;
    listenToPages({ windows, exports, connect: (port) => started.connect(port) });
    setMenu((id) => tellPage({ type: 'sweeplab:command', id }));
    show();
    openFiles(sweepFilesIn(process.argv.slice(1), process.cwd()));
  });
}

// A second start shows the window of the first: the database has one writer.
if (app.requestSingleInstanceLock()) start();
else app.quit();
