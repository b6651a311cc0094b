/** The window: locked down, remembered, shown when there is something to see. */
import { app, BrowserWindow, nativeTheme, screen, shell } from 'electron';
import type { Session, WebContents } from 'electron';
import { counted } from '../../preload/shared/format.ts';
import { Crashes } from './crashes.ts';
import { mayNavigate, mayOpenExternally } from './navigationPolicy.ts';
import { START_PAGE } from './origin.ts';
import { mayUse } from './permissionPolicy.ts';
import { confirmed } from './question.ts';
import { LEAST_HEIGHT, LEAST_WIDTH, readWindowState, writeWindowState } from './windowState.ts';

export interface WindowOptions {
  readonly preload: string;
  readonly stateFile: string;
}

export function openWindow({ preload, stateFile }: WindowOptions): BrowserWindow {
  const { maximized, ...place } = readWindowState(
    stateFile,
    screen.getAllDisplays().map(({ workArea }) => workArea),
  );
  const window = new BrowserWindow({
    ...place,
    minWidth: LEAST_WIDTH,
    minHeight: LEAST_HEIGHT,
    title: 'Sweeplab',
    show: false,
    // What is seen until the page paints; the page's own background.
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#111318' : '#ffffff',
    webPreferences: {
      preload,
      contextIsolation: true,
      sandbox: true,
      webSecurity: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webviewTag: false,
      allowRunningInsecureContent: false,
      navigateOnDragDrop: false,
      spellcheck: false,
    },
  });
  if (maximized) window.maximize();
  window.once('ready-to-show', () => window.show());
  window.on('close', () =>
    writeWindowState(stateFile, { ...window.getNormalBounds(), maximized: window.isMaximized() }),
  );
  keepShown(window);
  void window.loadURL(START_PAGE);
  return window;
}

/** A window whose page crashed stays white: the page is loaded again, and connects to the lab by itself. Training knows nothing of it. */
function keepShown(window: BrowserWindow): void {
  const crashes = new Crashes();
  window.webContents.on('render-process-gone', (_event, { reason }) => {
    if (reason === 'clean-exit' || window.isDestroyed()) return;
    const reload = (): void => {
      if (!window.isDestroyed()) window.webContents.reload();
    };
    const pause = crashes.add(Date.now());
    if (pause === undefined)
      void confirmed(window, {
        type: 'error',
        message: 'The page cannot be shown',
        detail: `It ended ${counted(crashes.count, 'time')} within a minute (${reason}). Runs go on meanwhile.`,
        no: 'Quit',
        yes: 'Show it again',
      }).then((again) => (again ? reload() : app.quit()));
    else setTimeout(reload, pause);
  });
}

/** For all contents, whoever makes them: no way off the app's pages, no further windows, no webviews. */
export function guardContents(contents: WebContents): void {
  const stay = (event: { readonly url: string; preventDefault(): void }): void => {
    if (!mayNavigate(event.url)) event.preventDefault();
  };
  contents.on('will-navigate', stay);
  contents.on('will-frame-navigate', stay);
  contents.on('will-redirect', stay);
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.setWindowOpenHandler(({ url }) => {
    void openExternally(url);
    return { action: 'deny' };
  });
}

async function openExternally(address: unknown): Promise<boolean> {
  if (!mayOpenExternally(address)) return false;
  await shell.openExternal(new URL(address).href);
  return true;
}

/** Denies by default, both what is asked for and what is only looked up. */
export function guardSession(session: Session): void {
  session.setPermissionRequestHandler((_contents, permission, answer, { requestingUrl }) =>
    answer(mayUse(permission, requestingUrl)),
  );
  session.setPermissionCheckHandler((_contents, permission, origin) => mayUse(permission, origin));
  session.setDevicePermissionHandler(() => false);
  // Exports are written by the lab; nothing else is to be downloaded.
  session.on('will-download', (event) => event.preventDefault());
}
