/** What a reader of files tells, and to whom. The same reading is done twice: once to survey what is there, once to take it. */
import type { RunEnvironment, RunState, StopCause } from '../../../preload/contract/runs.ts';
import { isFields } from './values.ts';

/** What a file says of a run beside its points. All of it may come in parts: later parts add to earlier ones. */
export interface RunSays {
  readonly name?: string;
  readonly note?: string;
  readonly tags?: readonly string[];
  /** As a tree. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Runs of one group are compared: a project, an experiment, a sweep. `key` tells it from others. */
  readonly group?: { readonly key: string; readonly name: string };
  readonly state?: RunState;
  readonly reason?: string;
  readonly cause?: StopCause | null;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly environment?: RunEnvironment;
  readonly codeVersion?: string;
  readonly parameters?: number;
  /** Numbers that it ends with. */
  readonly summary?: Readonly<Record<string, number>>;
  /** Tells it from every other run, wherever its files lie; else its place and its key do. */
  readonly identity?: string;
  /** The id of the run, where Sweeplab has written the file. */
  readonly sweeplabId?: string;
  /** The source by which an endpoint knows the run, should it have reported itself. */
  readonly reportedAs?: string;
  /** Other names by which it is known: texts that hold one of them are no settings. */
  readonly names?: readonly string[];
}

export interface RunReceiver {
  says(more: RunSays): void;
  /** Steps may come in any order. A step that is no finite number is noted and left out by whoever reads. */
  point(metric: string, step: number, value: number): void;
  line(text: string, at?: number, stream?: 'stdout' | 'stderr'): void;
}

export interface Receiver {
  /** @param key of the run within its source, the same whenever the file is read */
  run(key: string): RunReceiver;
  /** Counts something that is left out, or read in a way worth telling. */
  note(what: string, where: string, count?: number): void;
  /** Waits until what was told is taken: called after every chunk. @throws where the import was cancelled */
  flush(): Promise<void>;
}

/** Both together; the later one counts where they speak of the same. */
export function together(before: RunSays, more: RunSays): RunSays {
  return {
    ...before,
    ...defined(more),
    ...(more.config === undefined ? {} : { config: mergedTrees(before.config ?? {}, more.config) }),
    ...(more.environment === undefined ? {} : { environment: { ...before.environment, ...more.environment } }),
    ...(more.summary === undefined ? {} : { summary: { ...before.summary, ...more.summary } }),
    ...(more.names === undefined ? {} : { names: [...new Set([...(before.names ?? []), ...more.names])] }),
  };
}

const defined = (says: RunSays): RunSays =>
  Object.fromEntries(Object.entries(says).filter(([, value]) => value !== undefined));

function mergedTrees(
  before: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged: Record<string, unknown> = Object.assign(Object.create(null), before);
  for (const [key, value] of Object.entries(more)) {
    const known = merged[key];
    merged[key] = isFields(known) && isFields(value) ? mergedTrees(known, value) : value;
  }
  return merged;
}
