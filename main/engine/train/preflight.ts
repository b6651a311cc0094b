/**
 * A rehearsal of a run before it begins: two steps of the very configuration on its own data, an evaluation and a checkpoint, in a folder beside
 * those of the run, on the very disk, that is removed again. What would end a long run at its first evaluation or its first checkpoint ends it now.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineEnd, EngineMessage } from '../../../preload/contract/engine.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { removeStale, temporaryName } from '../../files/atomic.ts';
import type { EvaluationSet } from '../data/index.ts';
import { TrainingControl } from './control.ts';
import type { PreparedData } from './data.ts';
import type { RunOptions } from './runOptions.ts';
import { unsavedReason } from './unsaved.ts';

const STEPS = 2;
/** Runs that are planned to take longer are rehearsed by themselves. */
const LONG_SECONDS = 600;
/** Floating-point operations that an executor does in less than that, whatever the machine: such runs are not even timed. */
const SHORT: Readonly<Record<string, number>> = { cuda: 1e16, cpu: 1e14 };
const SHORT_ELSEWHERE = 1e13;

export interface Rehearsal {
  /** Why the run would fail; undefined where nothing went wrong. */
  readonly problem: string | undefined;
  /** Left after its first step, which said that the run is short. */
  readonly short: boolean;
  /** Of the second step, which nothing warms up for; undefined where it was not reached. */
  readonly stepSeconds: number | undefined;
  readonly evaluationSeconds: number | undefined;
  /** Of what a checkpoint consists of. */
  readonly checkpointBytes: number | undefined;
  /** State and temporaries by plan. */
  readonly plannedBytes: number | undefined;
}

export interface RehearsalParts {
  readonly config: Config;
  readonly data: PreparedData;
  /** As the run itself has them. */
  readonly options: Omit<RunOptions, 'emit' | 'onRecorder' | 'prepare'>;
  /** Steps that the run will make, where it is left as soon as these are seen to take no ten minutes. */
  readonly unlessShort?: number | undefined;
  /** The share that is done, and about the seconds that are left: of a large batch each step takes its time. */
  readonly onProgress?: ((fraction: number, eta: number) => void) | undefined;
}

/** Whether a run begins with a rehearsal. @param flops that it will take; Infinity where nobody knows */
export const wantsRehearsal = (config: Config, executor: string, flops: number): boolean =>
  config.preflight === 'on' ||
  (config.preflight === 'auto' && !endsSoon(config) && flops >= (SHORT[executor] ?? SHORT_ELSEWHERE));

const endsSoon = (config: Config): boolean => {
  const seconds = config['stop.seconds'] as number;
  return seconds > 0 && seconds < LONG_SECONDS;
};

/** The first batch of a set as a set of its own: an evaluation of all could take long. */
function firstBatch(set: EvaluationSet): EvaluationSet {
  const batch = set.batch(0);
  const tokens = batch.targets.filter((target) => target >= 0).length;
  const one = Float64Array.of(tokens);
  return {
    ...set,
    batches: 1,
    tokens,
    bytes: tokens,
    units: { ...set.units, ends: one, bytes: one },
    batch: () => batch,
  };
}

/** What shapes a program, a schedule or a file is as it is; the run is ended from outside. */
const rehearsed = (config: Config): Config => ({
  ...config,
  'eval.every_steps': STEPS,
  'log.checkpoint_steps': STEPS,
  'log.every_steps': 1,
  preflight: 'off',
});

/** @param run trains; handed in, because it is what rehearses */
export async function rehearse(
  run: (options: RunOptions) => Promise<EngineEnd>,
  { config, data, options, unlessShort, onProgress }: RehearsalParts,
): Promise<Rehearsal> {
  const { paths } = options.start;
  // Of one that was killed.
  await removeStale(paths.checkpoints);
  const checkpoints = temporaryName(join(paths.checkpoints, 'preflight'));
  const control = new TrainingControl();
  options.control.onChange(() => control.stop(true));
  /** Of training after each step. */
  const seconds = new Map<number, number>();
  let evaluationBegun: number | undefined;
  let unsaved = '';
  let [evaluationSeconds, plannedBytes, saved, short] = [
    undefined as number | undefined,
    undefined as number | undefined,
    false,
    false,
  ];
  const begun = performance.now();
  let told = 0;
  /** Its parts are the first evaluation, the steps, and what is done after these. */
  const tell = (): void => {
    const parts = (evaluationSeconds === undefined ? 0 : 1) + Math.min(STEPS, Math.max(0, ...seconds.keys()));
    if (parts <= told) return;
    told = parts;
    const fraction = parts / (STEPS + 2);
    onProgress?.(fraction, ((performance.now() - begun) / 1000) * (1 / fraction - 1));
  };
  const emit = (message: EngineMessage): void => {
    switch (message.type) {
      case 'info':
        plannedBytes = message.memory.persistentBytes + message.memory.arenaBytes;
        break;
      case 'metrics':
        for (const { metric, steps, values } of message.columns)
          if (metric === 'seconds') steps.forEach((step, i) => seconds.set(step, values[i]!));
        tell();
        short ||= unlessShort !== undefined && (seconds.get(1) ?? Infinity) * unlessShort < LONG_SECONDS;
        // A checkpoint that cannot be written ends no run.
        if (short || seconds.has(STEPS + 1)) control.stop(true);
        break;
      case 'phase':
        if (message.name === 'evaluate') evaluationBegun ??= performance.now();
        else if (evaluationBegun !== undefined && evaluationSeconds === undefined) {
          evaluationSeconds = (performance.now() - evaluationBegun) / 1000;
          tell();
        }
        break;
      case 'log':
        unsaved ||= unsavedReason(message.text) ?? '';
        break;
      case 'checkpoint':
        saved = true;
        if (message.kind === 'last') control.stop(true);
        break;
      default:
    }
  };
  try {
    const end = await run({
      ...options,
      control,
      emit,
      start: {
        ...options.start,
        config: rehearsed(config),
        resume: false,
        paths: { ...paths, checkpoints },
      },
      prepare: () => Promise.resolve({ ...data, validation: (rows) => firstBatch(data.validation(rows)) }),
    });
    const complete = saved || short || options.control.stopping;
    const kept = complete ? undefined : `a checkpoint cannot be written${unsaved === '' ? '' : `: ${unsaved}`}`;
    return {
      problem: end.state === 'failed' ? end.reason : kept,
      short,
      stepSeconds: seconds.has(STEPS) ? seconds.get(STEPS)! - seconds.get(1)! : undefined,
      evaluationSeconds,
      checkpointBytes: await bytesOf(checkpoints),
      plannedBytes,
    };
  } finally {
    await rm(checkpoints, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Bytes of all files below a folder; undefined where there are none. */
async function bytesOf(folder: string): Promise<number | undefined> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries) if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  return bytes === 0 ? undefined : bytes;
}
