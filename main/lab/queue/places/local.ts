/** This machine: one process per run, an engine or a program. */
import type { EngineMessage } from '../../../../preload/contract/engine.ts';
import type { RunOrigin, RunRecord } from '../../../../preload/contract/runs.ts';
import { STARTED_HERE } from '../../../../preload/shared/origin.ts';
import { LOCAL } from '../../../store/index.ts';
import type { Store } from '../../../store/index.ts';
import type { LaunchEngine } from '../engine.ts';
import { trainRun } from '../train.ts';
import type { TrainFolders } from '../train.ts';
import type { Candidate, Occupant, Place, Slot, Training } from '../place.ts';
import { devicesOf, NO_CARDS } from './cards.ts';
import type { Cards } from './cards.ts';

export interface LocalPlaceOptions {
  readonly store: Store;
  readonly launch: LaunchEngine;
  readonly folders: TrainFolders;
  readonly plugins?: readonly string[];
  readonly codeVersion?: string;
  readonly places: number;
  /** The cards of this machine. Default: runs train where their settings say, and nobody cares which. */
  readonly cards?: Cards;
  /** Milliseconds that an engine gets to stop by itself. */
  readonly patience?: number;
  /** Begins runs of programs. Without it none is taken. */
  readonly programs?: ProgramStarter;
}

export interface ProgramStarter {
  start(run: RunRecord, slot: Slot, onMessage: (message: EngineMessage) => void): Training;
}

export class LocalPlace implements Place {
  readonly name = LOCAL;
  readonly origins: readonly RunOrigin[];
  readonly #options: LocalPlaceOptions;
  #places = 1;

  constructor(options: LocalPlaceOptions) {
    this.#options = options;
    this.origins = options.programs === undefined ? ['sweeplab'] : STARTED_HERE;
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
   * run of another sweep does not begin beside it either. Places are shared out evenly among cards: no card gets a second run while there
   * are no more places than cards.
   */
  room(next: Candidate, training: readonly Occupant[], before: readonly Candidate[] = []): Slot | undefined {
    const { cards = NO_CARDS } = this.#options;
    const onCards = next.run.origin === 'program' && cards.all.length > 0;
    // How many runs the processor carries says nothing of programs with a card each.
    if (training.length >= (onCards ? Math.max(this.#places, cards.all.length) : this.#places)) return undefined;
    const awaited = new Set(before.flatMap(({ run }) => devicesOf(run, cards)));
    const onEach = Math.ceil(this.#places / Math.max(1, cards.all.length));
    const free = devicesOf(next.run, cards)
      .filter((device) => !awaited.has(device))
      .map((device) => ({ device, beside: training.filter(({ slot }) => slot.device === device) }))
      .filter(({ device, beside }) => {
        const most = Math.min(...[next, ...beside].map(limitOf));
        return beside.length < (device === null ? most : Math.min(most, onEach));
      })
      .toSorted((a, b) => a.beside.length - b.beside.length);
    return free.length === 0 ? undefined : { device: free[0].device };
  }

  begin(run: RunRecord, slot: Slot, onMessage: (message: EngineMessage) => void): Training {
    const { store, launch, folders, plugins = [], codeVersion = '', patience, programs } = this.#options;
    if (run.origin === 'program' && programs !== undefined) return programs.start(run, slot, onMessage);
    return trainRun({ store, run, slot, launch, folders, plugins, codeVersion, onMessage, patience });
  }
}

/** Nobody knows what a program needs: it has its device to itself, where its sweep does not say otherwise. */
const limitOf = ({ run, limit }: Candidate): number => (run.origin === 'program' && limit === Infinity ? 1 : limit);
