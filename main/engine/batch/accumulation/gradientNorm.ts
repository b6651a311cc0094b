/**
 * As many batches as bring the gradient to the length that is expected of it (hlb-gpt). A gradient that is longer than expected is mostly
 * noise, which more batches average out.
 *
 * With N parameters, after every `every`-th step s: ĝ = ‖g‖/√N, target T(s) = target · [N·ln N·(s + 0.01)]^q with q = −0.677·(ln N)^−0.2, and
 * M ← M·(1 + every·gain·(ĝ/T(s) − 1)), kept between 0.1 and `most`, M = 0 before the first. A step takes max(1, ⌊M⌋ + Bernoulli(M − ⌊M⌋)) batches: M on average, drawn
 * from a stream of its own by the number of the step.
 */
import type { Config } from '../../../../preload/contract/settings.ts';
import { Stream } from '../../random/stream.ts';
import { defineAccumulation } from './accumulation.ts';

const EVERY = 'batch.norm_every';
const GAIN = 'batch.norm_gain';
const TARGET = 'batch.norm_target';
const MOST = 'batch.norm_most';
const LEAST = 0.1;
const number = (config: Config, name: string): number => config[name] as number;

/** ‖g‖/√N that is expected of step `step`, of a model with so many parameters. */
export function expectedNorm(parameters: number, step: number): number {
  const log = Math.log(parameters);
  return (parameters * log * (step + 0.01)) ** (-0.677 * log ** -0.2);
}

export const gradientNorm = defineAccumulation({
  name: 'gradient_norm',
  help: 'More batches for a step whose gradient is longer than expected at that point: noise is averaged out when there is noise.',
  settings: [
    {
      name: EVERY,
      type: { kind: 'int', min: 1 },
      default: 5,
      unit: 'steps',
      help: 'Steps between two looks at the length of the gradient.',
      question: 'stability',
      touches: ['time', 'stability'],
      plan: 'none',
    },
    {
      name: GAIN,
      type: { kind: 'float', min: 0 },
      default: 0.1,
      help: 'How fast the number of batches follows: its relative change per step and per relative distance from the target.',
      question: 'stability',
      touches: ['time', 'stability'],
      plan: 'none',
    },
    {
      name: TARGET,
      type: { kind: 'float', min: 0, exclusiveMin: true },
      default: 1,
      help: 'Factor on the expected length of the gradient, which follows from parameters and step: below 1 takes more batches.',
      question: 'stability',
      touches: ['time', 'stability'],
      plan: 'none',
    },
    {
      name: MOST,
      type: { kind: 'int', min: 1, max: 1048576 },
      default: 1024,
      unit: 'batches',
      help: 'Batches of a step at most, so that a gradient that explodes does not make one step last for ever.',
      question: 'stability',
      touches: ['time', 'stability'],
      plan: 'none',
    },
  ],
  looksAt: (c, step) => step % number(c, EVERY) === 0,
  after(c, carried, { step, gradNorm, parameters }) {
    const ratio = gradNorm / Math.sqrt(parameters) / (number(c, TARGET) * expectedNorm(parameters, step));
    const wanted = carried * (1 + number(c, EVERY) * number(c, GAIN) * (ratio - 1));
    return Math.min(number(c, MOST), Math.max(LEAST, wanted));
  },
  batches(_, carried, { step, seed }) {
    const whole = Math.floor(carried);
    const more = new Stream(seed, 'batch/dither', step).uniform() < carried - whole ? 1 : 0;
    return Math.max(1, whole + more);
  },
});
