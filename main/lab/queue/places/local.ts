/** This machine: one engine process per run. */
import type { EngineMessage } from '../../../../preload/contract/engine.ts';
import type { RunOrigin, RunRecord } from '../../../../preload/contract/runs.ts';
import { LOCAL } from '../../../store/index.ts';
import type { Store } from '../../../store/index.ts';
import type { LaunchEngine } from '../engine.ts';
import { trainRun } from '../train.ts';
import type { TrainFolders } from '../train.ts';
import type { Candidate, Occupant, Place, Slot, Training } from '../place.ts';

export interface LocalPlaceOptions {
  readonly store: Store;
  readonly launch: LaunchEngine;
  readonly folders: TrainFolders;
  readonly plugins?: readonly string[];
  readonly codeVersion?: string;
  readonly places: number;
  /** Devices that take runs beside one another, each with room of its own. Default: the one that the settings of a run choose. */
  readonly devices?: readonly (string | null)[];
  /** Milliseconds that an engine gets to stop by itself. */
  readonly patience?: number;
}

export class LocalPlace implements Place {
  readonly name = LOCAL;
  readonly origins: readonly RunOrigin[] = ['sweeplab'];
  readonly #options: LocalPlaceOptions;
  #places = 1;

  constructor(options: LocalPlaceOptions) {
    this.#options = options;
    this.places = options.places;
  }

  get places(): number {
    return this.#places;
  }

  set places(places: number) {
    this.#places = Math.max(1, Math.floor(places));
  }

  /**
   * The emptiest device. Every run has its limit kept, not only the next one: where a run trains that leaves no room for others, a small
   * run of another sweep does not begin beside it either.
   */
  room({ limit }: Candidate, training: readonly Occupant[]): Slot | undefined {
    if (training.length >= this.#places) return undefined;
    const { devices = [null] } = this.#options;
    const free = devices
      .map((device) => ({ device, beside: training.filter(({ slot }) => slot.device === device) }))
      .filter(({ beside }) => beside.length < Math.min(limit, ...beside.map((other) => other.limit)))
      .toSorted((a, b) => a.beside.length - b.beside.length);
    return free.length === 0 ? undefined : { device: free[0].device };
  }

  begin(run: RunRecord, slot: Slot, onMessage: (message: EngineMessage) => void): Training {
    const { store, launch, folders, plugins = [], codeVersion = '', patience } = this.#options;
    return trainRun({ store, run, slot, launch, folders, plugins, codeVersion, onMessage, patience });
  }
}
