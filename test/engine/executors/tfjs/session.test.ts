import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { planUse } from '../../../../main/engine/compile/use.ts';
import { probeExecutors } from '../../../../main/engine/executors/select.ts';
import { openTfjsExecutor } from '../../../../main/engine/executors/tfjs/index.ts';
import { roundToBfloat16, roundToHalf } from '../../../../main/engine/executors/tfjs/rounding.ts';
import { exp, normalCdf, tanh as fastTanh } from '../../../../main/engine/executors/tfjs/fast/math.ts';
import { ExecutorUnavailableError } from '../../../../main/engine/executors/executor.ts';
import type { Session } from '../../../../main/engine/executors/executor.ts';
import { newGraph } from '../../../../main/engine/graph/operation.ts';
import {
  add,
  cast,
  fill,
  input,
  matmul,
  mul,
  neg,
  reduceSum,
  reshape,
  state,
  tanh,
} from '../../../../main/engine/graph/ops/index.ts';
import { program } from '../../../../main/engine/graph/program.ts';
import type { StateSpec } from '../../../../main/engine/graph/program.ts';
import { interpret } from '../../../oracles/arena.ts';
import { gptStep } from '../../../oracles/gpt.ts';
import { randomProgram } from '../../../oracles/programs.ts';
import { random, SEED } from '../../../oracles/random.ts';
import { erf, roundedTo } from '../../../oracles/reference.ts';

const spec = (name: string, shape: number[], dtype: StateSpec['dtype'] = 'f32'): StateSpec => ({
  name,
  shape,
  dtype,
  category: 'parameters',
  scope: '',
});
const SMALL = { depth: 2, width: 16, heads: 2, vocabulary: 19, rows: 3, length: 8 };

async function trained(
  session: Session,
  step: ReturnType<typeof gptStep>,
  steps: number,
  size = SMALL,
): Promise<number[]> {
  for (const [name, data] of step.initial()) session.write(name, data);
  const loaded = session.load(step.program);
  const r = random(7);
  const count = size.rows * size.length;
  const tokens = r.integers(count, 0, size.vocabulary - 1);
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    const targets = tokens.map((token) => (token * 5 + 3) % size.vocabulary);
    const { loss } = await session.run(loaded, { tokens, targets, learningRate: Float32Array.of(0.01) });
    losses.push(loss![0]!);
  }
  return losses;
}

describe('training a small transformer', () => {
  test('learns, and the plain kernels, the fast ones and both backends agree (catches a wrong composite or gradient)', async () => {
    const all: number[][] = [];
    for (const kind of ['tfjs-cpu', 'tfjs-wasm'] as const) {
      for (const plain of [true, false]) {
        const step = gptStep(SMALL);
        const session = (await openTfjsExecutor(kind, { plain })).open(step.states);
        all.push(await trained(session, step, 12));
        session.dispose();
      }
    }
    expect(all[0]!.at(-1)!).toBeLessThan(all[0]![0]! * 0.6);
    for (const losses of all.slice(1)) {
      losses.forEach((loss, i) => expect(Math.abs(loss - all[0]![i]!)).toBeLessThan(2e-3));
      expect(Math.abs(losses[0]! - all[0]![0]!)).toBeLessThan(1e-5);
    }
  });

  for (const plain of [true, false]) {
    test(`gives the same bits twice (${plain ? 'plain' : 'fast'} kernels)`, async () => {
      const results: { losses: number[]; weights: Float32Array }[] = [];
      for (let i = 0; i < 2; i++) {
        const step = gptStep(SMALL);
        const session = (await openTfjsExecutor('tfjs-wasm', { plain })).open(step.states);
        results.push({ losses: await trained(session, step, 5), weights: await session.read('embedding') });
        session.dispose();
      }
      expect(results[1]).toEqual(results[0]);
    });
  }

  test('holds little more than its plan, and frees it all', async () => {
    const before = tf.memory().numTensors;
    const step = gptStep({ ...SMALL, length: 32, rows: 4 });
    const session = (await openTfjsExecutor('tfjs-wasm', { plain: true })).open(step.states);
    await trained(session, step, 2, { ...SMALL, length: 32, rows: 4 });
    const { plan } = session.load(step.program);
    const { heldBytes } = planUse(step.program.name, plan, SMALL.vocabulary);
    const { peakTemporaryBytes, persistentBytes } = session.memory();
    expect(persistentBytes).toBe(step.states.reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0));
    expect(peakTemporaryBytes).toBeGreaterThan(0.5 * heldBytes);
    // Results and new state are not made in place here, so a few arrays more than planned are held at a time.
    const largest = Math.max(...plan.buffers.map(({ bytes }) => bytes));
    expect(peakTemporaryBytes).toBeLessThan(heldBytes + 3 * largest);
    session.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('leaks no tensor over 1000 runs', async () => {
    const step = gptStep({ depth: 1, width: 4, heads: 1, vocabulary: 5, rows: 1, length: 2 });
    for (const kind of ['tfjs-cpu', 'tfjs-wasm'] as const) {
      const session = (await openTfjsExecutor(kind)).open(step.states);
      const loaded = session.load(step.program);
      const inputs = {
        tokens: Int32Array.of(1, 2),
        targets: Int32Array.of(2, -1),
        learningRate: Float32Array.of(0.01),
      };
      await session.run(loaded, inputs);
      const { numTensors, numBytes } = tf.memory();
      for (let i = 0; i < 500; i++) await session.run(loaded, inputs);
      expect(tf.memory()).toMatchObject({ numTensors, numBytes });
      session.dispose();
    }
  });
});

describe(`random programs with state equal their meaning (seed ${SEED})`, () => {
  for (const kind of ['tfjs-cpu', 'tfjs-wasm'] as const) {
    test(kind, async () => {
      const executor = await openTfjsExecutor(kind);
      for (let i = 0; i < 25; i++) {
        const { program: source, feeds } = randomProgram(random(SEED + i), { nodes: 40, wide: true });
        const expected = interpret(source, feeds);
        const names = Object.keys(feeds).filter((name) => name.startsWith('state'));
        const specs = source.graph.nodes
          .filter(({ op }) => op === 'state')
          .map(({ outputs, attrs }) => spec(attrs.name as string, [...outputs[0]!.shape]));
        const session = executor.open(specs);
        for (const name of names) session.write(name, feeds[name]!);
        const outputs = await session.run(session.load(source), feeds);
        const check = (label: string, data: ArrayLike<number>, wanted: Float64Array) => {
          const scale = wanted.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
          wanted.forEach((x, e) => {
            if (!(Math.abs(data[e]! - x) / scale < 1e-4))
              expect.fail(`program ${i} of seed ${SEED}, ${label}: ${data[e]} instead of ${x}`);
          });
        };
        for (const [name, wanted] of Object.entries(expected.outputs)) check(name, outputs[name]!, wanted);
        for (const [name, wanted] of Object.entries(expected.states)) check(name, await session.read(name), wanted);
        for (const name of names) {
          if (!(name in expected.states)) expect(await session.read(name)).toEqual(feeds[name]);
        }
        session.dispose();
      }
    });
  }
});

describe('16-bit values', () => {
  const values = Float32Array.of(
    0,
    -0,
    1,
    1.00390625,
    1.01171875,
    1 / 3,
    -2.71,
    65504,
    65519.99,
    65520,
    -1e30,
    3.4e38,
    6e-8,
    2.9e-8,
    3e-8,
    8.94e-8,
    1e-40,
    Infinity,
    -Infinity,
  );

  test('are rounded to nearest even, subnormals and overflow included (catches truncation)', () => {
    const r = random(SEED);
    const many = Float32Array.from([
      ...values,
      ...Array.from({ length: 5000 }, () => r.normal() * 2 ** r.integer(-30, 18)),
    ]);
    const bf16 = many.slice();
    const half = many.slice();
    roundToBfloat16(bf16);
    roundToHalf(half);
    many.forEach((x, i) => {
      expect(bf16[i], `bf16 of ${x}`).toBe(roundedTo('bf16', x));
      expect(half[i], `f16 of ${x}`).toBe(roundedTo('f16', x));
    });
    const nan = Float32Array.of(NaN);
    roundToBfloat16(nan);
    expect(nan[0]).toBeNaN();
  });

  test('are rounded after every node and when written', async () => {
    const graph = newGraph();
    const x = input(graph, 'x', [values.length], 'f32');
    const low = cast(x, 'bf16');
    const s = state(graph, 's', [3], 'bf16');
    const outputs = { low, twice: mul(low, low), s: add(s, cast(fill(graph, [3], 1 / 3), 'bf16')) };
    for (const kind of ['tfjs-cpu', 'tfjs-wasm'] as const) {
      const session = (await openTfjsExecutor(kind)).open([spec('s', [3], 'bf16')]);
      session.write('s', Float32Array.of(1 / 3, 100, -0.1));
      const third = roundedTo('bf16', 1 / 3);
      const stored = [third, 100, roundedTo('bf16', Math.fround(-0.1))];
      expect(Array.from(await session.read('s'))).toEqual(stored);
      const result = await session.run(session.load(program('p', graph, outputs)), { x: values });
      const rounded = Array.from(values, (v) => roundedTo('bf16', v));
      expect(Array.from(result.low!)).toEqual(rounded);
      expect(Array.from(result.twice!)).toEqual(rounded.map((v) => roundedTo('bf16', Math.fround(v * v))));
      expect(Array.from(result.s!)).toEqual(stored.map((v) => roundedTo('bf16', Math.fround(v + third))));
      session.dispose();
    }
  });
});

test('state changes when the run ends: outputs and other updates see the old value', async () => {
  const graph = newGraph();
  const a = state(graph, 'a', [2], 'f32');
  const b = state(graph, 'b', [2], 'f32');
  const x = input(graph, 'x', [2], 'f32');
  const next = add(a, x);
  const source = program(
    'p',
    graph,
    { before: a, view: reshape(a, [2, 1]), after: neg(next), sum: reduceSum(mul(a, next), [0]) },
    [
      { state: 'a', value: next },
      { state: 'b', value: a },
    ],
  );
  void b;
  const session = (await openTfjsExecutor('tfjs-wasm')).open([spec('a', [2]), spec('b', [2])]);
  session.write('a', Float32Array.of(1, 2));
  const loaded = session.load(source);
  for (const [from, to] of [
    [
      [1, 2],
      [4, 6],
    ],
    [
      [4, 6],
      [7, 10],
    ],
  ] as const) {
    const result = await session.run(loaded, { x: Float32Array.of(3, 4) });
    expect(Array.from(result.before!)).toEqual(from);
    expect(Array.from(result.view!)).toEqual(from);
    expect(Array.from(result.after!)).toEqual(to.map((v) => -v));
    expect(result.sum![0]).toBe(from[0]! * to[0]! + from[1]! * to[1]!);
    expect(Array.from(await session.read('a'))).toEqual(to);
    expect(Array.from(await session.read('b'))).toEqual(from);
  }
  session.dispose();
});

describe('what is asked wrongly is refused by name', () => {
  test('inputs, states and sessions', async () => {
    const executor = await openTfjsExecutor('tfjs-wasm');
    expect(() => executor.open([spec('a', [1]), spec('a', [2])])).toThrow(/same name/);
    const session = executor.open([spec('a', [2])]);
    const graph = newGraph();
    const x = input(graph, 'x', [2], 'f32');
    const loaded = session.load(program('p', graph, { y: tanh(x) }));
    await expect(session.run(loaded, {})).rejects.toThrow(/input x .* missing/);
    await expect(session.run(loaded, { x: Int32Array.of(1, 2) })).rejects.toThrow(
      /Float32Array of 2 .*Int32Array of 2/,
    );
    await expect(session.run(loaded, { x: new Float32Array(3) })).rejects.toThrow(/got Float32Array of 3/);
    const other = newGraph();
    expect(() => session.load(program('p', other, { y: state(other, 'zz', [2], 'f32') }))).toThrow(/no state zz/);
    const wrong = newGraph();
    expect(() => session.load(program('p', wrong, { y: state(wrong, 'a', [3], 'f32') }))).toThrow(/f32\[2\].*f32\[3\]/);
    expect(() =>
      session.load(program('p', graph, {}, [{ state: 'a', value: matmul(reshape(x, [1, 2]), reshape(x, [2, 1])) }])),
    ).toThrow(/state a/);
    expect(() => session.write('a', new Float32Array(5))).toThrow(/f32\[2\], got 5/);
    const { numTensors } = tf.memory();
    await expect(session.run(loaded, {})).rejects.toThrow();
    expect(tf.memory().numTensors).toBe(numTensors);
    session.dispose();
    await expect(session.read('a')).rejects.toThrow(/disposed/);
  });

  test('an executor that is not there: the probe and the error say what is missing', async () => {
    const probed = (await probeExecutors()).filter(({ kind }) => kind.group === 'tfjs');
    expect(probed.map(({ kind }) => kind.name)).toEqual(['tfjs-gpu', 'tfjs-wasm', 'tfjs-cpu']);
    expect(probed.slice(1).every(({ available }) => available)).toBe(true);
    const gpu = probed[0]!;
    if (gpu.available) return;
    expect(gpu.detail).toMatch(/@tensorflow\/tfjs-node-gpu/);
    expect(gpu.advice).toMatch(/npm install @tensorflow\/tfjs-node-gpu/);
    await expect(openTfjsExecutor('tfjs-gpu')).rejects.toThrow(ExecutorUnavailableError);
  });

  test('starting the WASM backend leaves no handlers behind that would turn a rejection into a crash', async () => {
    await openTfjsExecutor('tfjs-wasm');
    const foreign = [...process.rawListeners('unhandledRejection'), ...process.rawListeners('uncaughtException')].map(
      String,
    );
    expect(foreign.filter((text) => text.includes('ExitStatus'))).toEqual([]);
  });
});

test('the fast functions are accurate to float32', () => {
  for (let x = -80; x < 80; x += 0.0137) {
    expect(Math.abs(exp(x) / Math.exp(x) - 1)).toBeLessThan(1e-9);
    expect(Math.abs(fastTanh(x) - Math.tanh(x))).toBeLessThan(1e-9);
  }
  for (let x = -8; x < 8; x += 0.01)
    expect(Math.abs(normalCdf(x, Math.exp((-x * x) / 2)) - 0.5 * (1 + erf(x / Math.SQRT2)))).toBeLessThan(1.5e-7);
  expect([exp(-Infinity), exp(Infinity), exp(-1e30), exp(0)]).toEqual([0, Infinity, 0, 1]);
  expect(exp(NaN)).toBeNaN();
});
