/** What the steps of the app (appSteps.ts) need of that which shows it. */
import type { Page } from 'playwright-core';
import type { Complaints } from '../harness.ts';

export interface AppHost {
  /** In the titles of tests. */
  readonly name: string;
  /** Whether pages come and go while the lab lives on, and further ones are let in. The desktop app has one window, and ends with it. */
  readonly opensWindows: boolean;
  readonly complaints: Complaints;
  /** Starts it. @returns its page, once its frame is there */
  begin(): Promise<Page>;
  end(): Promise<void>;
  /** Processes of the engines, by their runs. */
  engines(): Map<string, number>;
  /** The file that somebody gets who does this. */
  saved(action: () => Promise<void>): Promise<SavedFile>;
  /** Ends the lab as a power failure would, until it is back. @param meanwhile where it stays away for as long */
  crash(meanwhile: () => Promise<void>): Promise<void>;
  /** A page of a browser that knows nothing of the app; its context is its own. */
  newPage(): Promise<Page>;
}

export interface SavedFile {
  readonly name: string;
  readonly bytes: Buffer;
}
