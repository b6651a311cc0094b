/** What the runs of a board say: the ranking of their sweep where they are of one, else of all of them by the usual metric. */
import type { RunRecord } from '../../contract/runs.ts';
import type { MetricCatalog } from '../../shared/metrics.ts';
import { rankSweep } from '../../shared/results/target.ts';
import type { SweepRankings } from '../../shared/results/target.ts';

/** The definition of the sweep that all runs are of; undefined when they are of several, or of none. */
export function boardSpec(runs: readonly Pick<RunRecord, 'sweepId'>[], specOf: (sweepId: string) => unknown): unknown {
  const [sweep, ...others] = new Set(runs.map(({ sweepId }) => sweepId));
  return others.length > 0 || sweep == null ? undefined : specOf(sweep);
}

/** @param runs in any order */
export function boardResults(
  runs: readonly RunRecord[],
  spec: unknown,
  catalog: MetricCatalog,
): SweepRankings<RunRecord> {
  const byCreation = runs.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return rankSweep(spec, byCreation, catalog);
}
