/**
 * Adafactor (Shazeer & Stern 2018) without momentum: of the second moments of a matrix only the means of rows and columns are kept, and their
 * product stands for the rest. With β_t = 1 − t^−0.8 and, for matrices, v = r·cᵀ/mean(r):
 *
 *   u = g/√v,   step = lr·max(1e-3, RMS(p))·u/max(1, RMS(u)/d)
 *
 * The factor RMS(p), which makes the rate a relative one, can be left out; the rate itself follows the schedule, as for other optimizers.
 */
import type { Config } from '../../../../preload/contract/settings.ts';
import { add, div, maximum, mul, reduceMean, rsqrt, scalar, sqrt, square, sub } from '../../graph/ops/index.ts';
import type { Hyper, Moments, UpdateRule } from '../../graph/ops/index.ts';
import type { Shape, Value } from '../../graph/value.ts';
import { decayed } from './formulas.ts';
import { defineOptimizer } from './optimizer.ts';

/** Added to squares, so that rows without a gradient do not divide by zero. */
const EPS = 1e-30;
/** Least size of a parameter that the rate is multiplied by: what is near zero must be able to leave it. */
const LEAST = 1e-3;

const all = (x: Value): Shape => x.shape.map((_, axis) => axis);
const rms = (x: Value): Value => sqrt(reduceMean(square(x), all(x)));

/** Share of the newest squares in their mean. */
const rateOf = (c: Config, t: number): number => t ** -(c['optimizer.decay_power'] as number);

/** The parameter moved along `u`, whose size is bounded. */
function moved(p: Value, u: Value, h: Hyper, c: Config): Value {
  const limit = scalar(p, c['optimizer.clip_update'] as number);
  const step = div(u, maximum(scalar(p, 1), div(rms(u), limit)));
  const rate = c['optimizer.relative'] === true ? mul(h.lr, maximum(scalar(p, LEAST), rms(p))) : h.lr;
  return sub(decayed(p, h), mul(rate, step));
}

const mixed = (old: Value, target: Value, h: Hyper): Value => add(old, mul(h.rate!, sub(target, old)));

/** Vectors, whose second moments are few enough to keep. */
const whole: UpdateRule = {
  name: 'adafactor.vectors',
  moments: () => ['second'],
  scalars: (c, t) => ({ rate: rateOf(c, t) }),
  flopsPerElement: 14,
  apply(p, g, m: Moments, h, c) {
    const second = mixed(m.second!, add(square(g), scalar(g, EPS)), h);
    return { p: moved(p, mul(g, rsqrt(second)), h, c), moments: { second } };
  },
};

export const adafactor = defineOptimizer({
  name: 'adafactor',
  help: 'Adam with one number per row and column in place of two per parameter: for models that hardly fit.',
  settings: [
    {
      name: 'optimizer.decay_power',
      type: { kind: 'float', min: 0.1, max: 1 },
      default: 0.8,
      help: 'How fast adafactor forgets: the newest squares count t^−power at step t.',
      question: 'stability',
      touches: ['stability'],
      plan: 'none',
    },
    {
      name: 'optimizer.clip_update',
      type: { kind: 'float', min: 0, exclusiveMin: true },
      default: 1,
      help: 'Largest root mean square of an update of adafactor, before the learning rate.',
      question: 'stability',
      touches: ['stability'],
    },
    {
      name: 'optimizer.relative',
      type: { kind: 'bool' },
      default: true,
      help: 'Multiply the rate of adafactor by the size of each parameter: rates near 0.01 then suit most models.',
      question: 'stability',
      touches: ['stability'],
    },
  ],
  moments: () => ['rows', 'columns'],
  momentShape: (moment, shape) =>
    moment === 'rows' ? [...shape.slice(0, -1), 1] : [...shape.slice(0, -2), 1, shape.at(-1)!],
  scalars: whole.scalars!,
  flopsPerElement: 16,
  ruleFor: ({ shape }) => (shape.length >= 2 && shape.slice(-2).every((size) => size > 1) ? adafactor : whole),
  apply(p, g, m, h, c) {
    const squares = add(square(g), scalar(g, EPS));
    const [rowAxis, columnAxis] = [p.shape.length - 2, p.shape.length - 1];
    const rows = mixed(m.rows!, reduceMean(squares, [columnAxis]), h);
    const columns = mixed(m.columns!, reduceMean(squares, [rowAxis]), h);
    // Not one product: the squares of small gradients times each other leave the range of 32 bits.
    const u = mul(mul(g, rsqrt(div(rows, reduceMean(rows, [rowAxis])))), rsqrt(columns));
    return { p: moved(p, u, h, c), moments: { rows, columns } };
  },
});
