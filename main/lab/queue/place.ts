/**
 * A place where runs train: this machine (`local.ts`); a cluster or another machine can be one, too. The queue knows order, pauses and
 * endings; a place knows what fits beside what, how a run is begun there, and what an end leaves behind.
 */
import type { EngineMessage } from '../../../preload/contract/engine.ts';
import type { RunOrigin, RunProgress, RunRecord } from '../../../preload/contract/runs.ts';

/** What a run gets of its place. */
export interface Slot {
  /** Which device, where there are several of a kind (`cuda:1`); null leaves the choice to the run's own settings. */
  readonly device: string | null;
}

/**
 * A process that is given one of several cards sees that one alone: it cannot take memory of another. Cards are counted as nvidia-smi does. One that
 * is the only visible one already, by whatever name, stays it: parts of cards have no number.
 */
export function cardEnv({ device }: Slot, visible = process.env.CUDA_VISIBLE_DEVICES): Record<string, string> {
  const number = /^cuda:(\d+)$/u.exec(device ?? '')?.[1];
  if (number === undefined) return {};
  const alone = visible !== undefined && /^[^,]+$/u.test(visible.trim());
  return { CUDA_DEVICE_ORDER: 'PCI_BUS_ID', CUDA_VISIBLE_DEVICES: alone ? visible : number };
}

/** A run that is next, or in training. */
export interface Candidate {
  readonly run: RunRecord;
  /** At most so many runs on its device while it trains; Infinity: any number. */
  readonly limit: number;
}

export interface Occupant extends Candidate {
  readonly slot: Slot;
}

/** How training came to its end. */
export interface Ending {
  readonly state: 'finished' | 'failed' | 'stopped';
  /** For people: recorded with the run. */
  readonly reason: string;
  /** The last numbers, where there was a last word. */
  readonly progress?: RunProgress;
}

/** A run in training. Everything about it but its end is written into the database by the place. */
export interface Training {
  /** Resolves, and never rejects, when nothing more comes of it and all of it is written, or waiting for that was given up. */
  readonly ended: Promise<void>;
  /** Writes what is left and says how the run ended. @throws StoreError when that cannot be written; asked again then */
  conclude(): Ending;
  /** Ends it after the step in progress. `urgent` leaves the last evaluation out. Safe to call again, to make it urgent. */
  stop(reason: string, urgent?: boolean): void;
  /** Ends it at once; it continues from its last checkpoint. What the disk has not taken by now is not waited for. */
  kill(reason: string): void;
}

export interface Place {
  /** Kept with the runs that were begun there. */
  readonly name: string;
  /** The runs that it can train. */
  readonly origins: readonly RunOrigin[];
  /** Runs at a time. */
  places: number;
  /**
   * Where the next run can begin beside those in training; undefined: it must wait. `before` are runs whose turn it was and that have to
   * wait: nothing begins where one of them could.
   */
  room(next: Candidate, training: readonly Occupant[], before?: readonly Candidate[]): Slot | undefined;
  /** Trains a claimed run. */
  begin(run: RunRecord, slot: Slot, onMessage: (message: EngineMessage) => void): Training;
}
