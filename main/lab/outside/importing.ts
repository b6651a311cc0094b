/**
 * Writes an import into the run database: all of it or nothing. Runs are filled out of sight and appear together at the end; those that were read
 * before keep their ids, and what somebody has written here of them.
 */
import type { ImportResult } from '../../../preload/contract/imports.ts';
import type { MetricColumn } from '../../../preload/contract/metrics.ts';
import type { Store } from '../../store/index.ts';
import { countsOf } from './importPlan.ts';
import type { ImportPlan, PlannedRun } from './importPlan.ts';
import type { SourceParcel } from '../imports/reading.ts';

export interface WriteOptions {
  readonly signal?: AbortSignal;
  /** Points that were written, of about so many. */
  readonly onPoints?: (done: number) => void;
}

/** Runs that are made in one transaction, and small ones whose points are committed together: each commit waits for the disk. */
const TOGETHER = 100;
/** Points that may wait for their commit. */
const MOST_OPEN = 1 << 15;

const keyOf = (source: number, key: string): string => `${source} ${key}`;

/** @throws what the reading or the store throws, or the reason of the signal; then nothing was changed */
export async function writeImport(
  store: Store,
  plan: ImportPlan,
  parcels: AsyncIterable<SourceParcel>,
  { signal, onPoints }: WriteOptions = {},
): Promise<ImportResult> {
  const wanted = plan.runs.filter(({ fate }) => fate === 'new' || fate === 'update');
  const filled = new Map<string, { readonly id: string; readonly planned: PlannedRun }>();
  const open = new Appends();
  let points = 0;
  let committed = 0;
  try {
    // Also those of which there are no points.
    for (let at = 0; at < wanted.length; at += TOGETHER) {
      signal?.throwIfAborted();
      const some = wanted.slice(at, at + TOGETHER);
      const ids = store.outside.createUnseen(some.map(({ run }) => run));
      for (const [i, planned] of some.entries())
        filled.set(keyOf(planned.source, planned.surveyed.key), { id: ids[i]!, planned });
      // Others have their turn.
      await new Promise((done) => setImmediate(done));
    }
    if (wanted.length > 0)
      for await (const { source, key, columns, lines } of parcels) {
        signal?.throwIfAborted();
        const run = filled.get(keyOf(source, key));
        if (run === undefined) continue;
        const events = lines.map(({ text, at, stream }) => ({
          kind: 'log' as const,
          message: text,
          at: at ?? run.planned.run.startedAt ?? Date.now(),
          data: stream === 'stderr' ? { stream } : null,
        }));
        open.add(store.appendMetrics(run.id, columns, undefined, { events }));
        points += pointsIn(columns);
        if (open.size < TOGETHER && points - committed < MOST_OPEN) continue;
        await open.all();
        committed = points;
        onPoints?.(points);
      }
    await open.all();
    if (points > committed) onPoints?.(points);
    signal?.throwIfAborted();
    const settled = store.outside.settle(
      wanted.map(({ source, surveyed, identity, sweep, said }) => ({
        runId: filled.get(keyOf(source, surveyed.key))!.id,
        source: identity,
        feed: { fingerprint: surveyed.fingerprint },
        said,
        ...(sweep === undefined ? {} : { sweep }),
      })),
    );
    const of = (fate: PlannedRun['fate']): string[] => settled.runIds.filter((_, i) => wanted[i]!.fate === fate);
    return {
      created: of('new'),
      updated: of('update'),
      counts: countsOf(plan.runs),
      points,
      sweeps: settled.sweepIds,
      notes: [...plan.surveyed.leftOut, ...plan.surveyed.sources.flatMap(({ notes }) => notes)],
    };
  } catch (error) {
    await open.settled();
    store.outside.drop([...filled.values()].map(({ id }) => id).filter((id) => store.hasRun(id)));
    throw error;
  }
}

/** Points on their way into the database. */
class Appends {
  #open: Promise<unknown>[] = [];

  get size(): number {
    return this.#open.length;
  }

  add(append: Promise<unknown>): void {
    // Its failure is heard by whoever waits for all.
    append.catch(() => undefined);
    this.#open.push(append);
  }

  async all(): Promise<void> {
    await Promise.all(this.#open);
    this.#open = [];
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#open);
  }
}

const pointsIn = (columns: readonly MetricColumn[]): number =>
  columns.reduce((sum, { steps }) => sum + steps.length, 0);
