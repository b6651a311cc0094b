import { afterEach, describe, expect, test } from 'vitest';
import { openCpuExecutor } from '../../../../main/engine/executors/cpu/index.ts';
import type { Session } from '../../../../main/engine/executors/executor.ts';
import { persistentBytes } from '../../../../main/engine/compile/plan.ts';
import { isKeyMasked, vocabularyOf } from '../../../../main/engine/data/index.ts';
import { buildTraining } from '../../../../main/engine/nn/training.ts';
import { fitPlan } from '../../../../main/lab/fit/index.ts';
import { builtInRegistry, listRecipes, resolveConfig } from '../../../../main/lab/settings/index.ts';
import type { Config } from '../../../../preload/contract/settings.ts';
import { loadAddon, missingAddon } from './harness.ts';

const recipes = await listRecipes();
const registry = builtInRegistry();

function configOf(recipe: (typeof recipes)[number], changes: Config): Config {
  return { ...resolveConfig({ registry, recipe: recipe.source }).config, ...changes };
}

/** Blocks that the addon holds now, without the kernels' scratch. */
function held(): number {
  const { allocated, scratch } = loadAddon().memory();
  return allocated - scratch;
}

let session: Session | undefined;
afterEach(() => {
  session?.dispose();
  session = undefined;
});

describe.skipIf(missingAddon !== undefined)('the plan is what is allocated', () => {
  const grid = recipes.flatMap((recipe) =>
    ['fp32', 'bf16'].flatMap((policy) =>
      ['none', 'attention', 'block'].map((recomputation) => [recipe.name, policy, recomputation, recipe] as const),
    ),
  );

  // Catches a plan that differs from the allocation by a single byte, for every recipe as it would be launched. Memory that is not
  // touched costs nothing, so large models can be allocated here.
  test.each(grid)('%s, %s, recompute %s', (_name, policy, recomputation, recipe) => {
    const config = configOf(recipe, { 'precision.policy': policy, 'precision.recompute': recomputation });
    const micro = (config['batch.micro'] as number) || (config['batch.sequences'] as number);
    const before = held();
    const programs = buildTraining({
      config,
      vocabularySize: vocabularyOf(config),
      keyMasked: isKeyMasked(config),
    });
    session = openCpuExecutor().open(programs.states);
    const persistent = held() - before;
    expect(persistent).toBe(persistentBytes(programs.states).total);
    const sources = [programs.accumulate(micro, true), programs.update(), programs.evaluate(micro)];
    if (micro < (config['batch.sequences'] as number)) sources.push(programs.accumulate(micro, false));
    const arenas = sources.map((source) => session!.load(source).plan.arenaBytes);
    expect(held() - before - persistent).toBe(Math.max(...arenas));
    expect(session.memory()).toEqual({ persistentBytes: persistent, peakTemporaryBytes: Math.max(...arenas) });
    // And it is what the user was shown.
    const shown = fitPlan(config, { kind: 'cpu' });
    expect(shown.persistent.bytes).toBe(persistent);
    expect(shown.arena.bytes).toBeGreaterThanOrEqual(Math.max(...arenas));
    session.dispose();
    session = undefined;
    expect(held()).toBe(before);
  });
});
