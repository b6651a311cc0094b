/**
 * Whoever names a best setting names the same one, and the right one. Each entry of SURFACES calls what that part of Sweeplab calls; what
 * the pages then show of it is looked at in test/e2e/oneBest.test.ts.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { effectScope } from 'vue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rankRuns, resultsJson, sweepResults } from '../../../main/cli/results.ts';
import { metricCatalog } from '../../../main/engine/train/measures/index.ts';
import { builtInRegistry } from '../../../main/lab/settings/index.ts';
import { openStore } from '../../../main/store/index.ts';
import type { Store } from '../../../main/store/index.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import { packRuns } from '../../../preload/contract/runTable.ts';
import type { SweepRankings } from '../../../preload/shared/results/target.ts';
import { boardResults, boardSpec } from '../../../preload/charts/board/results.ts';
import { useMetrics } from '../../../renderer/stores/metrics.ts';
import { useResults } from '../../../renderer/stores/results.ts';
import { useRuns } from '../../../renderer/stores/runs.ts';
import { useSweeps } from '../../../renderer/stores/sweeps.ts';
import { testLab } from '../../renderer/stores/support.ts';
import { CASES, storeCases } from './sweeps.ts';

const metrics = metricCatalog();
const catalogs = { metrics, registry: builtInRegistry() };
let folder: string;
let store: Store;
let ids: Map<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sweeplab-best-'));
  store = openStore(join(folder, 'runs.sqlite'));
  ids = storeCases(store);
  testLab({
    'runs.list': () => ({ runs: packRuns(store.listRuns()) }),
    'sweeps.list': () => ({ sweeps: store.listSweeps() }),
    'metrics.list': () => ({ specs: metrics.specs }),
  });
  await Promise.all([useRuns().load(), useSweeps().load(), useMetrics().load()]);
});
afterAll(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

type Answer = Pick<SweepRankings<RunRecord>, 'best' | 'metric'>;
const SURFACES: readonly (readonly [string, (sweep: string) => Answer])[] = [
  // `sweep`, `quickstart`, `runs compare --sweep`, `sample --sweep`
  ['the command line', (sweep) => sweepResults(store, store.getSweep(sweep)!, catalogs)],
  [
    'runs compare ID…',
    (sweep) => rankRuns(store.listRuns({ sweepId: sweep }).toReversed(), catalogs, store.getSweep(sweep)!.spec),
  ],
  // SweepsPanel.vue, SweepsView.vue, SweepView.vue
  ['Start, the list of sweeps, and the page of a sweep', (sweep) => useResults().of(sweep)],
  [
    'the board',
    (sweep) => {
      const runs = useRuns().list.filter(({ sweepId }) => sweepId === sweep);
      return boardResults(
        runs,
        boardSpec(runs, (id) => useSweeps().get(id)?.spec),
        useMetrics().catalog,
      );
    },
  ],
];

describe.each(SURFACES)('%s', (_, answer) => {
  it.each(CASES)('$name', ({ name, best, mean, n, metric }) => {
    const found = effectScope().run(() => answer(ids.get(name)!))!;
    if (best === null) expect(found.best).toBeUndefined();
    else {
      expect(found.best?.values).toMatchObject(best);
      expect(found.best!.metric.mean).toBeCloseTo(mean!, 12);
      expect(found.best!.metric.n).toBe(n);
    }
    expect(found.metric).toBe(metric === undefined || metric.name === 'val/f1' ? 'val/bpb' : metric.name);
  });
});

it('the answer for machines is the same (would catch a best that is missing or invented in --json)', () => {
  for (const { name, best } of CASES) {
    const json = resultsJson(sweepResults(store, store.getSweep(ids.get(name)!)!, catalogs));
    if (best === null) expect(json.best).toBeNull();
    else expect(json.best).toMatchObject(best);
  }
});
