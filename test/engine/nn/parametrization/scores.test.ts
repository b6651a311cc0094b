/** The factor on attention scores, whatever attends. */
import { describe, expect, test } from 'vitest';
import { builtInCatalog } from '../../../../main/engine/catalog.ts';
import type { Executor } from '../../../../main/engine/executors/executor.ts';
import { sizeOf } from '../../../../main/engine/graph/value.ts';
import { attentionFamily } from '../../../../main/engine/nn/attention/index.ts';
import { buildTraining } from '../../../../main/engine/nn/training.ts';
import type { Config } from '../../../../preload/contract/settings.ts';
import { EXECUTORS } from '../models/oracle.ts';
import { generator } from '../variants.ts';

const KINDS = builtInCatalog.all(attentionFamily).map(({ name }) => name);
const [WIDTH, BASE, VOCABULARY, CONTEXT, ROWS] = [32, 8, 13, 12, 2];
const seed = Math.floor(Math.random() * 2 ** 31);
console.log(`seed ${seed}`);

/** Losses of all positions with random weights, each times the factor that `factor` gives for its name. */
async function losses(executor: Executor, given: Config, factor: (name: string) => number): Promise<number[]> {
  const all: Config = {
    'model.width': WIDTH,
    'model.context': CONTEXT,
    'model.depth': 2,
    'model.heads': 2,
    'model.base_width': BASE,
    ...given,
  };
  const { config } = builtInCatalog.withDefaults(all, (name) => name in all);
  const programs = buildTraining({ config, vocabularySize: VOCABULARY, keyMasked: false, kinds: builtInCatalog });
  const session = executor.open(programs.states);
  const random = generator(seed);
  try {
    for (const { name, shape } of programs.parameters)
      session.write(
        name,
        Float32Array.from({ length: sizeOf(shape) }, () =>
          shape.length > 1 ? 1.6 * random() - 0.8 : 0.5 + random(),
        ).map((value) => value * factor(name)),
      );
    const token = () => Math.floor(random() * VOCABULARY);
    const tokens = () => Int32Array.from({ length: ROWS * CONTEXT }, token);
    const out = await session.run(session.load(programs.evaluate(ROWS)), { tokens: tokens(), targets: tokens() });
    return Array.from(out.loss!);
  } finally {
    session.dispose();
  }
}

describe.each(EXECUTORS.filter(([name]) => name !== 'tfjs-wasm'))('on %s', (_, open) => {
  // Heads are four times as large, so scores are 1/√4 of the usual ones: as with queries of half the size. What the head reads is a
  // quarter. Catches an attention that forgets the factor, or takes it twice.
  test.each(KINDS)('%s takes scores by 1/size under mup', async (kind) => {
    const executor = await open();
    const given: Config = { 'attention.kind': kind, 'model.window': kind === 'window' ? 5 : 0 };
    const mup = await losses(executor, { ...given, 'model.parametrization': 'mup' }, () => 1);
    const plain = (query: number) =>
      losses(executor, given, (name) => {
        if (name.endsWith('query.weight')) return query;
        return name === 'final_norm.gain' ? 1 / 4 : 1;
      });
    const difference = (others: readonly number[]) => Math.max(...others.map((value, i) => Math.abs(value - mup[i]!)));
    expect(difference(await plain(1 / 2))).toBeLessThan(1e-5);
    expect(difference(await plain(1))).toBeGreaterThan(1e-3);
    expect(difference(await plain(1 / 4))).toBeGreaterThan(1e-3);
  });
});
