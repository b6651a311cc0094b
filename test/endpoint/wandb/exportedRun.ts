/** A run as it is exported and sent back: odd numbers, names in other scripts, a log, tags, a sweep. Recorded as `sync.jsonl`. */
import { exportFiles } from '../../../main/lab/exchange/exports.ts';
import { wandb } from '../../../main/lab/exchange/wandb.ts';
import type { Store } from '../../../main/store/index.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import { expect } from 'vitest';

const ODD = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-300, -1e300, 2 ** 53, 0.1, 5e-324];
const CONFIG = { 'model.depth': 2, 'model.name': 'ζ/"名"', lr: 0.001, fused: true, seed: 3 };
const BEGAN = Date.UTC(2024, 0, 2, 3, 4, 5);

export async function exportedRun(store: Store): Promise<RunRecord> {
  const planned = {
    name: 'depth=2 lr=0.001 seed=3',
    config: CONFIG,
    seed: 3,
    settingKey: 'k',
    origin: 'wandb',
    state: 'running',
  } as const;
  const note = 'first line\nsecond “line” 🙂';
  const run = {
    ...planned,
    tags: ['α', 'b c'],
    note,
    startedAt: BEGAN,
    createdAt: BEGAN,
    codeVersion: 'abc',
    parameters: 1234,
  };
  const { sweep, runs } = store.createSweep({ name: 'Über sweep: 1/2', spec: {}, origin: 'wandb' }, [run]);
  expect(sweep.name).toBe('Über sweep: 1/2');
  const [{ id }] = runs as [RunRecord];
  const steps = Float64Array.from({ length: 24 }, (_, i) => i * 5);
  const some = steps.filter((_, i) => i % 3 === 0);
  const summary = { 'train/loss': 1 / 24, 精度: 8, seconds: 23 / 7, 'val/bpb': 1.5 };
  const beside = {
    events: ['one', '  two', 'três 🙂'].map((message, i) => ({ kind: 'log' as const, message, at: BEGAN + 1000 * i })),
  };
  await store.appendMetrics(
    id,
    [
      { metric: 'train/loss', steps, values: steps.map((_, i) => 1 / (i + 1)) },
      { metric: '精度', steps: some, values: some.map((_, i) => i + 1) },
      { metric: 'odd', steps: steps.slice(0, ODD.length), values: Float64Array.from(ODD) },
      { metric: 'seconds', steps, values: steps.map((_, i) => i / 7) },
    ],
    { steps: 115, summary },
    beside,
  );
  const end = { reason: 'stop.steps reached (115 steps)', at: BEGAN + 4000, endedAt: BEGAN + 4000 };
  return store.setRunState(id, 'finished', end);
}

/** As `sweeplab export --format wandb` writes it: path and content of each file. */
export function exportedFiles(store: Store, run: RunRecord): { path: string; content: Buffer }[] {
  const settings = { names: Object.keys(CONFIG), defaults: {} };
  const files = [...exportFiles(store, settings, wandb, { runs: [run], allSettings: true })];
  return files.map(({ path, pieces }) => ({
    path,
    content: Buffer.concat([...(pieces as Iterable<string | Uint8Array>)].map((piece) => Buffer.from(piece as string))),
  }));
}

/** What came back is what was sent. */
export function expectSame(there: Store, came: RunRecord, here: Store, sent: RunRecord): void {
  const of = ({ name, config, seed, note, tags, state, endReason, stopCause, parameters, codeVersion, startedAt, steps }: RunRecord) =>
    ({ name, config, seed, note, tags, state, endReason, stopCause, parameters, codeVersion, startedAt, steps }); // prettier-ignore
  expect(of(came)).toEqual(of(sent));
  expect(came.summary).toMatchObject(sent.summary);
  expect(there.metricNames(came.id).sort()).toEqual(here.metricNames(sent.id).sort());
  for (const metric of here.metricNames(sent.id))
    expect(there.readAll(came.id, metric), metric).toEqual(here.readAll(sent.id, metric));
  const log = (store: Store, { id }: RunRecord): string[] =>
    store.readEvents({ runId: id, kinds: ['log'] }).map(({ message }) => message);
  expect(log(there, came)).toEqual(log(here, sent));
  expect(there.getSweep(came.sweepId!)!.name).toBe(here.getSweep(sent.sweepId!)!.name);
}
