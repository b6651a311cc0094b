/** Whether means over several settings can be compared. */
import type { Outcome } from '../../shared/results/samples.ts';

/** Of the settings that groups average over, those whose values do not stand in every group equally often. */
export function unbalanced(groups: readonly Pick<Outcome, 'counted'>[], averaged: readonly string[]): string[] {
  const filled = groups.filter(({ counted }) => counted.length > 0);
  return averaged.filter((name) => {
    const shares = filled.map(({ counted }) => {
      const times = Map.groupBy(counted, ({ config }) => config[name]);
      const parts = [...times].map(([value, list]) => [String(value), list.length / counted.length] as const);
      return JSON.stringify(parts.sort());
    });
    return new Set(shares).size > 1;
  });
}
