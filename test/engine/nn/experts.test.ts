/** What is computed by groups equals what all experts compute for all tokens, with all but the chosen results multiplied by zero. */
import { describe, expect, test } from 'vitest';
import { openCpuExecutor } from '../../../main/engine/executors/cpu/index.ts';
import { openTfjsExecutor } from '../../../main/engine/executors/tfjs/index.ts';
import { differentiate } from '../../../main/engine/graph/differentiate.ts';
import { newGraph } from '../../../main/engine/graph/operation.ts';
import * as ops from '../../../main/engine/graph/ops/index.ts';
import { program } from '../../../main/engine/graph/program.ts';
import type { Value } from '../../../main/engine/graph/value.ts';
import { sizeOf } from '../../../main/engine/graph/value.ts';
import { random, SEED } from '../../oracles/random.ts';
import type { Random } from '../../oracles/random.ts';
import { evaluate } from '../../oracles/reference.ts';
import { missingAddon, relativeDifference } from '../executors/cpu/harness.ts';

interface Sizes {
  readonly n: number;
  readonly width: number;
  readonly mlp: number;
  readonly experts: number;
  readonly active: number;
}

type Inputs = Readonly<Record<'x' | 'weights' | 'up' | 'down' | 'chosen', Value>>;

function routed({ x, weights, up, down, chosen }: Inputs, { n, experts, active }: Sizes): Value {
  const places = ops.expertPlaces(chosen, active);
  const hidden = ops.activation(
    ops.groupedMatmul(ops.toPlaces(x, places), up, places.ends, { transposed: true }),
    'gelu',
  );
  const shares = ops.gather(ops.reshape(weights, [n * experts, 1]), places.source);
  return ops.fromPlaces(ops.mul(ops.groupedMatmul(hidden, down, places.ends), shares), places, n);
}

/** All experts beside each other as one wide MLP. */
function dense({ x, weights, up, down, chosen }: Inputs, { n, width, mlp, experts }: Sizes): Value {
  const hidden = ops.activation(ops.linear(x, ops.reshape(up, [experts * mlp, width])), 'gelu');
  const shares = ops.reshape(ops.mul(weights, chosen), [n, experts, 1]);
  const kept = ops.reshape(ops.mul(ops.reshape(hidden, [n, experts, mlp]), shares), [n, experts * mlp]);
  return ops.matmul(kept, ops.reshape(down, [experts * mlp, width]));
}

const WAYS = { routed, dense };

function shapesOf({ n, width, mlp, experts }: Sizes) {
  return {
    x: [n, width],
    weights: [n, experts],
    up: [experts, mlp, width],
    down: [experts, mlp, width],
    chosen: [n, experts],
    g: [n, width],
  };
}

/** The result, and gradients of everything but the choices. */
function built(sizes: Sizes, way: keyof typeof WAYS) {
  const graph = newGraph();
  const shapes = shapesOf(sizes);
  const given = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, ops.input(graph, name, shape, 'f32')]),
  ) as Record<keyof typeof shapes, Value>;
  const out = WAYS[way](given, sizes);
  const loss = ops.reshape(ops.reduceSum(ops.mul(out, given.g), [0, 1]), []);
  const names = ['x', 'weights', 'up', 'down'] as const;
  const gradients = differentiate(
    loss,
    names.map((name) => given[name]),
  );
  return program(way, graph, { out, ...Object.fromEntries(names.map((name, i) => [`d${name}`, gradients[i]!])) });
}

function feedsOf(r: Random, sizes: Sizes): Record<string, Float32Array> {
  const { n, experts, active } = sizes;
  const feeds = Object.fromEntries(
    Object.entries(shapesOf(sizes)).map(([name, shape]) => [name, Float32Array.from(r.normals(sizeOf(shape)))]),
  );
  const chosen = new Float32Array(n * experts);
  for (let t = 0; t < n; t++) {
    // One expert gets no token where there are enough others.
    const open = Array.from({ length: experts }, (_, e) => e).filter((e) => e !== 1 || experts <= active);
    for (let i = 0; i < active; i++) chosen[t * experts + open.splice(r.integer(0, open.length - 1), 1)[0]!] = 1;
  }
  return { ...feeds, chosen };
}

const SIZES: readonly Sizes[] = [
  { n: 13, width: 5, mlp: 7, experts: 5, active: 2 },
  { n: 37, width: 9, mlp: 17, experts: 3, active: 1 },
  { n: 6, width: 3, mlp: 4, experts: 2, active: 2 },
  { n: 201, width: 33, mlp: 65, experts: 7, active: 3 },
];

describe(`experts by groups equal all experts, masked (seed ${SEED})`, () => {
  // Catches a token that is lost, counted twice or given to another expert, and a gradient that an expert without tokens keeps.
  test.each(SIZES)('%o', async (sizes) => {
    const r = random(SEED + sizes.n);
    const feeds = feedsOf(r, sizes);
    const [mine, all] = [built(sizes, 'routed'), built(sizes, 'dense')];
    const names = [...all.outputs.keys()];
    const want = evaluate([...all.outputs.values()], feeds);
    if (sizes.n < 100)
      evaluate([...mine.outputs.values()], feeds).forEach((got, i) =>
        expect(relativeDifference(got, want[i]!), `float64 ${names[i]}`).toBeLessThanOrEqual(1e-12),
      );
    const executors = [
      ...(missingAddon === undefined ? [openCpuExecutor({ threads: 2 })] : []),
      await openTfjsExecutor('tfjs-wasm', { plain: false }),
    ];
    for (const executor of executors) {
      const session = executor.open([]);
      const got = await session.run(session.load(mine), feeds);
      names.forEach((name, i) =>
        expect(relativeDifference(got[name]!, want[i]!), `${executor.device.name} ${name}`).toBeLessThanOrEqual(1e-5),
      );
      session.dispose();
    }
  });
});
