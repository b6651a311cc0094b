import { describe, expect, it } from 'vitest';
import { cast, input } from '../../../main/engine/graph/ops/index.ts';
import { newGraph } from '../../../main/engine/graph/operation.ts';
import { program } from '../../../main/engine/graph/program.ts';
import { stochasticRounding } from '../../../main/engine/nn/stochasticRounding.ts';
import { selectExecutor } from '../../../main/engine/executors/select.ts';
import { loadNative } from '../../../main/engine/native/addon.ts';
import { Stream } from '../../../main/engine/random/stream.ts';

const seed = Math.floor(Math.random() * 2 ** 31);
const bits = new Uint32Array(1);
const asFloat = new Float32Array(bits.buffer);
/** The number in bf16 at or below |x|, with the sign of x. */
function truncated(x: number): number {
  asFloat[0] = x;
  bits[0] = (bits[0]! & 0xffff_0000) >>> 0;
  return asFloat[0];
}
/** The next one away from zero. */
function beyond(x: number): number {
  asFloat[0] = x;
  bits[0] = bits[0]! + 0x1_0000;
  return asFloat[0];
}

const devices = loadNative().native === undefined ? ['tfjs-cpu'] : ['tfjs-cpu', 'cpu'];

async function round(device: string, x: Float32Array, step: number): Promise<Float32Array> {
  const graph = newGraph();
  const [value, key] = [input(graph, 'x', [x.length], 'f32'), input(graph, 'key', [4], 'i32')];
  const y = cast(stochasticRounding(value, key, 3), 'f32');
  const session = (await selectExecutor(device)).executor.open([]);
  try {
    const loaded = session.load(program('round', graph, { y }, []));
    const out = await session.run(loaded, { x, key: Int32Array.of(seed, 7, step, 1) });
    return Float32Array.from(out.y as Float32Array);
  } finally {
    session.dispose();
  }
}

describe(`stochastic rounding (seed ${seed})`, () => {
  it.each(devices)('%s: takes one of the two neighbours, and the value itself where bf16 holds it', async (device) => {
    const random = new Stream(seed, 'values');
    const x = Float32Array.from({ length: 4000 }, (_, i) => {
      const value = (random.uniform() - 0.5) * 2 ** (random.int(40) - 20);
      return i % 4 === 0
        ? truncated(value)
        : i % 4 === 1
          ? 2 ** (random.int(20) - 10) * (1 - random.uniform() / 300)
          : value;
    });
    x[0] = 0;
    const y = await round(device, x, 1);
    for (const [i, value] of x.entries()) {
      const low = truncated(value);
      if (value === low) expect(y[i], String(value)).toBe(value);
      else expect([low, beyond(low)], String(value)).toContain(y[i]);
    }
  });

  it.each(devices)('%s: gives the value on the average, and other numbers at every step', async (device) => {
    for (const value of [1.001, -1.001, 0.9995, 3.017, -6.1e-4]) {
      const x = new Float32Array(20_000).fill(value);
      const y = await round(device, x, 2);
      const mean = y.reduce((sum, each) => sum + each, 0) / y.length;
      const gap = Math.abs(beyond(truncated(value)) - truncated(value));
      // Standard error of a mean of two values: at most gap / 2 / √20,000; six of them.
      expect(Math.abs(mean - x[0]!)).toBeLessThan((6 * gap) / 2 / Math.sqrt(20_000));
      expect(await round(device, x, 2)).toEqual(y);
      expect(await round(device, x, 3)).not.toEqual(y);
    }
  });
});
