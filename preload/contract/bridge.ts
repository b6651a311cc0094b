/** What the desktop app gives to its pages: the keys of `window.sweeplab`, exactly these, and the messages around them. */

export interface FileChoice {
  readonly title?: string;
  /** A name to begin with; a folder before it is not taken. */
  readonly name?: string;
  readonly filters?: readonly { readonly name: string; readonly extensions: readonly string[] }[];
}

/** A file that someone picked. Pages cannot read others. */
export interface PickedFile {
  readonly name: string;
  readonly text: string;
}

export interface Bridge {
  /**
   * Asks for a connection to the lab. It comes as a `message` event of the window with data {@link PortArrival} of the same token and
   * one port: a port can be handed to a page in no other way. Each call makes a connection of its own.
   */
  connect(token: string): void;
  /** Null when nothing was chosen. @throws Error when the file is too large or cannot be read */
  pickFile(choice?: FileChoice): Promise<PickedFile | null>;
  /** Asks where to save; the path may then be given to `export.csv` once. Null when nothing was chosen. */
  saveFile(choice?: FileChoice): Promise<string | null>;
  /** Opens an https address in the system's browser; false when that is not allowed. */
  openExternal(address: string): Promise<boolean>;
  /** A notification of the system; a click brings the window to the front and, with a path, to that view. */
  notify(title: string, body: string, path?: string): void;
  /** `linux`, `darwin`, `win32`. */
  readonly platform: string;
}

/** The name of the bridge in the window. */
export const BRIDGE = 'sweeplab';
export const BRIDGE_KEYS = ['connect', 'pickFile', 'saveFile', 'openExternal', 'notify', 'platform'] as const;

/** Data of `message` events that the preload script sends to its page. */
export interface PortArrival {
  readonly type: 'sweeplab:port';
  readonly token: string;
}
/** A command of the registry, chosen in the menu. */
export interface CommandArrival {
  readonly type: 'sweeplab:command';
  readonly id: string;
}
/** A view to show: the part of the address after `#`. */
export interface PathArrival {
  readonly type: 'sweeplab:path';
  readonly path: string;
}
export type Arrival = PortArrival | CommandArrival | PathArrival;

/** Channels between the preload script and the main process. */
export const CHANNELS = {
  connect: 'sweeplab:connect',
  port: 'sweeplab:port',
  pickFile: 'sweeplab:pick-file',
  saveFile: 'sweeplab:save-file',
  openExternal: 'sweeplab:open-external',
  notify: 'sweeplab:notify',
  arrival: 'sweeplab:arrival',
} as const;
