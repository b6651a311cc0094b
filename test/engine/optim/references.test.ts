/**
 * Fifty updates of parameters of many shapes against references written from the papers in float64, on fresh random gradients. Matrices are
 * orthogonalised through a singular value decomposition here, by products of matrices there.
 */
import { describe, expect, test } from 'vitest';
import { Catalog } from '../../../main/engine/catalog.ts';
import { openTfjsExecutor } from '../../../main/engine/executors/tfjs/index.ts';
import { openCpuExecutor } from '../../../main/engine/executors/cpu/index.ts';
import type { Executor } from '../../../main/engine/executors/executor.ts';
import { sizeOf } from '../../../main/engine/graph/value.ts';
import { defineModel } from '../../../main/engine/nn/model.ts';
import { gradientName } from '../../../main/engine/nn/training.ts';
import { hyperParameters } from '../../../main/engine/optim/hyper.ts';
import { buildSchedules } from '../../../main/engine/optim/schedule.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { missingAddon } from '../executors/cpu/harness.ts';
import { generator, programsOf, variantConfig } from '../nn/variants.ts';
import { decidesBySign, difference } from './difference.ts';

const STEPS = 50;
const seed = Math.floor(Math.random() * 2 ** 31);

/** Tall, wide, square, stacked, thin. */
const MATRICES = { tall: [13, 5], wide: [6, 11], square: [7, 7], stacked: [3, 4, 6], thin: [1, 9] } as const;

const shapes = defineModel({
  name: 'shapes',
  help: 'Parameters of many shapes.',
  build(m) {
    const initial = { kind: 'normal', std: 0.3 } as const;
    const table = m.parameter('table', [m.vocabularySize, 6], { role: 'embedding', initial });
    for (const [name, shape] of Object.entries(MATRICES)) m.parameter(name, shape, { role: 'matrix', initial });
    m.parameter('vector', [8], { role: 'vector', initial });
    return { hidden: m.ops.gather(table, m.tokens), head: table };
  },
});
const kinds = new Catalog([{ file: 'shapes.ts', kinds: [shapes] }]);

type Matrix = number[][];
const opt = (c: Config, name: string) => c[`optimizer.${name}`] as number;
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const transposed = (a: Matrix): Matrix => a[0]!.map((_, j) => a.map((row) => row[j]!));
const norm = (a: Matrix) => Math.sqrt(a.flat().reduce((sum, x) => sum + x * x, 0));

/** One-sided Jacobi rotations: the rows of `a` made orthogonal to each other, for `a` with no more rows than columns. */
function decomposed(a: Matrix): { readonly u: Matrix; readonly s: number[]; readonly v: Matrix } {
  const rows = a.map((row) => [...row]);
  const u = a.map((_, i) => a.map((__, j) => (i === j ? 1 : 0)));
  const rotate = (m: Matrix, p: number, q: number, c: number, s: number) => {
    const [x, y] = [m[p]!, m[q]!];
    m[p] = x.map((value, i) => c * value - s * y[i]!);
    m[q] = x.map((value, i) => s * value + c * y[i]!);
  };
  for (let sweep = 0; sweep < 60; sweep++)
    for (let p = 0; p < rows.length; p++)
      for (let q = p + 1; q < rows.length; q++) {
        const [alpha, beta, gamma] = [dot(rows[p]!, rows[p]!), dot(rows[q]!, rows[q]!), dot(rows[p]!, rows[q]!)];
        if (gamma === 0) continue;
        const zeta = (beta - alpha) / (2 * gamma);
        const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
        const c = 1 / Math.sqrt(1 + t * t);
        rotate(rows, p, q, c, c * t);
        rotate(u, p, q, c, c * t);
      }
  const s = rows.map((row) => Math.sqrt(dot(row, row)));
  return { u: transposed(u), s, v: rows.map((row, i) => row.map((x) => x / s[i]!)) };
}

/** The five polynomials of Polar Express on a singular value. */
const polar = (x: number): number =>
  [
    [8.156554524902461, -22.48329292557795, 15.878769915207462],
    [4.042929935166739, -2.808917465908714, 0.5000178451051316],
    [3.8916678022926607, -2.772484153217685, 0.5060648178503393],
    [3.285753657755655, -2.3681294933425376, 0.46449024233003106],
    [2.3465413258596377, -1.7097828382687081, 0.42323551169305323],
  ].reduce((y, [a, b, c]) => a! * y + b! * y ** 3 + c! * y ** 5, x);

function orthogonal(a: Matrix): Matrix {
  if (a.length > a[0]!.length) return transposed(orthogonal(transposed(a)));
  const size = 1.02 * norm(a) + 1e-6;
  const { u, s, v } = decomposed(a);
  const made = s.map((value) => polar(value / size));
  return a.map((row, i) => row.map((_, j) => made.reduce((sum, m, k) => sum + u[i]![k]! * m * v[k]![j]!, 0)));
}

/** The momentum of update t. */
const momentumAt = (c: Config, name: string, t: number): number => {
  if (c['optimizer.momentum_schedule'] === 'constant') return opt(c, name);
  return 0.85 + (opt(c, name) - 0.85) * Math.min(1, (t - 1) / opt(c, 'momentum_rise_steps'));
};

interface Hyper {
  readonly lr: number;
  readonly decay: number;
  readonly t: number;
  readonly c: Config;
}
/** What a parameter keeps, by name; made of zeros when first asked for. */
type State = (name: string, count: number) => Float64Array;

/** Element by element, as the papers and PyTorch write them. */
const ELEMENTS: Record<string, (w: number, g: number, s: (name: string) => { x: number }, h: Hyper) => number> = {
  adamw(w, g, s, { lr, decay, t, c }) {
    const [b1, b2] = [momentumAt(c, 'beta1', t), opt(c, 'beta2')];
    const [m, v, top] = [s('m'), s('v'), s('top')];
    m.x = b1 * m.x + (1 - b1) * g;
    v.x = b2 * v.x + (1 - b2) * g * g;
    top.x = Math.max(top.x, v.x);
    const second = c['optimizer.amsgrad'] === true ? top.x : v.x;
    return w * (1 - lr * decay) - (lr * (m.x / (1 - b1 ** t))) / (Math.sqrt(second / (1 - b2 ** t)) + opt(c, 'eps'));
  },
  nadam(w, g, s, { lr, decay, t, c }) {
    const [b1, b2] = [opt(c, 'beta1'), opt(c, 'beta2')];
    const [m, v, log] = [s('m'), s('v'), s('logProduct')];
    const mu = (at: number) => b1 * (1 - 0.5 * 0.96 ** (at * 0.004));
    log.x += Math.log(mu(t));
    const product = Math.exp(log.x);
    m.x = b1 * m.x + (1 - b1) * g;
    v.x = b2 * v.x + (1 - b2) * g * g;
    const denominator = Math.sqrt(v.x / (1 - b2 ** t)) + opt(c, 'eps');
    const kept = w * (1 - lr * decay);
    const own = (lr * (1 - mu(t)) * g) / ((1 - product) * denominator);
    return kept - own - (lr * mu(t + 1) * m.x) / ((1 - product * mu(t + 1)) * denominator);
  },
  // x, y and z as the paper writes them; nothing here is a difference of two.
  schedule_free(y, g, s, { lr, decay, t, c }) {
    const [b1, b2] = [opt(c, 'beta1'), opt(c, 'beta2')];
    const [x, z, v, sum] = [s('x'), s('z'), s('v'), s('sum')];
    if (t === 1) x.x = z.x = y;
    v.x = b2 * v.x + (1 - b2) * g * g;
    z.x -= lr * (g / (Math.sqrt(v.x / (1 - b2 ** t)) + opt(c, 'eps')) + decay * y);
    sum.x += lr ** 2;
    x.x += (lr ** 2 / sum.x) * (z.x - x.x);
    return (1 - b1) * z.x + b1 * x.x;
  },
  sgd(w, g, s, { lr, decay, t, c }) {
    const m = s('m');
    const mu = momentumAt(c, 'momentum', t);
    const full = g + decay * w;
    m.x = mu * m.x + full;
    return w - lr * (c['optimizer.nesterov'] === true ? full + mu * m.x : m.x);
  },
  lion(w, g, s, { lr, decay, c }) {
    const [b1, b2] = [opt(c, 'beta1'), opt(c, 'beta2')];
    const m = s('m');
    const direction = Math.sign(b1 * m.x + (1 - b1) * g);
    m.x = b2 * m.x + (1 - b2) * g;
    return w * (1 - lr * decay) - lr * direction;
  },
};

const rootMeanSquare = (x: ArrayLike<number>) => Math.sqrt(Array.from(x).reduce((sum, y) => sum + y * y, 0) / x.length);
/** Each matrix along the last two axes. */
const pieces = (shape: readonly number[], x: Float64Array): Matrix[] => {
  const [rows, columns] = shape.slice(-2) as [number, number];
  return Array.from({ length: x.length / rows / columns }, (_, k) =>
    Array.from({ length: rows }, (__, i) =>
      Array.from(x.subarray((k * rows + i) * columns, (k * rows + i + 1) * columns)),
    ),
  );
};

function adafactor(shape: readonly number[], w: Float64Array, g: Float64Array, s: State, h: Hyper): void {
  const { c, lr, decay, t } = h;
  const rate = t ** -opt(c, 'decay_power');
  const u = new Float64Array(w.length);
  if (shape.length >= 2 && shape.slice(-2).every((size) => size > 1)) {
    const [rows, columns] = shape.slice(-2) as [number, number];
    const [r, k] = [s('rows', w.length / columns), s('columns', w.length / rows)];
    for (const [piece, m] of pieces(shape, g).entries()) {
      const squares = m.map((row) => row.map((x) => x * x + 1e-30));
      squares.forEach((row, i) => {
        const at = piece * rows + i;
        r[at] = r[at]! + rate * (row.reduce((a, b) => a + b) / columns - r[at]!);
      });
      transposed(squares).forEach((column, j) => {
        const at = piece * columns + j;
        k[at] = k[at]! + rate * (column.reduce((a, b) => a + b) / rows - k[at]!);
      });
      const own = r.subarray(piece * rows, (piece + 1) * rows);
      const mean = own.reduce((a, b) => a + b) / rows;
      m.forEach((row, i) =>
        row.forEach((x, j) => {
          u[(piece * rows + i) * columns + j] = x / Math.sqrt((own[i]! * k[piece * columns + j]!) / mean);
        }),
      );
    }
  } else {
    const second = s('second', w.length);
    g.forEach((x, i) => {
      second[i] = second[i]! + rate * (x * x + 1e-30 - second[i]!);
      u[i] = x / Math.sqrt(second[i]);
    });
  }
  const bound = Math.max(1, rootMeanSquare(u) / opt(c, 'clip_update'));
  const alpha = lr * (c['optimizer.relative'] === true ? Math.max(1e-3, rootMeanSquare(w)) : 1);
  w.forEach((x, i) => (w[i] = x * (1 - lr * decay) - (alpha * u[i]!) / bound));
}

function muon(shape: readonly number[], w: Float64Array, g: Float64Array, s: State, h: Hyper): void {
  const { c, lr, decay, t } = h;
  const [rows, columns] = shape.slice(-2) as [number, number];
  const [mu, beta] = [momentumAt(c, 'muon_momentum', t), opt(c, 'muon_beta2')];
  const m = s('momentum', w.length);
  const nesterov = g.map((x, i) => {
    m[i] = mu * m[i]! + (1 - mu) * x;
    return mu * m[i] + (1 - mu) * x;
  });
  const perRow = rows >= columns;
  const factor =
    c['optimizer.muon_scale'] === 'spectral'
      ? Math.sqrt(Math.max(1, rows / columns))
      : 0.2 * Math.sqrt(Math.max(rows, columns));
  pieces(shape, nesterov).forEach((piece, index) => {
    let d = orthogonal(piece);
    if (beta > 0) {
      const turned = perRow ? d : transposed(d);
      const second = s(`neurons ${index}`, turned.length);
      const before = norm(d);
      const even = turned.map((row, i) => {
        second[i] = beta * second[i]! + ((1 - beta) * dot(row, row)) / row.length;
        return row.map((x) => x / Math.sqrt(Math.max(second[i]!, 1e-10)));
      });
      const after = norm(even);
      d = (perRow ? even : transposed(even)).map((row) => row.map((x) => (x * before) / after));
    }
    d.flat().forEach((x, i) => {
      const at = index * rows * columns + i;
      const step = factor * x;
      const decays = c['optimizer.cautious_decay'] === false || step * w[at]! > 0;
      w[at] = w[at]! * (1 - (decays ? lr * decay : 0)) - lr * step;
    });
  });
}

const EXECUTORS: readonly [string, () => Promise<Executor> | Executor][] = [
  ['tfjs-cpu', () => openTfjsExecutor('tfjs-cpu')],
  ...(missingAddon === undefined ? [['cpu', () => openCpuExecutor()] as [string, () => Executor]] : []),
];

/** The reference of a parameter under an optimizer. */
function reference(kind: string, role: string, shape: readonly number[]) {
  const matrix = role === 'matrix' && shape.length >= 2 && shape.slice(-2).every((size) => size > 1);
  if (kind === 'adafactor') return adafactor;
  if (kind === 'muon' && matrix) return muon;
  const element = ELEMENTS[kind === 'muon' ? 'adamw' : kind]!;
  return (_: readonly number[], w: Float64Array, g: Float64Array, s: State, h: Hyper): void =>
    w.forEach((x, i) => {
      const cell = (name: string) => {
        const all = s(name, w.length);
        return {
          get x() {
            return all[i]!;
          },
          set x(value: number) {
            all[i] = value;
          },
        };
      };
      w[i] = element(x, g[i]!, cell, h);
    });
}

describe(`optimizers against references over ${STEPS} steps (seed ${seed})`, () => {
  test.each<[string, Config]>([
    ['adamw', { 'optimizer.amsgrad': true }],
    ['adamw', { 'optimizer.momentum_schedule': 'rise', 'optimizer.momentum_rise_steps': 20 }],
    ['sgd', { 'optimizer.momentum': 0.95, 'optimizer.momentum_schedule': 'rise', 'optimizer.momentum_rise_steps': 20 }],
    ['schedule_free', {}],
    ['nadam', {}],
    ['lion', {}],
    ['adafactor', {}],
    ['adafactor', { 'optimizer.relative': false, 'optimizer.clip_update': 0.5, 'optimizer.decay_power': 0.5 }],
    ['muon', {}],
    [
      'muon',
      {
        'optimizer.muon_scale': 'spectral',
        'optimizer.momentum_schedule': 'rise',
        'optimizer.momentum_rise_steps': 20,
      },
    ],
    ['muon', { 'optimizer.muon_beta2': 0, 'optimizer.cautious_decay': false, 'optimizer.muon_momentum': 0.8 }],
  ])('%s %o (would catch another formula, axis or order)', async (kind, options) => {
    const settings = {
      'model.kind': 'shapes',
      'optimizer.kind': kind,
      'optimizer.lr': 0.01,
      'optimizer.eps': 1e-6,
      'optimizer.clip': 0,
      ...options,
    };
    const [config, programs] = [variantConfig(settings), programsOf(settings, false, kinds)];
    const random = generator(seed);
    const numbers = (count: number) => Float32Array.from({ length: count }, () => random() - 0.5);
    const starts = programs.parameters.map(({ shape }) => numbers(sizeOf(shape)));
    const gradients = Array.from({ length: STEPS }, () =>
      programs.parameters.map(({ shape }) => numbers(sizeOf(shape))),
    );
    const { momentum } = buildSchedules(config, programs, { steps: STEPS, tokensPerStep: 1 });
    const schedules = { lr: ({ step }: { step: number }) => 1 - step / 100, momentum };
    const hyper = (step: number) => hyperParameters(config, programs, schedules, { step, tokens: 0 });

    const wanted = starts.map((start) => Float64Array.from(start));
    const states = starts.map(() => new Map<string, Float64Array>());
    for (let step = 0; step < STEPS; step++)
      programs.parameters.forEach(({ role, shape }, i) => {
        const { inputs } = hyper(step);
        const s: State = (name, count) => {
          if (!states[i]!.has(name)) states[i]!.set(name, new Float64Array(count));
          return states[i]!.get(name)!;
        };
        const h = { lr: inputs[`lr.${role}`]![0]!, decay: inputs[`decay.${role}`]![0]!, t: step + 1, c: config };
        reference(kind, role, shape)(shape, wanted[i]!, Float64Array.from(gradients[step]![i]!), s, h);
      });

    for (const [name, open] of EXECUTORS) {
      const session = (await open()).open(programs.states);
      try {
        programs.parameters.forEach((spec, i) => session.write(spec.name, starts[i]!));
        const update = session.load(programs.update());
        for (let step = 0; step < STEPS; step++) {
          programs.parameters.forEach((spec, i) => session.write(gradientName(spec.name), gradients[step]![i]!));
          await session.run(update, { ...hyper(step).inputs, gradientScale: Float32Array.of(1) });
        }
        for (const [i, spec] of programs.parameters.entries()) {
          const found = await session.read(spec.name);
          const moved = Math.max(...wanted[i]!.map((x, j) => Math.abs(x - starts[i]![j]!)));
          const worst = difference(wanted[i]!, found, decidesBySign(config));
          expect(moved, `${name}: ${spec.name} moves`).toBeGreaterThan(0.01);
          // Each step rounds the weight once, whatever the way that it moves.
          const rounded = STEPS * 2 ** -24 * Math.max(...wanted[i]!.map(Math.abs));
          expect(worst / (1e-5 * moved + rounded), `${name}: ${spec.name}`).toBeLessThan(1);
        }
      } finally {
        session.dispose();
      }
    }
  });
});
