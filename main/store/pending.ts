/** What waits for the next commit: checking it on the way in, writing it on the way out. */

import { counted } from '../../preload/shared/format.ts';
import type { MetricBatch } from '../../preload/contract/metrics.ts';
import type { NewRunEvent, RunProgress } from '../../preload/contract/runs.ts';
import { StoreError } from './errors.ts';
import type { Events } from './events.ts';
import type { Outside } from './outside.ts';
import { count } from './runs.ts';
import type { Runs } from './runs.ts';
import type { SeriesWriter } from './series/writer.ts';

export interface PendingColumn {
  readonly metric: string;
  readonly steps: Float64Array;
  readonly values: Float64Array;
}

/** What a run from outside brings with its points: committed with them or not at all. */
export interface Beside {
  readonly events?: readonly Omit<NewRunEvent, 'runId'>[];
  /** How far it was received. */
  readonly feed?: unknown;
}

export type PendingWrite =
  | {
      readonly kind: 'points';
      readonly run: number;
      readonly runId: string;
      readonly columns: readonly PendingColumn[];
      readonly progress: RunProgress | undefined;
      readonly beside: Beside;
    }
  | {
      readonly kind: 'event';
      readonly run: number | null;
      readonly runId: string | null;
      readonly event: NewRunEvent;
      readonly at: number;
    };

const LONGEST_NAME = 200;

/** The last step that waits for each series. */
export class PendingSteps {
  readonly #steps = new Map<number, Map<string, number>>();

  last(run: number, metric: string, otherwise: () => number): number {
    return this.#steps.get(run)?.get(metric) ?? otherwise();
  }

  note(run: number, columns: readonly PendingColumn[]): void {
    let steps = this.#steps.get(run);
    if (!steps) this.#steps.set(run, (steps = new Map<string, number>()));
    for (const column of columns) {
      const last = column.steps.at(-1);
      if (last !== undefined) steps.set(column.metric, last);
    }
  }

  clear(run?: number): void {
    if (run === undefined) this.#steps.clear();
    else this.#steps.delete(run);
  }
}

/** Copies a batch, so that the caller may reuse its arrays. Nothing of a batch with an error is taken. */
export function checkBatch(runId: string, batch: MetricBatch, lastStep: (metric: string) => number): PendingColumn[] {
  const seen = new Set<string>();
  return batch.map(({ metric, steps, values }) => {
    const what = `${metric} of run ${runId}`;
    if (metric === '' || metric.length > LONGEST_NAME) {
      throw new StoreError(
        'invalid',
        `a metric name has 1 to ${LONGEST_NAME} characters, "${metric}" has ${metric.length}`,
      );
    }
    if (seen.has(metric)) throw new StoreError('invalid', `${what} occurs twice in one batch`);
    seen.add(metric);
    if (steps.length !== values.length) {
      throw new StoreError(
        'invalid',
        `${what}: ${counted(steps.length, 'step')} but ${counted(values.length, 'value')}`,
      );
    }
    let previous = lastStep(metric);
    for (const step of steps) {
      if (!Number.isFinite(step)) throw new StoreError('invalid', `${what}: a step is ${step}; it must be finite`);
      if (!(step > previous)) {
        throw new StoreError('order', `${what}: step ${step} comes after step ${previous}; steps must increase`);
      }
      previous = step;
    }
    return { metric, steps: Float64Array.from(steps), values: Float64Array.from(values) };
  });
}

/** Checked before it waits with the writes of others: one bad number must not undo their commit. */
export function checkProgress(progress: RunProgress | undefined): RunProgress | undefined {
  if (progress?.steps !== undefined) count('steps', progress.steps);
  if (progress?.tokens !== undefined) count('tokens', progress.tokens);
  return progress && { ...progress };
}

export function pendingPoints(write: PendingWrite): number {
  if (write.kind === 'event') return 1;
  return write.columns.reduce((sum, column) => sum + column.steps.length, 1 + (write.beside.events?.length ?? 0));
}

/** Writes everything in order, inside a transaction of the caller. Points of one series are joined first. */
export function applyPending(
  writes: readonly PendingWrite[],
  runs: Runs,
  writer: SeriesWriter,
  events: Events,
  outside: Outside,
): void {
  const series = new Map<string, { run: number; metric: string; columns: PendingColumn[] }>();
  const seen = new Set<number>();
  for (const write of writes) {
    if (write.kind === 'event') {
      events.add(write.run, write.event.kind, write.event.message, write.event.data, write.at);
      continue;
    }
    for (const column of write.columns) {
      const name = `${write.run} ${column.metric}`;
      const joined = series.get(name);
      if (joined) joined.columns.push(column);
      else series.set(name, { run: write.run, metric: column.metric, columns: [column] });
    }
    seen.add(write.run);
    if (write.progress) runs.progress(write.run, write.progress);
    for (const { kind, message, data, at } of write.beside.events ?? [])
      events.add(write.run, kind, message, data, at ?? Date.now());
    if (write.beside.feed !== undefined) outside.setFeed(write.run, write.beside.feed);
  }
  for (const { run, metric, columns } of series.values()) {
    writer.append(run, metric, join(columns, 'steps'), join(columns, 'values'));
  }
  const now = Date.now();
  for (const run of seen) runs.seen(run, now);
}

function join(columns: readonly PendingColumn[], key: 'steps' | 'values'): Float64Array {
  if (columns.length === 1) return columns[0][key];
  const joined = new Float64Array(columns.reduce((sum, column) => sum + column[key].length, 0));
  let at = 0;
  for (const column of columns) {
    joined.set(column[key], at);
    at += column[key].length;
  }
  return joined;
}
