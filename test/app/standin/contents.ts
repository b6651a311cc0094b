/** Pages of Chromium as web contents: the preload script in its own world, frames, navigation, windows they open. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Emitter, eventOf } from './emitter.ts';
import { ownAddress, schemeOf, shownAddress } from './addresses.ts';
import { state } from './state.ts';
import { makeWire } from './wire.ts';
import { MessagePortMain } from './ports.ts';

const { pack } = makeWire();
/** The one function of a module, as text. */
const source = (name: string): string => {
  const text = readFileSync(new URL(`page/${name}.js`, import.meta.url), 'utf8');
  return text.slice(text.indexOf('export default ') + 'export default '.length).replace(/;\s*$/u, '');
};
const MAIN_WORLD = source('main');
const OWN_WORLD = source('preload');
const WORLD = 'Electron Isolated Context';

let nextPort = 1;
let nextContents = 1;
const all = new Set<WebContents>();

/** What the preload script's world says. */
export interface Said {
  readonly kind: 'send' | 'invoke' | 'port' | 'portClosed' | 'key' | 'preloadError';
  readonly id: number;
  readonly channel: string;
  readonly values: string;
  readonly value: string;
  readonly message: string;
  readonly stack: string;
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
}

/** A frame with the preload script's world in it; that world ends with the document. */
export class WebFrameMain implements Pick<Electron.WebFrameMain, 'url' | 'parent' | 'postMessage'> {
  readonly #contents: WebContents;
  readonly id: string;
  shown = '';
  /** Of the preload script's world. */
  world: number | undefined;
  readonly #parent: string | undefined;
  readonly ports = new Map<number, MessagePortMain>();

  constructor(contents: WebContents, id: string, parent?: string) {
    this.#contents = contents;
    this.id = id;
    this.#parent = parent;
  }

  get url(): string {
    return ownAddress(this.shown);
  }

  get parent(): Electron.WebFrameMain | null {
    const parent = this.#parent === undefined ? undefined : this.#contents.frames.get(this.#parent);
    return (parent as unknown as Electron.WebFrameMain) ?? null;
  }

  postMessage(channel: string, message: unknown, transfer: readonly unknown[] = []): void {
    this.message(channel, [message], transfer);
  }

  message(channel: string, values: readonly unknown[], transfer: readonly unknown[] = []): void {
    const packed = pack(values);
    const ports = transfer.map((port) => {
      if (!(port instanceof MessagePortMain)) throw new TypeError('Invalid value for transfer');
      const id = nextPort++;
      this.ports.set(id, port);
      return { id, port };
    });
    this.tell({ kind: 'message', channel, values: packed, ports: ports.map(({ id }) => id) });
    // What was posted to it before comes now.
    for (const { id, port } of ports)
      port.handOver({
        post: (text) => this.tell({ kind: 'port', id, value: text }),
        close: () => this.tell({ kind: 'portClosed', id }),
      });
  }

  /** Into the preload script's world; nobody hears it where there is none. */
  tell(told: object): void {
    if (this.world === undefined) return;
    const call = `globalThis[${JSON.stringify(`${this.#contents.secret}hear`)}](${JSON.stringify(told)})`;
    state.chromium.tell('Runtime.evaluate', { expression: call, contextId: this.world }, this.#contents.session);
  }

  /** Its document is gone, and with it the other ends of its ports. */
  ended(): void {
    this.world = undefined;
    for (const port of this.ports.values()) port.otherEndGone();
    this.ports.clear();
  }
}

interface Navigation {
  readonly url: string;
  readonly isSameDocument: boolean;
  readonly isMainFrame: boolean;
}

interface ContentsEvents {
  'will-navigate': [event: Navigation & Electron.Event<Navigation>, url: string];
  'will-frame-navigate': [event: Navigation & Electron.Event<Navigation>];
  'will-redirect': [event: Navigation & Electron.Event<Navigation>, url: string];
  /** Never: pages have no webviews here. */
  'will-attach-webview': [event: Electron.Event];
  'did-finish-load': [];
  'preload-error': [event: Electron.Event, path: string, error: Error];
  'render-process-gone': [event: Electron.Event, details: Electron.RenderProcessGoneDetails];
  destroyed: [];
  /** Of this stand-in: it has drawn something. */
  painted: [];
}

interface Popup {
  readonly opener: WebContents;
  readonly action: 'allow' | 'deny';
}

/** What pages asked to open, and the windows that came of it: the two are told in either order. */
class Popups {
  readonly #decided: Popup[] = [];
  readonly #windows: ((popup: Popup) => void)[] = [];

  decide(popup: Popup): void {
    const window = this.#windows.shift();
    if (window === undefined) this.#decided.push(popup);
    else window(popup);
  }

  /** Undefined for a window that no page has opened. */
  async next(): Promise<Popup | undefined> {
    const decided = this.#decided.shift();
    if (decided !== undefined) return decided;
    return await new Promise((resolve) => {
      const give = (popup?: Popup): void => {
        clearTimeout(timer);
        resolve(popup);
      };
      const timer = setTimeout(() => {
        this.#windows.splice(this.#windows.indexOf(give), 1);
        resolve(undefined);
      }, 1000);
      this.#windows.push(give);
    });
  }
}

export const popups = new Popups();

type OpenHandler = (details: Electron.HandlerDetails) => { action: 'deny' } | { action: 'allow' };

/** A rectangle of the screen for a new window. */
export interface Place {
  readonly x?: number;
  readonly y?: number;
  readonly width: number;
  readonly height: number;
}

export class WebContents
  extends Emitter<ContentsEvents>
  implements
    Pick<
      Electron.WebContents,
      | 'id'
      | 'getType'
      | 'getURL'
      | 'send'
      | 'loadURL'
      | 'reload'
      | 'isCrashed'
      | 'isDestroyed'
      | 'forcefullyCrashRenderer'
    >
{
  readonly id = nextContents++;
  readonly secret = `standin${randomBytes(12).toString('hex')}`;
  readonly frames = new Map<string, WebFrameMain>();
  readonly ready: Promise<void>;
  target = '';
  session = '';
  readonly #preferences: Electron.WebPreferences;
  #open: OpenHandler = () => ({ action: 'allow' });
  #crashed = false;
  #destroyed = false;
  /** Addresses that this process asked for: nobody is asked about those. */
  readonly #asked = new Set<string>();

  /** @param target of a window that a page opened */
  constructor(preferences: Electron.WebPreferences, place?: Place, target?: string) {
    super();
    this.#preferences = preferences;
    all.add(this);
    this.ready = state.started.then(async () => {
      this.target = target ?? (await this.#newTarget(place));
      await this.#attach();
    });
    this.ready.catch(() => {});
  }

  getType(): 'window' {
    return 'window';
  }

  get mainFrame(): WebFrameMain | undefined {
    return this.frames.get(this.target);
  }

  getURL(): string {
    return this.mainFrame?.url ?? '';
  }

  getLastWebPreferences(): Electron.WebPreferences {
    return this.#preferences;
  }

  isCrashed(): boolean {
    return this.#crashed;
  }

  isDestroyed(): boolean {
    return this.#destroyed;
  }

  send(channel: string, ...values: unknown[]): void {
    this.mainFrame?.message(channel, values);
  }

  setWindowOpenHandler(handler: OpenHandler): void {
    this.#open = handler;
  }

  async loadURL(address: string): Promise<void> {
    await this.ready;
    const loaded = new Promise<void>((resolve) => this.once('did-finish-load', resolve));
    const shown = shownAddress(address);
    this.#asked.add(shown);
    await state.permissionsFor(shown);
    const { errorText } = await state.chromium.send('Page.navigate', { url: shown }, this.session);
    this.#asked.delete(shown);
    if (errorText !== undefined) throw new Error(`${errorText} loading '${address}'`);
    await loaded;
  }

  reload(): void {
    const shown = this.mainFrame?.shown ?? '';
    this.#asked.add(shown);
    this.#crashed = false;
    void state.chromium
      .send('Page.reload', {}, this.session)
      .catch(() => {})
      .finally(() => this.#asked.delete(shown));
  }

  forcefullyCrashRenderer(): void {
    state.chromium.tell('Page.crash', {}, this.session);
  }

  /** Asks the app about a document that a frame is to show. @returns whether it may */
  mayShow(frame: string, shown: string, redirected: boolean): boolean {
    const url = ownAddress(shown);
    const isMainFrame = frame === this.target;
    const event = eventOf({ url, isSameDocument: false, isMainFrame });
    if (redirected) this.emit('will-redirect', event, url);
    else if (!isMainFrame || !this.#asked.has(shown)) {
      if (isMainFrame) this.emit('will-navigate', event, url);
      this.emit('will-frame-navigate', event);
    }
    return !event.defaultPrevented;
  }

  colorScheme(scheme: string): void {
    const features = [{ name: 'prefers-color-scheme', value: scheme }];
    void this.ready.then(() => state.chromium.tell('Emulation.setEmulatedMedia', { features }, this.session));
  }

  close(): void {
    void this.ready.then(() => state.chromium.tell('Target.closeTarget', { targetId: this.target }));
  }

  gone(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    all.delete(this);
    for (const frame of this.frames.values()) frame.ended();
    this.emit('destroyed');
  }

  async #newTarget({ x, y, width, height }: Place = { width: 800, height: 600 }): Promise<string> {
    state.creating++;
    const { targetId } = await state.chromium.send('Target.createTarget', {
      url: 'about:blank',
      newWindow: true,
      width,
      height,
      ...(x !== undefined && y !== undefined && { left: x, top: y }),
    });
    return targetId as string;
  }

  async #attach(): Promise<void> {
    const { chromium } = state;
    const { sessionId } = await chromium.send('Target.attachToTarget', { targetId: this.target, flatten: true });
    this.session = sessionId;
    this.frames.set(this.target, new WebFrameMain(this, this.target));
    const isolated = this.#preferences.contextIsolation !== false;
    const world = isolated ? WORLD : undefined;
    const scripts = [
      ...(isolated ? [[`(${MAIN_WORLD})(${JSON.stringify(this.secret)});`, undefined] as const] : []),
      [this.#preloadScript(isolated), world] as const,
    ];
    await Promise.all([
      ...['Page.enable', 'Runtime.enable', 'Inspector.enable'].map((method) => chromium.send(method, {}, this.session)),
      chromium.send('Page.setLifecycleEventsEnabled', { enabled: true }, this.session),
      chromium.send('Runtime.addBinding', { name: this.secret, executionContextName: world }, this.session),
      ...scripts.map(([text, worldName]) =>
        chromium.send('Page.addScriptToEvaluateOnNewDocument', { source: text, worldName }, this.session),
      ),
      ...(state.bypassesPolicy() ? [chromium.send('Page.setBypassCSP', { enabled: true }, this.session)] : []),
    ]);
    if (state.colorScheme !== undefined) this.colorScheme(state.colorScheme);
  }

  #preloadScript(isolated: boolean): string {
    const { preload, nodeIntegrationInSubFrames: everywhere = false } = this.#preferences;
    const options = { isolated, everywhere, platform: process.platform };
    return `(${OWN_WORLD})(${JSON.stringify(this.secret)}, (${makeWire})(), ${JSON.stringify(options)}, ${this.#preload(preload)});`;
  }

  /** As a function's text. A script that is not there leaves the page without a bridge, and says so in its console. */
  #preload(path: string | undefined): string {
    if (path === undefined) return 'undefined';
    try {
      return `(require, module, exports, process) => {${readFileSync(path, 'utf8')}\n}`;
    } catch (error) {
      queueMicrotask(() => this.emit('preload-error', eventOf({}), path, error as Error));
      const words = JSON.stringify(`Unable to load preload script: ${path}\n${(error as Error).message}`);
      return `() => console.error(${words})`;
    }
  }

  /** What DevTools say of this page. */
  // oxlint-disable-next-line typescript/no-explicit-any
  hear(method: string, told: any): void {
    switch (method) {
      case 'Page.frameAttached':
        this.frames.set(told.frameId, new WebFrameMain(this, told.frameId, told.parentFrameId));
        return;
      case 'Page.frameDetached':
        this.frames.get(told.frameId)?.ended();
        this.frames.delete(told.frameId);
        return;
      case 'Page.frameNavigated': {
        const frame = this.frames.get(told.frame.id);
        if (frame !== undefined) frame.shown = `${told.frame.url}${told.frame.urlFragment ?? ''}`;
        return;
      }
      case 'Page.navigatedWithinDocument': {
        const frame = this.frames.get(told.frameId);
        if (frame !== undefined) frame.shown = told.url;
        return;
      }
      case 'Page.lifecycleEvent':
        if (told.name === 'firstPaint' && told.frameId === this.target) this.emit('painted');
        return;
      case 'Page.loadEventFired':
        this.#crashed = false;
        this.emit('did-finish-load');
        return;
      case 'Page.windowOpen':
        popups.decide({
          opener: this,
          ...this.#open({ url: ownAddress(told.url), frameName: told.windowName } as Electron.HandlerDetails),
        });
        return;
      case 'Inspector.targetCrashed':
        this.#crashed = true;
        for (const frame of this.frames.values()) frame.ended();
        this.emit('render-process-gone', eventOf({}), { reason: 'crashed', exitCode: 5 });
        return;
      case 'Runtime.executionContextCreated': {
        const { id, name, auxData } = told.context;
        const isolated = this.#preferences.contextIsolation !== false;
        if (isolated ? name !== WORLD : auxData.isDefault !== true) return;
        const frame = this.frames.get(auxData.frameId);
        frame?.ended();
        if (frame !== undefined) frame.world = id;
        return;
      }
      case 'Runtime.executionContextDestroyed':
        for (const frame of this.frames.values()) if (frame.world === told.executionContextId) frame.ended();
        return;
      case 'Runtime.executionContextsCleared':
        for (const frame of this.frames.values()) frame.ended();
        return;
      case 'Runtime.bindingCalled':
        if (told.name === this.secret) this.#said(told.executionContextId, JSON.parse(told.payload) as Said);
        return;
    }
  }

  #said(world: number, said: Said): void {
    const frame = [...this.frames.values()].find((each) => each.world === world);
    switch (said.kind) {
      case 'port':
        frame?.ports.get(said.id)?.fromPage(said.value);
        return;
      case 'portClosed':
        frame?.ports.get(said.id)?.otherEndGone();
        frame?.ports.delete(said.id);
        return;
      case 'preloadError': {
        const path = this.#preferences.preload ?? '';
        console.error(`Unable to load preload script: ${path}\n${said.stack}`);
        this.emit('preload-error', eventOf({}), path, new Error(said.message));
        return;
      }
      default:
        hearing?.(this, frame ?? null, said);
    }
  }
}

type Hearing = (contents: WebContents, frame: WebFrameMain | null, said: Said) => void;
let hearing: Hearing | undefined;

/** Who takes what preload scripts say. */
export function hearPages(listener: Hearing): void {
  hearing = listener;
}

export const allContents = (): WebContents[] => [...all];

/** Whose page a frame belongs to. */
export const contentsOf = (frame: string): WebContents | undefined =>
  allContents().find(({ frames }) => frames.has(frame));

/** Whether an address is one that a page of the app may fetch by scripts. */
export const mayFetch = (shown: string): boolean => schemeOf(shown)?.privileges.supportFetchAPI === true;
