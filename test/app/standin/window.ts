/** Windows: each a window of Chromium. What a window manager would decide is decided here, and Chromium told. */
import { WebContents } from './contents.ts';
import { SCREEN } from './chromium.ts';
import { Emitter, eventOf } from './emitter.ts';
import { state } from './state.ts';

interface WindowEvents {
  'ready-to-show': [];
  close: [event: Electron.Event];
  closed: [];
}

type Rectangle = Electron.Rectangle;

const windows = new Set<BrowserWindow>();
let onCreated = (_contents: WebContents): void => {};
let onAllClosed = (): void => {};

/** What happens to all windows. */
export function watchWindows(created: (contents: WebContents) => void, allClosed: () => void): void {
  [onCreated, onAllClosed] = [created, allClosed];
}

/** Where a window lies that names no place: in the middle. */
const centred = (width: number, height: number): Rectangle => ({
  x: Math.max(0, Math.round((SCREEN.width - width) / 2)),
  y: Math.max(0, Math.round((SCREEN.height - height) / 2)),
  width,
  height,
});

export class BrowserWindow
  extends Emitter<WindowEvents>
  implements
    Pick<
      Electron.BrowserWindow,
      | 'loadURL'
      | 'show'
      | 'hide'
      | 'focus'
      | 'blur'
      | 'close'
      | 'destroy'
      | 'minimize'
      | 'restore'
      | 'maximize'
      | 'unmaximize'
      | 'setFullScreen'
      | 'isVisible'
      | 'isFocused'
      | 'isMinimized'
      | 'isMaximized'
      | 'isFullScreen'
      | 'isDestroyed'
      | 'getBounds'
      | 'getNormalBounds'
      | 'setBounds'
    >
{
  static getAllWindows(): BrowserWindow[] {
    return [...windows];
  }

  static fromWebContents(contents: object): BrowserWindow | null {
    return [...windows].find(({ webContents }) => webContents === contents) ?? null;
  }

  readonly webContents: WebContents;
  #normal: Rectangle;
  #look: 'normal' | 'minimized' | 'maximized' | 'fullscreen' = 'normal';
  #before: 'normal' | 'maximized' = 'normal';
  #visible = false;
  #destroyed = false;

  /** @param target a window that a page has opened already */
  constructor(options: Electron.BrowserWindowConstructorOptions = {}, target?: string) {
    super();
    const { x, y, width = 800, height = 600, webPreferences = {}, show = true } = options;
    const middle = centred(width, height);
    this.#normal = { width, height, x: x ?? middle.x, y: y ?? middle.y };
    windows.add(this);
    const contents = new WebContents(webPreferences, this.#normal, target);
    this.webContents = contents;
    contents.once('painted', () => this.emit('ready-to-show'));
    contents.on('destroyed', () => {
      // Chromium itself closed it.
      if (!this.#destroyed) this.emit('close', eventOf({}));
      this.#gone();
    });
    onCreated(contents);
    if (show) this.show();
  }

  loadURL(address: string): Promise<void> {
    return this.webContents.loadURL(address);
  }

  show(): void {
    this.#visible = true;
    this.focus();
  }

  hide(): void {
    this.#visible = false;
    this.blur();
  }

  focus(): void {
    if (!this.#visible) return;
    takeFocus(this);
    void this.#tell('Page.bringToFront');
  }

  blur(): void {
    if (focused === this) focused = undefined;
  }

  /** As a click on its cross: who listens may keep it open. */
  close(): void {
    const event = eventOf({});
    this.emit('close', event);
    if (!event.defaultPrevented) this.destroy();
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.webContents.close();
    this.#gone();
  }

  minimize(): void {
    if (this.#look !== 'minimized') this.#before = this.#look === 'maximized' ? 'maximized' : 'normal';
    this.blur();
    this.#become('minimized');
  }

  restore(): void {
    if (this.#look === 'minimized') this.#become(this.#before);
    else this.unmaximize();
  }

  maximize(): void {
    this.#visible = true;
    this.#become('maximized');
  }

  unmaximize(): void {
    if (this.#look === 'maximized') this.#become('normal');
  }

  setFullScreen(full: boolean): void {
    this.#become(full ? 'fullscreen' : 'normal');
  }

  isVisible(): boolean {
    return this.#visible && this.#look !== 'minimized';
  }

  isFocused(): boolean {
    return focused === this && this.isVisible();
  }

  isMinimized(): boolean {
    return this.#look === 'minimized';
  }

  isMaximized(): boolean {
    return this.#look === 'maximized';
  }

  isFullScreen(): boolean {
    return this.#look === 'fullscreen';
  }

  isDestroyed(): boolean {
    return this.#destroyed;
  }

  getBounds(): Rectangle {
    return this.#look === 'normal' ? { ...this.#normal } : { ...SCREEN };
  }

  getNormalBounds(): Rectangle {
    return { ...this.#normal };
  }

  setBounds(bounds: Partial<Rectangle>): void {
    this.#normal = { ...this.#normal, ...bounds };
    if (this.#look === 'normal') this.#become('normal');
  }

  #become(look: 'normal' | 'minimized' | 'maximized' | 'fullscreen'): void {
    this.#look = look;
    const { x, y, width, height } = this.#normal;
    void this.#place({ windowState: 'normal' }).then(() =>
      this.#place(look === 'normal' ? { left: x, top: y, width, height } : { windowState: look }),
    );
  }

  async #place(bounds: object): Promise<void> {
    await this.webContents.ready;
    const { target: targetId } = this.webContents;
    const { windowId } = await state.chromium.send('Browser.getWindowForTarget', { targetId }).catch(() => ({}));
    if (windowId !== undefined)
      await state.chromium.send('Browser.setWindowBounds', { windowId, bounds }).catch(() => {});
  }

  async #tell(method: string): Promise<void> {
    await this.webContents.ready;
    state.chromium.tell(method, {}, this.webContents.session);
  }

  #gone(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.blur();
    windows.delete(this);
    this.webContents.gone();
    this.emit('closed');
    if (windows.size === 0) onAllClosed();
  }
}

let focused: BrowserWindow | undefined;
function takeFocus(window: BrowserWindow): void {
  focused = window;
}

/** Where the keyboard goes. */
export const focusedWindow = (): BrowserWindow | undefined => focused;
