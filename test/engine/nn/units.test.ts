/** Dead and saturated units of planted numbers, counted by what the functions are rather than by graphs. */
import { describe, expect, test } from 'vitest';
import { openCpuExecutor } from '../../../main/engine/executors/cpu/index.ts';
import { openTfjsExecutor } from '../../../main/engine/executors/tfjs/index.ts';
import { newGraph } from '../../../main/engine/graph/operation.ts';
import * as ops from '../../../main/engine/graph/ops/index.ts';
import type { Activation } from '../../../main/engine/graph/ops/index.ts';
import { program } from '../../../main/engine/graph/program.ts';
import type { Value } from '../../../main/engine/graph/value.ts';
import { deadUnits, saturatedUnits } from '../../../main/engine/nn/diagnostics/units.ts';
import type { Counted } from '../../../main/engine/nn/diagnostics/units.ts';
import { evaluate } from '../../oracles/reference.ts';
import { missingAddon } from '../executors/cpu/harness.ts';

const FUNCTIONS = ['gelu', 'gelu_tanh', 'silu', 'relu', 'relu2', 'tanh', 'sigmoid'] as const;
type Name = (typeof FUNCTIONS)[number];
const build = (name: Name, x: Value): Value =>
  name === 'tanh' ? ops.tanh(x) : name === 'sigmoid' ? ops.sigmoid(x) : ops.activation(x, name as Activation);

const [FROM, TO, STEP] = [-12, 12, 1 / 64];
const LINE = Float32Array.from({ length: (TO - FROM) / STEP + 1 }, (_, i) => FROM + i * STEP);

function numbersOf(name: Name, x: Float32Array): Float64Array {
  const graph = newGraph();
  const y = build(name, ops.input(graph, 'x', [x.length, 1], 'f32'));
  return Float64Array.from(evaluate([y], { x })[0]!);
}

/** Whether the slope is under a twentieth of its steepest from x to the nearer end of the line. */
function flatAlong(name: Name): boolean[] {
  const y = numbersOf(name, LINE);
  const slope = y.map((value, i) => Math.abs(((y[i + 1] ?? value) - (y[i - 1] ?? value)) / (2 * STEP)));
  const inner = slope.slice(1, -1);
  const steepest = Math.max(...inner);
  const flat = (i: number): boolean => inner[i]! < steepest / 20;
  const first = inner.findIndex((_, i) => !flat(i));
  const last = inner.findLastIndex((_, i) => !flat(i));
  return Array.from(LINE, (_, i) => i - 1 < first || i - 1 > last);
}

const TOKENS = 6;

describe('units that are saturated', () => {
  // Would catch a bound that lies where a function still moves, and a unit that counts though one token moves it.
  test.each(FUNCTIONS)('%s: where its slope is gone at every token', async (name) => {
    const flat = flatAlong(name);
    // Away from the edge itself, where a rounded bound and a sampled slope may differ.
    const clear = (i: number): boolean => flat.slice(Math.max(0, i - 16), i + 17).every((each) => each === flat[i]);
    const [still, moving] = [true, false].map((wanted) =>
      [...LINE.keys()].filter((i) => flat[i] === wanted && clear(i)).map((i) => LINE[i]!),
    ) as [number[], number[]];
    if (name.startsWith('relu')) {
      const graph = newGraph();
      const y = build(name, ops.input(graph, 'x', [TOKENS, 4], 'f32'));
      expect(saturatedUnits(y.node, { count: TOKENS })).toBeUndefined();
      return;
    }
    expect(Math.min(still.length, moving.length)).toBeGreaterThan(100);
    // A unit for each flat number (all its tokens are flat), and one for each number that is not, at one token of six.
    const units = still.length + moving.length;
    const x = new Float32Array(TOKENS * units);
    for (let t = 0; t < TOKENS; t++) {
      still.forEach((_, i) => (x[t * units + i] = still[(i + 7 * t) % still.length]!));
      moving.forEach(
        (value, i) => (x[t * units + still.length + i] = t === i % TOKENS ? value : still[i % still.length]!),
      );
    }
    for (const [where, found] of await counted(
      (given) => saturatedUnits(build(name, given).node, { count: TOKENS }),
      x,
      [TOKENS, units],
    ))
      expect(found, where).toEqual([still.length, units]);
  });

  test('of a gated MLP it is the gate; what has no number of each unit for each token is not counted', async () => {
    const gate = Float32Array.of(-5, 1, -5, -5, -5, -3);
    const gated = (x: Value) => saturatedUnits(ops.gatedActivation(x, ops.sub(x, x), 'silu').node, { count: 2 });
    for (const [where, found] of await counted(gated, gate, [2, 3])) expect(found, where).toEqual([1, 3]);
    expect(saturatedUnits(ops.tanh(ops.input(newGraph(), 'x', [2, 3, 3], 'f32')).node, { count: 2 })).toBeUndefined();
  });
});

/** The mask of a batch with padding, of one row. */
const masked = (x: Value, count: number) => ({ count, keyMask: ops.input(x.graph, 'keyMask', [1, count], 'u8') });

// Would catch a unit that lives by padding alone, a usual size that padding makes large, and a unit that is still but for padding.
test('padding counts in neither', async () => {
  const rest = { keyMask: Uint8Array.of(1, 0, 1) };
  /** Four units at three tokens, of which the second is padding. */
  const units = (padding: readonly number[]) => Float32Array.of(-5, -5, 2, 0.002, ...padding, -5, -5, 2, 0.002);
  for (const [count, fn, padding] of [
    // Without padding the usual size is 1 by relu; 0.002 is small beside 900.
    [deadUnits, 'relu', [5, -5, 0, 0]],
    [deadUnits, 'relu', [-5, -5, 900, 0]],
    [saturatedUnits, 'silu', [900, -5, 900, 0]],
  ] as const) {
    const of = (given: Value) => count(ops.activation(given, fn).node, masked(given, 3));
    for (const [where, found] of await counted(of, units(padding), [3, 4], rest))
      expect(found, `${where}, ${count.name} with ${String(padding)}`).toEqual([2, 4]);
  }
});

describe('units of experts', () => {
  /** Four tokens: expert 0 gets tokens 0 and 2, expert 1 none, expert 2 tokens 1 and 3. */
  const chosen = Float32Array.of(1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1);
  /** By token: two units of the expert that it is given to. */
  const numbers = Float32Array.of(-5, 0, -6, -7, -3, 0, 4, -3);

  const hidden = (x: Value): Value => {
    const places = ops.expertPlaces(ops.input(x.graph, 'chosen', [4, 3], 'f32'), 1);
    const one = ops.input(x.graph, 'one', [3, 2, 2], 'f32');
    return ops.activation(ops.groupedMatmul(ops.toPlaces(x, places), one, places.ends), 'gelu');
  };
  const rest = { chosen, one: Float32Array.from({ length: 12 }, (_, i) => Number(i % 4 === 0 || i % 4 === 3)) };

  // Would catch units of different experts that are taken to be one, and an expert without tokens that is taken to be saturated.
  test('are their own', async () => {
    for (const [where, found] of await counted(
      (x) => saturatedUnits(hidden(x).node, { count: 4 }),
      numbers,
      [4, 2],
      rest,
    ))
      // Of expert 0 the first (−5, −3), of expert 2 the second (−7, −3).
      expect(found, where).toEqual([2, 6]);
    for (const [where, found] of await counted((x) => deadUnits(hidden(x).node, { count: 4 }), numbers, [4, 2], rest))
      // Of expert 0 the second (0, 0), and both of expert 1; gelu(−3) is −0.004, which is still above a thousandth of what is usual.
      expect(found, where).toEqual([3, 6]);
  });

  // Would catch an expert that is said to be at work by its padding, and a mask that is read in the order of tokens.
  test('get no padding', async () => {
    const padded = { ...rest, keyMask: Uint8Array.of(0, 1, 1, 1) };
    const of = (count: typeof deadUnits) => (x: Value) => count(hidden(x).node, masked(x, 4));
    // Expert 0 has token 2 alone: its first unit is at −3. Of expert 2 both are as before.
    for (const [where, found] of await counted(of(saturatedUnits), numbers, [4, 2], padded))
      expect(found, where).toEqual([2, 6]);
    const idle = { ...rest, keyMask: Uint8Array.of(0, 1, 0, 1) };
    for (const [where, found] of await counted(of(saturatedUnits), numbers, [4, 2], idle))
      expect(found, where).toEqual([1, 6]);
    // Both units of expert 0, and of expert 1.
    for (const [where, found] of await counted(of(deadUnits), numbers, [4, 2], idle))
      expect(found, where).toEqual([4, 6]);
  });
});

/** The count by 64-bit reference, the native executor (where there is one) and TensorFlow.js, and of how many. */
async function counted(
  of: (x: Value) => Counted | undefined,
  x: Float32Array,
  shape: readonly number[],
  rest: Readonly<Record<string, Float32Array | Uint8Array>> = {},
): Promise<[string, [number, number]][]> {
  const found: [string, [number, number]][] = [];
  const made = () => of(ops.input(newGraph(), 'x', shape, 'f32'))!;
  const feeds = { x, ...rest };
  const { count, units } = made();
  found.push(['reference', [Number(evaluate([count], feeds)[0]![0]), units]]);
  const executors = [
    ...(missingAddon === undefined ? [openCpuExecutor({ threads: 2 })] : []),
    await openTfjsExecutor('tfjs-cpu', { plain: false }),
  ];
  for (const executor of executors) {
    const counts = made().count;
    const session = executor.open([]);
    const run = await session.run(session.load(program('units', counts.graph, { counts })), feeds);
    found.push([executor.device.name, [run.counts![0]!, units]]);
    session.dispose();
  }
  return found;
}
