/** Composites against formulas written out here directly on plain arrays, from the literature and not from their decompositions. */
import { describe, expect, test } from 'vitest';
import { newGraph } from '../../../main/engine/graph/operation.ts';
import * as ops from '../../../main/engine/graph/ops/index.ts';
import type { Attributes, Value } from '../../../main/engine/graph/value.ts';
import { fillUniform } from '../../../main/engine/random/philox.ts';
import { random, SEED } from '../../oracles/random.ts';
import { erf, evaluate } from '../../oracles/reference.ts';
import type { Feeds } from '../../oracles/reference.ts';
import { ATTENTION_VARIANTS, attentionInputs, buildAttention } from './cases/attention.ts';
import type { AttentionVariant } from './cases/attention.ts';
import type { CaseInput } from './cases/case.ts';
import { OPTIMIZER_VARIANTS, optimizerOf } from './cases/optimizer.ts';

function close(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-10): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!) / Math.max(1, Math.abs(expected[i]!));
    if (!(error < tolerance)) expect.fail(`element ${i}: ${actual[i]} instead of ${expected[i]} (seed ${SEED})`);
  }
}

/** Values of f's outputs on the given inputs, in float64. */
function run(
  inputs: Readonly<Record<string, CaseInput>>,
  f: (x: Record<string, Value>) => readonly Value[],
  changed: Feeds = {},
) {
  const graph = newGraph();
  const values: Record<string, Value> = {};
  const feeds: Record<string, ArrayLike<number>> = {};
  for (const [name, { shape, dtype, data }] of Object.entries(inputs)) {
    values[name] = ops.input(graph, name, shape, dtype);
    feeds[name] = changed[name] ?? data;
  }
  return evaluate(f(values), feeds);
}
const array = (shape: number[], data: Float32Array | Int32Array): CaseInput => ({
  shape,
  dtype: data instanceof Int32Array ? 'i32' : 'f32',
  data,
  differentiable: true,
});

/** Attention one query at a time, straight from its definition. */
function attentionByHand(x: Readonly<Record<string, CaseInput>>, variant: AttentionVariant): Float64Array {
  const [batch, tq, heads, size] = x.q!.shape as [number, number, number, number];
  const [, tk, kvHeads, valueSize] = x.v!.shape as [number, number, number, number];
  const out = new Float64Array(batch * tq * heads * valueSize);
  const draws = new Float32Array(batch * heads * tq * tk);
  if (x.key) {
    const [seedLo, seedHi, step, micro] = x.key.data as unknown as [number, number, number, number];
    fillUniform(draws, { seedLo: seedLo >>> 0, seedHi: seedHi >>> 0 }, 3, step, micro);
  }
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      const kv = Math.floor(h / (heads / kvHeads));
      for (let i = 0; i < tq; i++) {
        const place = i + tk - tq;
        const weights: [key: number, weight: number][] = [];
        for (let j = 0; j < tk; j++) {
          if (variant.causal === true && j > place) continue;
          if (variant.window !== undefined && place - j >= variant.window) continue;
          if (x.keyMask && x.keyMask.data[b * tk + j] === 0) continue;
          if (x.starts && j < x.starts.data[b * tq + i]!) continue;
          let score = 0;
          for (let d = 0; d < size; d++)
            score +=
              x.q!.data[((b * tq + i) * heads + h) * size + d]! * x.k!.data[((b * tk + j) * kvHeads + kv) * size + d]!;
          score /= Math.sqrt(size);
          if (variant.softcap !== undefined) score = variant.softcap * Math.tanh(score / variant.softcap);
          if (x.slope) score -= x.slope.data[h]! * (place - j);
          weights.push([j, Math.exp(score)]);
        }
        const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
        for (const [j, weight] of weights) {
          let p = weight / total;
          if (variant.rate !== undefined)
            p = draws[((b * heads + h) * tq + i) * tk + j]! < variant.rate ? 0 : p / (1 - variant.rate);
          for (let d = 0; d < valueSize; d++)
            out[((b * tq + i) * heads + h) * valueSize + d]! +=
              p * x.v!.data[((b * tk + j) * kvHeads + kv) * valueSize + d]!;
        }
      }
    }
  }
  return out;
}

describe('attention', () => {
  ATTENTION_VARIANTS.forEach((variant, number) => {
    test(`${variant.title}: equals its definition`, () => {
      const inputs = attentionInputs(random(SEED + number), variant);
      close(run(inputs, (x) => [buildAttention(variant, x)])[0]!, attentionByHand(inputs, variant));
    });
  });

  test('does not look ahead: what follows a token changes nothing before it, bit for bit (catches a leaking mask)', () => {
    for (const variant of ATTENTION_VARIANTS.filter(({ causal }) => causal === true)) {
      const r = random(SEED);
      const inputs = attentionInputs(r, variant);
      const [batch, tq, heads] = inputs.q!.shape as [number, number, number];
      const tk = inputs.k!.shape[1]!;
      const per = heads * inputs.v!.shape[3]!;
      const before = run(inputs, (x) => [buildAttention(variant, x)])[0]!;
      for (let t = 0; t < tk; t++) {
        const touched: Record<string, Float32Array> = {};
        for (const name of ['k', 'v']) {
          const { shape, data } = inputs[name]!;
          const row = shape[2]! * shape[3]!;
          touched[name] = Float32Array.from(data, (value, i) => (Math.floor(i / row) % tk === t ? 5 - value : value));
        }
        const after = run(inputs, (x) => [buildAttention(variant, x)], touched)[0]!;
        let changed = false;
        for (let i = 0; i < before.length; i++) {
          const place = (Math.floor(i / per) % tq) + tk - tq;
          if (place < t)
            expect(Object.is(after[i], before[i]), `${variant.title}: token ${t} reached query ${place}`).toBe(true);
          else changed ||= after[i] !== before[i];
        }
        expect(
          changed || variant.keyMask !== undefined || variant.rate !== undefined,
          `${variant.title}: token ${t} reaches nobody`,
        ).toBe(true);
      }
      expect(batch).toBe(2);
    }
  });

  test('of a query without any key is zero, not NaN', () => {
    const variant = ATTENTION_VARIANTS.find(({ keyMask }) => keyMask === 'first row empty')!;
    const inputs = attentionInputs(random(SEED), variant);
    const out = run(inputs, (x) => [buildAttention(variant, x)])[0]!;
    expect(out.slice(0, out.length / 2).every((x) => x === 0)).toBe(true);
  });
});

describe('norms', () => {
  for (const kind of ['layer', 'rms'] as const) {
    test(`${kind}: equals mean and variance written out`, () => {
      const r = random(SEED);
      const [rows, width, eps] = [5, 7, 1e-3];
      const x = r.normals(rows * width, 2, 1);
      const gain = r.normals(width);
      const bias = r.normals(width);
      const expected = Float64Array.from(x, (value, i) => {
        const row = x.slice(i - (i % width), i - (i % width) + width);
        const mean = kind === 'layer' ? row.reduce((a, b) => a + b / width, 0) : 0;
        const variance = Array.from(row, (y) => (y - mean) ** 2 / width).reduce((a, b) => a + b, 0);
        return ((value - mean) / Math.sqrt(variance + eps)) * gain[i % width]! + bias[i % width]!;
      });
      const inputs = { x: array([rows, width], x), gain: array([width], gain), bias: array([width], bias) };
      close(run(inputs, (v) => [ops.norm(v.x!, v.gain!, { kind, eps, bias: v.bias })])[0]!, expected, 1e-6);
    });
  }
});

describe('activations', () => {
  const formulas = {
    gelu: (x: number) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
    gelu_tanh: (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    silu: (x: number) => x / (1 + Math.exp(-x)),
    relu2: (x: number) => Math.max(0, x) ** 2,
  };
  for (const [fn, f] of Object.entries(formulas) as [ops.Activation, (x: number) => number][]) {
    test(`${fn} and its gated form`, () => {
      const r = random(SEED);
      const inputs = { a: array([33], r.normals(33, 3)), b: array([33], r.normals(33)) };
      const [plain, gated] = run(inputs, ({ a, b }) => [ops.activation(a!, fn), ops.gatedActivation(a!, b!, fn)]);
      const expected = Float64Array.from(inputs.a.data, f);
      close(plain!, expected);
      close(
        gated!,
        expected.map((y, i) => y * inputs.b.data[i]!),
      );
    });
  }
  test('erf of the oracle equals published values (Abramowitz & Stegun table 7.1)', () => {
    close([0.5, 1, 1.5, 2].map(erf), [0.5204998778, 0.8427007929, 0.9661051465, 0.995322265], 1e-10);
    expect(erf(-1)).toBe(-erf(1));
    expect(Math.abs(erf(2.5 - 1e-9) - erf(2.5 + 1e-9))).toBeLessThan(1e-11);
  });
});

test('rotary turns each pair of features by position × frequency (complex numbers, textbook form)', () => {
  const r = random(SEED);
  const [batch, length, heads, size, base] = [2, 5, 3, 6, 100];
  const x = r.normals(batch * length * heads * size);
  const expected = new Float64Array(x.length);
  for (let i = 0; i < x.length; i += size) {
    const t = Math.floor(i / (heads * size)) % length;
    for (let pair = 0; pair < size / 2; pair++) {
      const angle = t / base ** ((2 * pair) / size);
      const [re, im] = [x[i + pair]!, x[i + pair + size / 2]!];
      expected[i + pair] = re * Math.cos(angle) - im * Math.sin(angle);
      expected[i + pair + size / 2] = re * Math.sin(angle) + im * Math.cos(angle);
    }
  }
  close(run({ x: array([batch, length, heads, size], x) }, (v) => [ops.rotary(v.x!, base)])[0]!, expected);
});

test('cross-entropy is −log soft-max of the target, zero for ignored targets; correct counts the most likely', () => {
  const r = random(SEED);
  const [n, width, vocabulary, softcap] = [6, 3, 5, 2];
  const targets = Int32Array.of(0, 4, -1, 2, -1, 1);
  const inputs = {
    h: array([n, width], r.normals(n * width, 2)),
    w: array([vocabulary, width], r.normals(vocabulary * width)),
    t: array([n], targets),
  };
  const [loss, correct] = run(inputs, ({ h, w, t }) => {
    const both = ops.linearCrossEntropy(h!, w!, t!, { softcap });
    return [both.loss, both.correct];
  });
  targets.forEach((target, i) => {
    const logits = Array.from({ length: vocabulary }, (_, v) => {
      let sum = 0;
      for (let d = 0; d < width; d++) sum += inputs.h.data[i * width + d]! * inputs.w.data[v * width + d]!;
      return softcap * Math.tanh(sum / softcap);
    });
    const total = logits.reduce((sum, x) => sum + Math.exp(x), 0);
    close([loss![i]!], [target < 0 ? 0 : -Math.log(Math.exp(logits[target]!) / total)]);
    expect(correct![i]).toBe(Number(logits.indexOf(Math.max(...logits)) === target));
  });
});

test('dropout keeps exactly the elements that Philox draws, scaled (catches another stream or order)', () => {
  const r = random(SEED);
  const x = r.normals(97);
  const draws = new Float32Array(97);
  fillUniform(draws, { seedLo: 12, seedHi: 3 }, 8, 40, 2);
  const inputs = { x: array([97], x), key: array([4], Int32Array.of(12, 3, 40, 2)) };
  const out = run(inputs, (v) => [ops.dropout(v.x!, v.key!, 0.25, 8)])[0]!;
  close(
    out,
    Float64Array.from(x, (value, i) => (draws[i]! < 0.25 ? 0 : value / 0.75)),
  );
});

describe('optimizer rules over several steps equal plain loops', () => {
  const [lr, decay, steps] = [0.1, 0.05, 6];
  const scalarRules: Record<
    string,
    (a: Attributes) => (p: number, g: number, s: Record<string, number>, t: number) => number
  > = {
    adamw: (a) => (p, g, s, t) => {
      const [b1, b2] = [a.beta1 as number, a.beta2 as number];
      s.m = b1 * s.m! + (1 - b1) * g;
      s.v = b2 * s.v! + (1 - b2) * g * g;
      const step = s.m / (1 - b1 ** t) / (Math.sqrt(s.v / (1 - b2 ** t)) + (a.eps as number));
      return p - lr * decay * p - lr * step;
    },
    adam: (a) => (p, g0, s, t) => {
      const [b1, b2] = [a.beta1 as number, a.beta2 as number];
      const g = g0 + decay * p;
      s.m = b1 * s.m! + (1 - b1) * g;
      s.v = b2 * s.v! + (1 - b2) * g * g;
      return p - (lr * (s.m / (1 - b1 ** t))) / (Math.sqrt(s.v / (1 - b2 ** t)) + (a.eps as number));
    },
    sgd: (a) => (p, g0, s) => {
      const g = g0 + decay * p;
      const mu = a.momentum as number;
      if (mu === 0) return p - lr * g;
      s.m = mu * s.m! + g;
      return p - lr * (a.nesterov === true ? g + mu * s.m : s.m);
    },
    adagrad: (a) => (p, g0, s) => {
      const g = g0 + decay * p;
      s.v! += g * g;
      return p - (lr * g) / (Math.sqrt(s.v!) + (a.eps as number));
    },
    rmsprop: (a) => (p, g0, s) => {
      const alpha = a.alpha as number;
      const g = g0 + decay * p;
      s.v = alpha * s.v! + (1 - alpha) * g * g;
      s.mean = alpha * s.mean! + (1 - alpha) * g;
      const variance = a.centered === true ? s.v - s.mean ** 2 : s.v;
      const step = g / (Math.sqrt(variance) + (a.eps as number));
      s.m = (a.momentum as number) * s.m! + step;
      return p - lr * s.m;
    },
  };
  for (const attrs of OPTIMIZER_VARIANTS) {
    test(JSON.stringify(attrs), () => {
      const r = random(SEED);
      const count = 5;
      const gradients = Array.from({ length: steps }, () => r.normals(count));
      const start = r.normals(count);
      const byHand = Array.from(start, (p0, i) => {
        const rule = scalarRules[attrs.rule]!(attrs);
        const s = { m: 0, v: 0, mean: 0 };
        return gradients.reduce((p, g, t) => rule(p, g[i]!, s, t + 1), p0);
      });
      const { kind, settings, names, scalars } = optimizerOf(attrs);
      const graph = newGraph();
      const of = (name: string, shape: number[]) => ops.input(graph, name, shape, 'f32');
      const numbers = Object.fromEntries(['lr', 'decay', ...scalars].map((name) => [name, of(name, [])]));
      const update = ops.optimizerUpdate(kind, settings, {
        p: of('p', [count]),
        g: of('g', [count]),
        moments: Object.fromEntries(names.map((name) => [name, of(name, [count])])),
        gradientScale: of('scale', []),
        hyper: numbers as ops.Hyper,
      });
      let p: ArrayLike<number> = start;
      let moments: ArrayLike<number>[] = names.map(() => new Float64Array(count));
      gradients.forEach((g, t) => {
        const feeds: Record<string, ArrayLike<number>> = {
          p,
          // The rule removes this factor again.
          g: Float64Array.from(g, (x) => x * 4),
          scale: [0.25],
          lr: [lr],
          decay: [decay],
          bias1: [1 - ((attrs.beta1 as number) ?? 0) ** (t + 1)],
          bias2: [1 - ((attrs.beta2 as number) ?? 0) ** (t + 1)],
        };
        names.forEach((name, i) => (feeds[name] = moments[i]!));
        [p, ...moments] = evaluate([update.p, ...names.map((name) => update.moments[name]!)], feeds) as [
          Float64Array,
          ...Float64Array[],
        ];
      });
      close(p, byHand, 1e-9);
    });
  }

  test('Adam moves by the learning rate on its first step whatever the gradient (Kingma & Ba 2015, §2.1)', () => {
    const graph = newGraph();
    const of = (value: number) => ops.fill(graph, [], value);
    const hyper = { lr: of(0.1), decay: of(0), bias1: of(0.1), bias2: of(0.001) };
    const g = ops.input(graph, 'g', [3], 'f32');
    const zero = ops.fill(graph, [3], 0);
    const { kind, settings } = optimizerOf({ rule: 'adam', beta1: 0.9, beta2: 0.999, eps: 1e-12 });
    const moments = { first: zero, second: zero };
    const { p } = ops.optimizerUpdate(kind, settings, { p: zero, g, moments, gradientScale: of(1), hyper });
    close(evaluate([p], { g: [1e-3, -7, 400] })[0]!, [-0.1, 0.1, -0.1], 1e-8);
  });
});
