import { beforeAll, describe, expect, test } from 'vitest';
import { compileForCuda } from '../../../main/engine/executors/cuda/target.ts';
import { translate } from '../../../main/engine/executors/cuda/translate.ts';
import { selectExecutor } from '../../../main/engine/executors/select.ts';
import { newGraph } from '../../../main/engine/graph/operation.ts';
import { input, matmul } from '../../../main/engine/graph/ops/index.ts';
import { program } from '../../../main/engine/graph/program.ts';
import { precisionOf } from '../../../main/engine/nn/precision.ts';
import { programsOf } from '../../../main/engine/nn/programs.ts';
import { fitPlan } from '../../../main/lab/fit/index.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { whyNoEmulator } from './emulator/build.ts';
import { emulatedDevice, emulatedExecutor } from './harness.ts';
import { fromRecipe, trainingOf } from './planned.ts';

const why = whyNoEmulator();
const NOWHERE = { arena: 256, tables: 256, state: () => 256 };

/** Kernels of matrix products in all programs of a run. */
function productsOf(config: Config): readonly string[] {
  const training = trainingOf(config);
  const launches = programsOf(config).flatMap((call) =>
    translate(compileForCuda(call.build(training)), NOWHERE).pieces.flatMap((piece) => piece.launches),
  );
  return launches.map(({ launch }) => launch.fn).filter((fn) => /^gemm_(?!reduce)/u.test(fn));
}

describe('precision.tf32', () => {
  // Would catch a product that the setting does not reach (experts, the output layer, a backward pass, recomputation), or reaches unasked.
  test.each([
    ['quick', {}],
    ['experts-small', { 'precision.recompute': 'block' }],
  ])('%s: decides about all products of fp32, and about no byte of the plan', (recipe, changes) => {
    const of = (tf32: boolean, policy = 'fp32') =>
      fromRecipe(recipe, { ...changes, 'precision.policy': policy, 'precision.tf32': tf32 });
    const [off, on] = [productsOf(of(false)), productsOf(of(true))];
    expect(off.length).toBeGreaterThan(10);
    expect(off.filter((fn) => !fn.startsWith('gemm_f32_'))).toEqual([]);
    expect(on.filter((fn) => !fn.startsWith('gemm_tf32_'))).toEqual([]);
    expect(on).toHaveLength(off.length);
    expect(fitPlan(of(true), { kind: 'cuda' }).plannedBytes).toBe(fitPlan(of(false), { kind: 'cuda' }).plannedBytes);
    expect(productsOf(of(true, 'bf16'))).toEqual(productsOf(of(false, 'bf16')));
  });

  test('is refused where no units of a device do it', async () => {
    expect(precisionOf(fromRecipe('quick', { 'precision.tf32': true }))).toBe('tf32');
    await expect(selectExecutor('cpu', 'tf32')).rejects.toThrow(
      /cpu: does not run products of precision.tf32 \(it runs fp32, bf16, fp16, pure-bf16\)/u,
    );
  });
});

describe.skipIf(why !== undefined)(`on the emulated GPU${why ? ` (SKIPPED: ${why})` : ''}`, () => {
  beforeAll(emulatedDevice);

  test.each([
    [false, 1 + 2 ** -12],
    [true, 1],
  ])('products are rounded as they should: %s', async (tf32, rounded) => {
    const graph = newGraph();
    const [rows, depth, columns] = [5, 24, 7];
    const y = matmul(input(graph, 'a', [rows, depth], 'f32'), input(graph, 'b', [depth, columns], 'f32'));
    const session = (await emulatedExecutor()).open([]);
    const loaded = session.load({ ...program('product', graph, { y }), tf32 });
    const a = new Float32Array(rows * depth).fill(1 + 2 ** -12);
    const out = await session.run(loaded, { a, b: new Float32Array(depth * columns).fill(1) });
    expect([...out['y']!]).toEqual(Array(rows * columns).fill(depth * rounded));
    session.dispose();
  });
});
