import { defineStore } from 'pinia';
import { computed } from 'vue';
import type { RunRecord } from '../../preload/contract/runs.ts';
import type { MetricCatalog } from '../../preload/shared/metrics.ts';
import { rankSweep } from '../../preload/shared/results/target.ts';
import type { SweepRankings } from '../../preload/shared/results/target.ts';
import { useMetrics } from './metrics.ts';
import { useRuns } from './runs.ts';
import { useSweeps } from './sweeps.ts';

interface Known {
  readonly runs: readonly RunRecord[];
  readonly catalog: MetricCatalog;
  readonly spec: unknown;
  readonly results: SweepRankings<RunRecord>;
}

const NONE: readonly RunRecord[] = [];

/** What came out of each sweep. Every view that names a best setting asks here, so that they name the same. */
export const useResults = defineStore('results', () => {
  const runs = useRuns();
  const sweeps = useSweeps();
  const metrics = useMetrics();
  /** In the order of their creation. */
  const bySweep = computed(() => Map.groupBy(runs.list.toReversed(), ({ sweepId }) => sweepId ?? ''));
  /** A run that trains changes every second, and with it one sweep of all in the list. */
  const known = new Map<string, Known>();

  const runsOf = (sweepId: string): readonly RunRecord[] => bySweep.value.get(sweepId) ?? NONE;

  /** @param wanted a metric that the user chose; default: that of the sweep */
  function of(sweepId: string, wanted = ''): SweepRankings<RunRecord> {
    const key = `${sweepId} ${wanted}`;
    const mine = runsOf(sweepId);
    const spec = sweeps.get(sweepId)?.spec;
    const { catalog } = metrics;
    const before = known.get(key);
    if (before?.catalog === catalog && before.spec === spec && sameRuns(before.runs, mine)) return before.results;
    const results = rankSweep(spec, mine, catalog, wanted === '' ? {} : { wanted });
    known.set(key, { runs: mine, catalog, spec, results });
    return results;
  }

  return { of, runsOf };
});

const sameRuns = (a: readonly RunRecord[], b: readonly RunRecord[]): boolean =>
  a.length === b.length && a.every((run, i) => run === b[i]);
