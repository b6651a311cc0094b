/** What the desktop app gives to its pages: the keys of `window.sweeplab`, exactly these, and the messages around them. */

export interface FileChoice {
  /** A name to begin with; a folder before it is not taken. */
  readonly name: string;
  readonly filters?: readonly { readonly name: string; readonly extensions: readonly string[] }[];
}

/** What became of a file: written at `path`, not written for the reason in words, or null when nothing was chosen. */
export type SaveAnswer = { readonly path: string } | { readonly problem: string } | null;

export interface Bridge {
  /**
   * Asks for a connection to the lab. It comes as a `message` event of the window with data {@link PortArrival} of the same token and
   * one port: a port can be handed to a page in no other way. Each call makes a connection of its own.
   */
  connect(token: string): void;
  /** Asks where to save `content` and writes it there, whole or not at all. */
  saveFile(choice: FileChoice, content: Uint8Array): Promise<SaveAnswer>;
  /** Asks where the lab may write a file; the path may then be given to one call that exports. Null when nothing was chosen. */
  chooseFile(choice: FileChoice): Promise<string | null>;
  /** Shows a file that was saved or exported in the system's file manager; false for any other, and for one that is gone. */
  showFile(path: string): Promise<boolean>;
}

/** The name of the bridge in the window. */
export const BRIDGE = 'sweeplab';
export const BRIDGE_KEYS = ['connect', 'saveFile', 'chooseFile', 'showFile'] as const;

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
/** A sweep file that the system asked to open. */
export interface OpenArrival {
  readonly type: 'sweeplab:open';
  /** Of the file, without its folder. */
  readonly name: string;
  readonly text: string;
}
export type Arrival = PortArrival | CommandArrival | PathArrival | OpenArrival;

/** Channels between the preload script and the main process. */
export const CHANNELS = {
  connect: 'sweeplab:connect',
  port: 'sweeplab:port',
  saveFile: 'sweeplab:save-file',
  chooseFile: 'sweeplab:choose-file',
  showFile: 'sweeplab:show-file',
  arrival: 'sweeplab:arrival',
} as const;
