/** Small multiples: the groups of a chart by the value of a setting, and one pair of axes for all of them. */
import type { Config, SettingValue } from '../../contract/settings.ts';
import type { LineModel } from '../draw/model.ts';
import { compareValues } from '../../shared/results/groups.ts';
import type { Extent } from '../series/extent.ts';
import { withoutFar } from '../series/far.ts';
import { outsideOf, yAxesOf } from './frame.ts';
import type { YFrame } from './frame.ts';
import type { LineGroup } from './lineModel.ts';

/** More small charts than anybody compares; the rest is said. */
export const MOST_FACETS = 24;

export interface FacetRun {
  readonly id: string;
  readonly config: Config;
}

export interface Facet<G, R> {
  readonly key: string;
  /** Undefined for runs without the setting. */
  readonly value: SettingValue | undefined;
  readonly groups: readonly G[];
  readonly runs: readonly R[];
}

/**
 * A group whose runs have several values of the setting is part of each of these facets, with the runs of that value: its mean and
 * band there are those of these runs alone. Facets come in the order of their values, runs without the setting last.
 */
export function facetsOf<R extends FacetRun, G extends LineGroup & { readonly members: readonly R[] }>(
  groups: readonly G[],
  setting: string,
): Facet<G, R>[] {
  const found = new Map<SettingValue | undefined, { groups: G[]; runs: R[] }>();
  for (const group of groups) {
    const parts = new Map<SettingValue | undefined, R[]>();
    for (const run of group.members) {
      const value = run.config[setting];
      const part = parts.get(value);
      if (part === undefined) parts.set(value, [run]);
      else part.push(run);
    }
    for (const [value, members] of parts) {
      const facet = found.get(value) ?? { groups: [], runs: [] };
      facet.groups.push(
        members.length === group.members.length ? group : { ...group, members, runs: members.map(({ id }) => id) },
      );
      facet.runs.push(...members);
      found.set(value, facet);
    }
  }
  return [...found]
    .sort(([a], [b]) => (a === undefined ? 1 : b === undefined ? -1 : compareValues(a, b)))
    .map(([value, facet]) => ({ key: JSON.stringify(value ?? null), value, ...facet }));
}

/** The x of all facets together. One that would leave out nothing by itself may hold what is far from all others. */
function commonRange(models: readonly LineModel[]): Extent {
  const all = { min: Math.min(...models.map(({ x }) => x.min)), max: Math.max(...models.map(({ x }) => x.max)) };
  const left = models.find(({ x }) => x.far !== undefined)?.x;
  if (left?.far === undefined) return all;
  const near = withoutFar(
    models.flatMap(({ lines }) => lines.map(({ x }) => x)),
    left.log,
    left.far,
  );
  return near === undefined || !(near.max > near.min)
    ? all
    : { min: Math.max(all.min, near.min), max: Math.min(all.max, near.max) };
}

/** All with the same axes, so that they can be compared by eye: what one leaves out, all leave out. Empty ones ask for nothing. */
export function withSharedAxes(models: readonly LineModel[], frame: YFrame): LineModel[] {
  const filled = models.filter(({ lines }) => lines.length > 0);
  if (filled.length === 0) return [...models];
  const range = commonRange(filled);
  const axes = yAxesOf(
    filled.flatMap(({ lines }) => lines),
    range,
    frame,
  );
  const ticks = [...new Set(filled.flatMap((model) => model.x.ticks ?? []))].sort((a, b) => a - b);
  return models.map((model) => {
    const x = { ...model.x, ...range, ...(model.x.ticks === undefined ? {} : { ticks }) };
    return { ...model, x, ...axes, outside: outsideOf(model.lines, x, axes) };
  });
}
