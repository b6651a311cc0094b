/**
 * Sweeps of every kind that has misled a ranking, with what is right. Everything that names a best setting is tried on them: the tables of
 * the command line, the Start page, the list of sweeps, the page of a sweep, the board.
 */
import type { NewRun, RunState } from '../../../preload/contract/runs.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import type { Store } from '../../../main/store/index.ts';

export interface Case {
  readonly name: string;
  readonly metric?: { readonly name: string; readonly goal: 'minimize' | 'maximize' };
  readonly runs: readonly NewRun[];
  /** Varied values of the best setting; null where none may be called best. */
  readonly best: Config | null;
  /** Its mean over its seeds, and their number. */
  readonly mean?: number;
  readonly n?: number;
}

const BASE: Config = {
  'data.corpus': 'stories',
  'tokenizer.kind': 'byte',
  'eval.tokens': 0,
  'model.width': 32,
  'model.depth': 1,
  'optimizer.lr': 0.01,
};
const TEXT = { scoredText: 'a'.repeat(32), tokenizer: 'byte-257', dataset: 'd'.repeat(64), validationTokens: 1000 };

type Value = number | null;
interface Seed {
  readonly seed: number;
  readonly bpb?: Value;
  readonly loss?: Value;
  readonly accuracy?: Value;
  readonly state?: RunState;
  readonly reason?: string;
  readonly environment?: NewRun['environment'];
}

function run(values: Config, { seed, bpb, loss, accuracy, state = 'finished', reason, environment }: Seed): NewRun {
  const measured = { 'val/bpb': bpb, 'val/loss': loss ?? bpb, 'val/accuracy': accuracy };
  const begun = state !== 'queued';
  return {
    name: `${JSON.stringify(values)} ${seed}`,
    config: { ...BASE, ...values, seed },
    seed,
    settingKey: JSON.stringify(values),
    // A run that trains cannot be made; that of an interrupted lab waits again.
    state: state === 'running' ? 'queued' : state,
    endReason: reason ?? null,
    summary: Object.fromEntries(
      Object.entries(measured).filter(([, value]) => value !== undefined),
    ) as NewRun['summary'],
    parameters: begun ? 20_000 : null,
    environment: begun ? { ...TEXT, ...environment } : {},
    createdAt: 1_700_000_000_000,
    startedAt: begun ? 1_700_000_000_000 : null,
    endedAt: begun ? 1_700_000_060_000 : null,
  };
}
const seeds = (values: Config, numbers: readonly number[], more: Partial<Seed> = {}): NewRun[] =>
  numbers.map((bpb, i) => run(values, { seed: i + 1, bpb, ...more }));
const diverged = (values: Config, seed: number, bpb: number): NewRun =>
  run(values, { seed, bpb, state: 'failed', reason: `diverged: train/loss is NaN at step ${seed}` });

export const CASES: readonly Case[] = [
  {
    name: 'survivors',
    // The two that did not diverge are far ahead.
    runs: [
      ...seeds({ 'optimizer.lr': 0.03 }, [3.8, 3.9, 3.85, 3.84, 3.86, 3.87]),
      ...[1, 2, 3, 4].map((seed) => diverged({ 'optimizer.lr': 1.5 }, seed, 3.1)),
      ...[5, 6].map((seed) => run({ 'optimizer.lr': 1.5 }, { seed, bpb: 3.3 + seed / 100 })),
      ...[1, 2, 3, 4, 5, 6].map((seed) => diverged({ 'optimizer.lr': 2 }, seed, 3)),
    ],
    best: { 'optimizer.lr': 0.03 },
    mean: (3.8 + 3.9 + 3.85 + 3.84 + 3.86 + 3.87) / 6,
    n: 6,
  },
  {
    name: 'one lucky seed',
    runs: [
      ...seeds({ 'model.width': 32 }, [2.5, 2.4, 2.6]),
      run({ 'model.width': 64 }, { seed: 1, bpb: 2 }),
      run({ 'model.width': 64 }, { seed: 2, bpb: 1.9, state: 'stopped', reason: 'stopped at step 3' }),
      run({ 'model.width': 64 }, { seed: 3, state: 'queued' }),
    ],
    best: { 'model.width': 32 },
    mean: 2.5,
    n: 3,
  },
  {
    name: 'rerun seeds',
    // Counted once, width 32 has (4 + 5 + 4.2) / 3; with the first try of seed 2 as a fourth sample width 64 would look better.
    runs: [
      ...seeds({ 'model.width': 32 }, [4, 6, 4.2]),
      ...seeds({ 'model.width': 64 }, [4.6, 4.5, 4.4]),
      run({ 'model.width': 32 }, { seed: 2, bpb: 5 }),
      run({ 'model.width': 64 }, { seed: 1, bpb: 3, state: 'failed', reason: 'out of memory' }),
    ],
    best: { 'model.width': 32 },
    mean: (4 + 5 + 4.2) / 3,
    n: 3,
  },
  {
    name: 'two tokenizers',
    // Per token byte is ahead, per byte of the same text it is behind.
    runs: [
      ...[1, 2].map((seed) => run({ 'tokenizer.kind': 'byte' }, { seed, loss: 2.92, bpb: 4.2 + seed / 100 })),
      ...[1, 2].map((seed) =>
        run(
          { 'tokenizer.kind': 'bpe' },
          { seed, loss: 4.82, bpb: 3.2 + seed / 100, environment: { tokenizer: 'bpe-512', dataset: 'e'.repeat(64) } },
        ),
      ),
    ],
    best: { 'tokenizer.kind': 'bpe' },
    mean: 3.215,
    n: 2,
  },
  {
    name: 'two tokenizers by the loss per token',
    metric: { name: 'val/loss', goal: 'minimize' },
    runs: [
      ...seeds({ 'tokenizer.kind': 'byte' }, [2.9, 2.91]),
      ...seeds({ 'tokenizer.kind': 'bpe' }, [4.8, 4.81], { environment: { tokenizer: 'bpe-512' } }),
    ],
    best: null,
  },
  {
    name: 'other validation texts',
    runs: [50, 500, 0].flatMap((tokens) =>
      seeds({ 'eval.tokens': tokens }, [3 - tokens / 1000, 3.1 - tokens / 1000], {
        environment: { scoredText: `${tokens}`.padStart(32, 'b') },
      }),
    ),
    best: null,
  },
  {
    name: 'a metric to be large',
    metric: { name: 'val/accuracy', goal: 'maximize' },
    runs: [
      ...[0.41, 0.43].map((accuracy, i) => run({ 'model.depth': 1 }, { seed: i + 1, bpb: 2, accuracy })),
      ...[0.46, 0.44].map((accuracy, i) => run({ 'model.depth': 2 }, { seed: i + 1, bpb: 3, accuracy })),
    ],
    best: { 'model.depth': 2 },
    mean: 0.45,
    n: 2,
  },
  {
    name: 'a loss to be large',
    metric: { name: 'val/loss', goal: 'maximize' },
    runs: [...seeds({ 'model.depth': 1 }, [2, 2.1]), ...seeds({ 'model.depth': 2 }, [3, 3.1])],
    best: { 'model.depth': 2 },
    mean: 3.05,
    n: 2,
  },
  {
    name: 'stopped and diverged values',
    // Their last values are the lowest, and no results.
    runs: [
      ...seeds({ 'model.depth': 1 }, [2.2, 2.3]),
      ...seeds({ 'model.depth': 2 }, [1, 1], { state: 'stopped', reason: 'stopped at step 3' }),
      ...seeds({ 'model.depth': 4 }, [0.5, 0.5], { state: 'failed', reason: 'diverged: val/loss is NaN at step 5' }),
      run({ 'model.depth': 8 }, { seed: 1, bpb: null }),
      run({ 'model.depth': 8 }, { seed: 2, bpb: null }),
    ],
    best: { 'model.depth': 1 },
    mean: 2.25,
    n: 2,
  },
  {
    name: 'a metric that nobody logged',
    metric: { name: 'val/f1', goal: 'maximize' },
    runs: [...seeds({ 'model.depth': 1 }, [2.2]), ...seeds({ 'model.depth': 2 }, [2.1])],
    best: { 'model.depth': 2 },
    mean: 2.1,
    n: 1,
  },
  {
    name: 'runs of an earlier version',
    // What they were scored on was not recorded; their data settings are the same.
    runs: [
      ...seeds({ 'model.width': 32 }, [2.5, 2.4], { environment: { scoredText: undefined, tokenizer: undefined } }),
      ...seeds({ 'model.width': 64 }, [2.2, 2.1]),
    ],
    best: { 'model.width': 64 },
    mean: 2.15,
    n: 2,
  },
  { name: 'nothing yet', runs: [run({}, { seed: 1, state: 'queued' })], best: null },
];

/** Puts them into a database. @returns the id of each sweep by the name of its case */
export function storeCases(store: Store, cases: readonly Case[] = CASES): Map<string, string> {
  return new Map(
    cases.map(({ name, metric, runs }) => {
      // Paused, so that a lab that opens the database trains none of them.
      const spec = metric === undefined ? {} : { metric };
      const { sweep } = store.createSweep({ name, spec, state: 'paused' }, runs);
      return [name, sweep.id];
    }),
  );
}
