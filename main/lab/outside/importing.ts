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
  let points = 0;
  try {
    // Also those of which there are no points.
    for (const planned of wanted)
      filled.set(keyOf(planned.source, planned.surveyed.key), { id: store.outside.createUnseen(planned.run), planned });
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
        await store.appendMetrics(run.id, columns, undefined, { events });
        points += pointsIn(columns);
        onPoints?.(points);
      }
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
    store.outside.drop([...filled.values()].map(({ id }) => id).filter((id) => store.hasRun(id)));
    throw error;
  }
}

const pointsIn = (columns: readonly MetricColumn[]): number =>
  columns.reduce((sum, { steps }) => sum + steps.length, 0);
