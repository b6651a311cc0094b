/** The one session: what pages may do, what they download, what answers the app's scheme. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { contentsOf } from './contents.ts';
import type { WebContents } from './contents.ts';
import { Emitter, eventOf } from './emitter.ts';
import { ownAddress, schemeOf } from './addresses.ts';
import { handleScheme } from './network.ts';
import { state } from './state.ts';

/** Electron's names of what Chromium asks for, by Chromium's. */
const PERMISSIONS: readonly (readonly [chromium: string, electron: string])[] = [
  ['geolocation', 'geolocation'],
  ['notifications', 'notifications'],
  ['midi', 'midi'],
  ['camera', 'media'],
  ['microphone', 'media'],
  ['clipboard-read', 'clipboard-read'],
  ['clipboard-write', 'clipboard-sanitized-write'],
  ['idle-detection', 'idle-detection'],
  ['local-fonts', 'local-fonts'],
  ['window-management', 'window-management'],
  ['persistent-storage', 'persistent-storage'],
  ['screen-wake-lock', 'screen-wake-lock'],
];

type Ask = (
  contents: Electron.WebContents,
  permission: string,
  answer: (granted: boolean) => void,
  details: { requestingUrl: string; isMainFrame: boolean },
) => void;
type Check = (
  contents: Electron.WebContents | null,
  permission: string,
  origin: string,
  details: { requestingUrl: string; isMainFrame: boolean },
) => boolean;

interface SessionEvents {
  'will-download': [event: Electron.Event, item: DownloadItem, contents: WebContents];
}

/** Said of a download; whoever wants it elsewhere than in a dialog is not served here. */
export class DownloadItem implements Pick<Electron.DownloadItem, 'getURL' | 'getFilename' | 'cancel'> {
  readonly #url: string;
  readonly #name: string;
  readonly #cancel: () => void;

  constructor(url: string, name: string, cancel: () => void) {
    [this.#url, this.#name, this.#cancel] = [url, name, cancel];
  }

  getURL(): string {
    return this.#url;
  }

  getFilename(): string {
    return this.#name;
  }

  cancel(): void {
    this.#cancel();
  }
}

export class Session extends Emitter<SessionEvents> {
  readonly protocol = { handle: handleScheme };
  #ask: Ask | undefined;
  #check: Check | undefined;

  setPermissionRequestHandler(handler: Ask): void {
    this.#ask = handler;
  }

  setPermissionCheckHandler(handler: Check): void {
    this.#check = handler;
  }

  /** Devices are chosen in a window of Chromium that is not here: no page is offered one. */
  setDevicePermissionHandler(_handler: (details: Electron.DevicePermissionHandlerHandlerDetails) => boolean): void {}

  /** Both handlers are asked about everything before the first page of an origin is shown: Chromium asks for nothing afterwards. */
  async permissionsFor(shown: string): Promise<void> {
    if (schemeOf(shown) === undefined) return;
    const { origin } = new URL(shown);
    const requestingUrl = ownAddress(shown);
    const own = `${ownAddress(origin)}/`;
    const details = { requestingUrl, isMainFrame: true };
    await Promise.all(
      PERMISSIONS.map(async ([name, permission]) => {
        const contents = {} as Electron.WebContents;
        const ask = this.#ask;
        const granted =
          ask === undefined || (await new Promise<boolean>((resolve) => ask(contents, permission, resolve, details)));
        const setting = granted && (this.#check?.(contents, permission, own, details) ?? true) ? 'granted' : 'denied';
        await state.chromium.send('Browser.setPermission', { permission: { name }, setting, origin });
      }),
    );
  }

  async watchDownloads(): Promise<void> {
    const { chromium } = state;
    const folder = join(state.userData, 'standin-downloads');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    chromium.on('Browser.downloadWillBegin', ({ frameId, guid, url, suggestedFilename }) => {
      const cancel = (): void => chromium.tell('Browser.cancelDownload', { guid });
      const event = eventOf({});
      const item = new DownloadItem(ownAddress(url), suggestedFilename, cancel);
      this.emit('will-download', event, item, contentsOf(frameId)!);
      if (event.defaultPrevented) cancel();
    });
    await chromium.send('Browser.setDownloadBehavior', {
      behavior: 'allowAndName',
      downloadPath: folder,
      eventsEnabled: true,
    });
  }
}
