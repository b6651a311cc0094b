/**
 * Muon (Jordan et al. 2024): matrices move along their momentum with all singular values made alike, everything else by AdamW.
 *
 * A step of a matrix of `rows` outputs: Nesterov momentum m ← μ·m + (1 − μ)·g, d = μ·m + (1 − μ)·g; five steps of the Polar Express
 * polynomials (Amsel et al. 2025) on d/(1.02·‖d‖); NorMuon (Li et al. 2025): each neuron divided by the root of its running mean square, the norm
 * of the whole kept; decay only where step and weight agree in sign (cautious, Chen et al. 2025).
 */
import type { Config } from '../../../../preload/contract/settings.ts';
import {
  add,
  cast,
  div,
  greater,
  matmul,
  maximum,
  mul,
  reduceSum,
  rsqrt,
  scalar,
  sqrt,
  square,
  sub,
} from '../../graph/ops/index.ts';
import type { UpdateRule } from '../../graph/ops/index.ts';
import type { Shape, Value } from '../../graph/value.ts';
import { adamw } from './adamw.ts';
import { decayed, towards } from './formulas.ts';
import { defineOptimizer, isMatrix, ruleOf } from './optimizer.ts';

/** a, b, c of each step x ← a·x + b·x³ + c·x⁵: best for singular values from 1e-3 to 1, with a margin for rounding. */
const POLAR_EXPRESS = [
  [8.156554524902461, -22.48329292557795, 15.878769915207462],
  [4.042929935166739, -2.808917465908714, 0.5000178451051316],
  [3.8916678022926607, -2.772484153217685, 0.5060648178503393],
  [3.285753657755655, -2.3681294933425376, 0.46449024233003106],
  [2.3465413258596377, -1.7097828382687081, 0.42323551169305323],
] as const;

const squaredNorm = (x: Value): Value => reduceSum(square(x), [x.shape.length - 2, x.shape.length - 1]);

/** The nearest matrix with singular values near 1, of each matrix along the last two axes. */
export function orthogonalised(x: Value): Value {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  // The smaller of the two products of the matrix with itself.
  const tall = rows > columns;
  const norm = mul(sqrt(squaredNorm(x)), scalar(x, 1.02));
  let y = div(x, add(norm, scalar(x, 1e-6)));
  for (const [a, b, c] of POLAR_EXPRESS) {
    const gram = tall ? matmul(y, y, { transposeA: true }) : matmul(y, y, { transposeB: true });
    const powers = add(mul(gram, scalar(x, b)), mul(matmul(gram, gram), scalar(x, c)));
    y = add(mul(y, scalar(x, a)), tall ? matmul(y, powers) : matmul(powers, y));
  }
  return y;
}

/** The axis along which a neuron's mean square is taken: the shorter side has one number each. */
const meanAxis = (shape: Shape): number => shape.length - (shape.at(-2)! >= shape.at(-1)! ? 1 : 2);

const neurons = (shape: Shape): Shape => shape.map((size, axis) => (axis === meanAxis(shape) ? 1 : size));

/** Each neuron of `x` divided by the root of its mean square so far; ‖x‖ stays. */
function evened(x: Value, old: Value, rate: number): { readonly x: Value; readonly second: Value } {
  const axis = meanAxis(x.shape);
  const count = x.shape[axis]!;
  const squares = reduceSum(square(x), [axis]);
  const second = towards(old, mul(squares, scalar(x, 1 / count)), rate);
  const scale = rsqrt(maximum(second, scalar(x, 1e-10)));
  const axes = [x.shape.length - 2, x.shape.length - 1];
  const after = sqrt(reduceSum(mul(squares, square(scale)), axes));
  const kept = div(sqrt(squaredNorm(x)), maximum(after, scalar(x, 1e-10)));
  return { x: mul(x, mul(scale, kept)), second };
}

const evens = (c: Config): boolean => (c['optimizer.muon_beta2'] as number) > 0;

/** The update of matrices, times `factor` of their shape. */
const matrices = (step: 'spectrum' | 'element', factor: (shape: Shape) => number): UpdateRule => ({
  name: 'muon',
  moments: (c) => ['momentum', ...(evens(c) ? ['neurons'] : [])],
  momentShape: (moment, shape) => (moment === 'neurons' ? neurons(shape) : shape),
  momentum: 'optimizer.muon_momentum',
  scalars: (c) => ({ momentum: c['optimizer.muon_momentum'] as number }),
  step,
  // Five steps of three products cost far more than the elements do, and how much depends on the shape.
  flopsPerElement: 40,
  apply(p, g, m, h, c) {
    const mix = (old: Value): Value => add(g, mul(h.momentum!, sub(old, g)));
    const momentum = mix(m.momentum!);
    const direction = orthogonalised(mix(momentum));
    const even =
      m.neurons === undefined ? undefined : evened(direction, m.neurons, 1 - (c['optimizer.muon_beta2'] as number));
    const step = mul(even?.x ?? direction, scalar(p, factor(p.shape)));
    const agrees = cast(greater(mul(step, p), scalar(p, 0)), 'f32');
    const kept =
      c['optimizer.cautious_decay'] === true
        ? mul(p, sub(scalar(p, 1), mul(mul(h.lr, h.decay), agrees)))
        : decayed(p, h);
    return {
      p: sub(kept, mul(h.lr, step)),
      moments: { momentum, ...(even === undefined ? {} : { neurons: even.second }) },
    };
  },
});

const SCALES: Readonly<Record<string, UpdateRule>> = {
  // Elements as large as those of AdamW usually are (Liu et al. 2025).
  adamw: matrices('element', (shape) => 0.2 * Math.sqrt(Math.max(shape.at(-2)!, shape.at(-1)!))),
  spectral: matrices('spectrum', (shape) => Math.sqrt(Math.max(1, shape.at(-2)! / shape.at(-1)!))),
};

export const muon = defineOptimizer({
  ...SCALES.adamw!,
  name: 'muon',
  help: 'Orthogonalised momentum for matrices, adamw for the rest: often fewer steps than adamw, one number less per weight of a matrix.',
  uses: ['momentum'],
  rules: adamw.rules!,
  settings: [
    'optimizer.beta1',
    'optimizer.beta2',
    'optimizer.eps',
    'optimizer.amsgrad',
    'optimizer.moments',
    {
      name: 'optimizer.muon_scale',
      type: { kind: 'enum', values: Object.keys(SCALES) },
      default: 'adamw',
      help: 'Size of a step of muon: adamw takes the rates of adamw; spectral is √max(1, rows/columns), for rates near 0.02.',
      question: 'stability',
      touches: ['stability'],
    },
    {
      name: 'optimizer.muon_momentum',
      type: { kind: 'float', min: 0, max: 1, exclusiveMax: true },
      default: 0.95,
      help: 'Nesterov momentum of muon.',
      question: 'stability',
      touches: ['stability'],
      plan: 'none',
    },
    {
      name: 'optimizer.muon_beta2',
      type: { kind: 'float', min: 0, max: 1, exclusiveMax: true },
      default: 0.9,
      help: 'Memory of the mean square by which muon evens out neurons (NorMuon), a number per neuron; 0 is off.',
      question: 'stability',
      touches: ['memory', 'stability'],
    },
    {
      name: 'optimizer.cautious_decay',
      type: { kind: 'bool' },
      default: true,
      help: 'Decay a weight of muon only in steps that make it smaller too.',
      question: 'stability',
      touches: ['stability'],
      when: 'optimizer.weight_decay > 0',
    },
  ],
  ruleFor: (parameter, c) =>
    isMatrix(parameter) ? SCALES[c['optimizer.muon_scale'] as string]! : ruleOf(adamw, parameter, c),
});
