import { describe, expect, it } from 'vitest';
import type { Config } from '../../../preload/contract/settings.ts';
import { metricCatalog } from '../../../main/engine/train/measures/index.ts';
import { rankSweep } from '../../../preload/shared/results/target.ts';
import { groupBySettings, valuesOf } from '../../../preload/shared/results/groups.ts';
import { columnsNote } from '../../../preload/shared/results/words.ts';
import { variedSettings } from '../../../preload/shared/results/varied.ts';
import { builtInRegistry, listRecipes } from '../../../main/lab/settings/index.ts';
import { parseSweep, planSweep } from '../../../main/lab/sweeps/index.ts';

const recipes = await listRecipes();
function planned(text: string) {
  const { sweep } = parseSweep(text);
  const { runs, problems } = planSweep({ registry: builtInRegistry(), sweep: sweep!, recipes });
  expect(problems).toEqual([]);
  return { spec: sweep, runs };
}

describe('settings that tell runs apart', () => {
  it('are those that the sweep varies, for kinds of attention (catches columns that are only derived)', () => {
    const { spec, runs } = planned(
      'method: grid\nrecipe: quick\nparameters: { attention.kind: { values: [causal, sparse, sparsek] } }',
    );
    const { varied, following } = variedSettings(runs, spec);
    expect(varied).toEqual(['attention.kind']);
    expect(following).toContain('attention.block');
  });

  it('have no values that only JavaScript knows (would catch function Object() … in a ranking)', () => {
    const runs: { config: Config }[] = [{ config: { constructor: 2 } }, { config: { lr: 1 } }];
    expect(valuesOf(runs, 'constructor')).toEqual([2]);
    const groups = groupBySettings(runs, ['constructor']);
    expect(groups.map(({ values }) => Object.entries(values))).toEqual([[['constructor', 2]], []]);
  });

  it('are all that differ where the definition does not name every setting, or there is none', () => {
    const runs: { config: Config }[] = [{ config: { a: 1, b: 1, seed: 1 } }, { config: { a: 2, b: 2, seed: 1 } }];
    const spec = { parameters: { a: { values: [1, 2] } } };
    expect(variedSettings(runs, spec)).toEqual({ varied: ['a'], following: ['b'] });
    expect(variedSettings([...runs, { config: { a: 2, b: 3 } }], spec)).toEqual({ varied: ['a', 'b'], following: [] });
    expect(variedSettings(runs, undefined)).toEqual({ varied: ['a', 'b'], following: [] });
    expect(variedSettings(runs, { parameters: {} })).toEqual({ varied: ['a', 'b'], following: [] });
    expect(variedSettings([], spec)).toEqual({ varied: [], following: [] });
  });

  it('are the columns of the ranking, and what follows is said under it', () => {
    const { spec, runs } = planned(
      `method: grid\nrecipe: depth-dial-small\nparameters: { model.depth: { values: [1, 2] } }`,
    );
    const ended = runs.map((run, i) => ({
      ...run,
      id: `r${i}`,
      state: 'finished' as const,
      summary: { 'val/bpb': run.config['model.depth'] === 1 ? 2 : 1 },
    }));
    const { groups, best } = rankSweep(spec, ended, metricCatalog());
    expect(groups[0]!.columns).toEqual(['model.depth']);
    expect(best!.values).toEqual({ 'model.depth': 2 });
    expect(columnsNote(groups[0]!)).toMatch(/With model\.depth differ what follows from it: .*model\.width/u);
  });
});
