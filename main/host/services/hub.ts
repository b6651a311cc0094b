/** What the handlers of all routes work with. */
import type { Output, Parsed, RouteName } from '../../../preload/contract/api.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import type { CheckProgress, ListedSweep, Notice } from '../../../preload/contract/shapes.ts';
import type { RunQueue } from '../../lab/queue/queue.ts';
import { fastestFor } from '../../lab/fit/index.ts';
import type { FitDevice } from '../../lab/fit/index.ts';
import { resolveValues } from '../../lab/settings/index.ts';
import type { SettingsRegistry } from '../../lab/settings/index.ts';
import type { Lab } from '../lab.ts';
import type { Updates } from '../updates.ts';
import type { CudaSetupService } from './cudaSetup.ts';
import type { Datasets } from './datasetCache.ts';
import type { DeviceWatch } from './deviceWatch.ts';
import type { Downloads } from './downloads.ts';
import { refuse } from './errors.ts';
import type { Imports } from './imports.ts';
import type { Planner } from './planner.ts';
import type { ReadQuestions } from './readWorker.ts';
import type { Call } from './session.ts';
import type { TextQuestions } from './textWorker.ts';
import type { Thread, Threads } from './thread.ts';
import type { Views } from './views.ts';
import type { WandbDoor } from './wandbDoor.ts';

/** How browsers come in, where the lab is served to any. */
export interface Door {
  /** An address that lets one browser in. */
  url(): string;
  /** Turns all browsers out. @returns how many had been let in */
  forget(): number;
}

/** @param words the commands and where they start, for people */
export type AskStart = (words: string) => Promise<boolean>;

export interface Hub {
  readonly lab: Lab;
  readonly instance: string;
  readonly queue: RunQueue;
  readonly devices: DeviceWatch;
  readonly datasets: Datasets;
  readonly planner: Planner;
  readonly reader: Threads<ReadQuestions>;
  /** Sweeps as text. */
  readonly texts: Thread<TextQuestions>;
  /** Undefined in the desktop app. */
  readonly door: () => Door | undefined;
  readonly downloads: Downloads;
  readonly views: Views;
  readonly wandb: WandbDoor;
  readonly cudaSetup: CudaSetupService;
  readonly updates: Updates;
  /** Asks the person at the machine whether a program may be started; undefined: nobody can be asked. */
  readonly askStart: AskStart | undefined;
  readonly imports: Imports;
  /** Tells every client that these changed. */
  readonly changed: (what: { readonly runs?: Iterable<string>; readonly sweeps?: Iterable<string> }) => void;
  readonly notice: (notice: Notice) => void;
  /** Tells every client how far the check is. */
  readonly checked: (progress: CheckProgress) => void;
}

export type Handler<R extends RouteName> = (input: Parsed<R>, call: Call) => Output<R> | Promise<Output<R>>;
/** Handlers of the routes of a family (or several). */
export type Handlers<F extends string> = {
  readonly [R in Extract<RouteName, `${F}.${string}`>]: Handler<R>;
};

/** A checked configuration from what a form holds. @param device that it is planned for, where somebody chose one @throws LabError `invalid`, RecipeError */
export async function configOf(
  registry: SettingsRegistry,
  given: Parameters<typeof resolveValues>[1],
  device?: FitDevice,
): Promise<Config> {
  const fastest = device === undefined ? undefined : fastestFor(device);
  const { config, problems } = await resolveValues(registry, given, fastest);
  refuse(problems);
  return config;
}

/** A sweep as lists show it: in the bin when all of its runs are. */
export function listed({ lab: { store } }: Pick<Hub, 'lab'>, id: string): ListedSweep | undefined {
  const sweep = store.getSweep(id);
  if (sweep === undefined) return undefined;
  const alive = Object.values(sweep.counts).reduce((sum, n) => sum + n, 0);
  if (alive > 0) return { ...sweep, deletedAt: null };
  const [first, ...others] = store.listRuns({ sweepId: id, deleted: 'only' }).map(({ deletedAt }) => deletedAt ?? 0);
  return { ...sweep, deletedAt: first === undefined ? null : Math.max(first, ...others) };
}
