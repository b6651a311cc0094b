import { beforeAll, describe, expect, test } from 'vitest';
import { compileForCuda } from '../../../main/engine/executors/cuda/target.ts';
import { translate } from '../../../main/engine/executors/cuda/translate.ts';
import { newGraph } from '../../../main/engine/graph/operation.ts';
import { cast, input, optimizerUpdate, state } from '../../../main/engine/graph/ops/index.ts';
import { program } from '../../../main/engine/graph/program.ts';
import type { Program, StateSpec, StateUpdate } from '../../../main/engine/graph/program.ts';
import type { DType, Value } from '../../../main/engine/graph/value.ts';
import { random, SEED } from '../../oracles/random.ts';
import { optimizerOf } from '../graph/cases/optimizer.ts';
import { whyNoEmulator } from './emulator/build.ts';
import { emulatedDevice, emulatedExecutor } from './harness.ts';
import { fromRecipe, trainingOf } from './planned.ts';

const why = whyNoEmulator();
const N = 700;

const launchesOf = (source: Program): string[] =>
  translate(compileForCuda(source), { arena: 2 ** 20, tables: 2 ** 30, state: () => 2 ** 40 }).pieces.flatMap(
    ({ launches }) => launches.map(({ launch }) => launch.fn),
  );

/** An update of what is kept in 16 bits, as training builds it. @param shown what it computes in 32 bits is wanted too */
function updating(type: DType, shown: boolean) {
  const graph = newGraph();
  const specs: StateSpec[] = [];
  const hold = (name: string): Value => {
    specs.push({ name, shape: [N], dtype: type, category: 'parameters', scope: '' });
    return state(graph, name, [N], type);
  };
  const number = (name: string) => input(graph, name, [], 'f32');
  const { kind, settings, names, scalars } = optimizerOf({ rule: 'adamw', beta1: 0.9, beta2: 0.95, eps: 1e-6 });
  const moments = Object.fromEntries(names.map((name) => [name, cast(hold(name), 'f32')]));
  const next = optimizerUpdate(kind, settings, {
    p: cast(hold('p'), 'f32'),
    g: input(graph, 'g', [N], 'f32'),
    moments,
    gradientScale: number('scale'),
    hyper: {
      lr: number('lr'),
      decay: number('decay'),
      ...Object.fromEntries(scalars.map((name) => [name, number(name)])),
    },
  });
  const updates: StateUpdate[] = [
    { state: 'p', value: cast(next.p, type) },
    ...names.map((name) => ({ state: name, value: cast(next.moments[name]!, type) })),
  ];
  return { source: program('update', graph, shown ? { p: next.p, ...next.moments } : {}, updates), specs };
}

test('state of pure-bf16 is updated in one launch, with no cast before or behind it', () => {
  const of = (policy: string) => launchesOf(trainingOf(fromRecipe('quick', { 'precision.policy': policy })).update());
  expect(of('pure-bf16').filter((fn) => fn.startsWith('cast'))).toEqual([]);
  expect(of('pure-bf16')).toEqual(of('fp32'));
});

describe.skipIf(why !== undefined)(`on the emulated GPU${why ? ` (SKIPPED: ${why})` : ''}`, () => {
  beforeAll(emulatedDevice);

  // Would catch a sum that is rounded earlier or later than casts around the update round it.
  test.each(['bf16', 'f16'] as const)('has the bits that casts around the update give: %s', async (type) => {
    const results: Float32Array[][] = [];
    for (const shown of [false, true]) {
      const { source, specs } = updating(type, shown);
      expect(launchesOf(source).some((fn) => fn.startsWith('cast'))).toBe(shown);
      const session = (await emulatedExecutor()).open(specs);
      const r = random(SEED);
      for (const { name } of specs) session.write(name, Float32Array.from(r.normals(N), Math.abs));
      const loaded = session.load(source);
      for (let step = 0; step < 2; step++) {
        const numbers = { scale: 0.7, lr: 0.05, decay: 0.1, bias1: 0.1, bias2: 0.05 };
        const feeds = Object.fromEntries(Object.entries(numbers).map(([name, x]) => [name, Float32Array.of(x)]));
        await session.run(loaded, { ...feeds, g: Float32Array.from(r.normals(N)) });
      }
      results.push(await Promise.all(specs.map(({ name }) => session.read(name))));
      session.dispose();
    }
    expect(results[0]).toEqual(results[1]);
  });
});
