/**
 * Units are declared for what Sweeplab measures itself. A script that reports a `val/loss` of its own may mean bits, or a mean over sequences: its
 * number has the unit that the script knows, and none is put beside it.
 */
import type { RunRecord } from '../contract/runs.ts';
import { MetricCatalog } from './metrics.ts';

/** Counted by whoever receives a run, in our unit. */
const RECEIVED: ReadonlySet<string> = new Set(['seconds']);

/** The catalogue as it holds for these runs together: without the units of metrics that runs of other programs have logged. */
export function catalogFor(
  catalog: MetricCatalog,
  runs: readonly Pick<RunRecord, 'origin' | 'summary'>[],
): MetricCatalog {
  const foreign = new Set<string>();
  for (const { origin, summary } of runs)
    if (origin !== 'sweeplab')
      for (const name of Object.keys(summary))
        if (!RECEIVED.has(name) && !foreign.has(name) && catalog.get(name).unit !== '') foreign.add(name);
  if (foreign.size === 0) return catalog;
  const known = new Set(catalog.specs.map(({ name }) => name));
  return new MetricCatalog([
    ...catalog.specs.map((spec) => (foreign.has(spec.name) ? { ...spec, unit: '' } : spec)),
    // Members of a family, whose others keep theirs.
    ...[...foreign].filter((name) => !known.has(name)).map((name) => ({ ...catalog.get(name), unit: '' })),
  ]);
}
