/** Which runs of a board its search and its state leave: for the list and for the charts alike. */
import { computed } from 'vue';
import type { ComputedRef } from 'vue';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import { matchesRun, metricNames, namesOf, parseSearch } from '../../../preload/shared/runFilter.ts';
import type { FilterProblem } from '../../../preload/shared/runFilter.ts';
import type { MetricCatalog } from '../../../preload/shared/metrics.ts';
import type { BoardState } from '../../../preload/charts/board/boardState.ts';

export interface BoardFilter {
  /** Ids of the runs that match; undefined when all do, because nothing is asked for. The same set while it holds the same runs. */
  readonly matching: ComputedRef<ReadonlySet<string> | undefined>;
  /** What of the search could not be understood. */
  readonly problems: ComputedRef<readonly FilterProblem[]>;
  /** What is asked for, as it was written; empty for nothing. */
  readonly words: ComputedRef<string>;
}

export function boardFilter(
  state: () => Pick<BoardState, 'search' | 'only'>,
  runs: () => readonly RunRecord[],
  catalog: () => MetricCatalog,
  sweepName: (id: string) => string | undefined,
): BoardFilter {
  const search = computed(() => state().search.trim());
  const only = computed(() => state().only);
  // Without a search nothing has to know the names, which change with every report of a run.
  const parsed = computed(() =>
    search.value === ''
      ? { where: [], words: [], problems: [] }
      : parseSearch(search.value, namesOf(runs(), { metrics: metricNames(catalog()) })),
  );
  const matching = computed<ReadonlySet<string> | undefined>((before) => {
    if (search.value === '' && only.value === '') return undefined;
    const { where, words } = parsed.value;
    const filter = { where, words, ...(only.value === '' ? {} : { state: only.value }) };
    const found = new Set<string>();
    for (const run of runs()) if (matchesRun(run, filter, { sweepName })) found.add(run.id);
    return before !== undefined && sameSet(before, found) ? before : found;
  });
  return {
    matching,
    problems: computed(() => parsed.value.problems),
    words: computed(() => [search.value, only.value].filter(Boolean).join(' · ')),
  };
}

const sameSet = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean =>
  a.size === b.size && [...a].every((each) => b.has(each));
