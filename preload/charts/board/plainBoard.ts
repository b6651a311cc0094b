/** A board that nobody looks at: what charts of runs need, all at once. */
import type { RunRecord } from '../../contract/runs.ts';
import { catalogFor } from '../../shared/declaredUnits.ts';
import type { MetricCatalog } from '../../shared/metrics.ts';
import { distinctSeeds } from '../../shared/results/samples.ts';
import { targetOf } from '../../shared/results/target.ts';
import type { Surface } from '../color/palette.ts';
import type { BoardState } from './boardState.ts';
import type { ChartBoard } from './chartModel.ts';
import { averagingNotes, boardGroups, coloring, labelSettings } from './groups.ts';
import { plannedEnd } from './planned.ts';
import { referencesOf } from './references.ts';

export interface PlainBoard {
  readonly state: Pick<BoardState, 'band' | 'groupBy' | 'facet' | 'colorBy'>;
  readonly surface: Surface;
  readonly catalog: MetricCatalog;
  /** Of the sweep that all runs are of. */
  readonly spec?: unknown;
  sweepName(id: string): string | undefined;
}

export function plainBoard(runs: readonly RunRecord[], given: PlainBoard): ChartBoard {
  const { state, surface, spec, sweepName } = given;
  const catalog = catalogFor(given.catalog, runs);
  const target = targetOf(spec, runs, catalog);
  const settings = labelSettings(runs, spec);
  const options = { ...state, surface, metric: target.name, goal: target.goal, settings, sweepName };
  const groups = boardGroups(runs, options).map((group) => {
    const members = state.groupBy === 'none' ? group.members : distinctSeeds(group.members);
    return { ...group, members, runs: members.map(({ id }) => id) };
  });
  return {
    groups,
    final: runs,
    settings,
    coloring: coloring(runs, options),
    state,
    catalog,
    target,
    references: (metric) => referencesOf(runs, metric),
    averaging: averagingNotes(groups, state.groupBy),
    planned: (x) => plannedEnd(runs, x),
  };
}
