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
  /** Begins runs of programs. Without it none is taken. */
  readonly programs?: ProgramStarter;
}

export interface ProgramStarter {
  /** Cards of this machine, each of which takes one program (`cuda:0`); none: programs run on the processor, one at a time. */
  readonly cards: readonly string[];
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
   * run of another sweep does not begin beside it either.
   */
  room(next: Candidate, training: readonly Occupant[]): Slot | undefined {
    const { devices = [null], programs } = this.#options;
    const cards = programs?.cards ?? [];
    const onCards = next.run.origin === 'program' && cards.length > 0;
    // How many runs the processor carries says nothing of programs with a card each.
    if (training.length >= (onCards ? Math.max(this.#places, cards.length) : this.#places)) return undefined;
    const own = onCards ? cards : devices;
    // What nobody has given a card takes the first.
    const placeOf = (device: string | null): string | null => device ?? cards[0] ?? null;
    const free = own
      .map((device) => ({ device, beside: training.filter(({ slot }) => placeOf(slot.device) === placeOf(device)) }))
      .filter(({ beside }) => beside.length < Math.min(...[next, ...beside].map(limitOf)))
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
