/** Adam (Kingma & Ba 2015), weight decay added to the gradient; its step is also that of adamw. */
import type { Config, SettingSpec } from '../../../../preload/contract/settings.ts';
import { add, div, maximum, mul, scalar, sqrt, square, sub } from '../../graph/ops/index.ts';
import type { FusedUpdate, Hyper, Moments } from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import { momentumMoves } from '../momenta/momentum.ts';
import { biasCorrection, towards, withDecay } from './formulas.ts';
import { defineOptimizer } from './optimizer.ts';
import { eps } from './shared.settings.ts';

const beta1: SettingSpec = {
  name: 'optimizer.beta1',
  type: { kind: 'float', min: 0, max: 1, exclusiveMax: true },
  default: 0.9,
  help: 'Decay of the mean gradient.',
  question: 'stability',
  touches: ['stability'],
  plan: 'none',
};

const beta2: SettingSpec = {
  name: 'optimizer.beta2',
  type: { kind: 'float', min: 0, max: 1, exclusiveMax: true },
  default: 0.99,
  help: 'Decay of the mean squared gradient; lower it (0.95) against loss spikes.',
  question: 'stability',
  touches: ['stability'],
  plan: 'none',
};

const amsgrad: SettingSpec = {
  name: 'optimizer.amsgrad',
  type: { kind: 'bool' },
  default: false,
  help: 'Divide by the largest mean square so far (AMSGrad): steps never grow again; one more number per parameter.',
  question: 'stability',
  touches: ['memory', 'stability'],
};

/** The kernels know no largest mean square, and no momentum that moves. */
export const fusedAdam = (rule: 'adam' | 'adamw', c: Config): FusedUpdate | undefined =>
  c['optimizer.amsgrad'] === true || momentumMoves(c) ? undefined : { rule, ...adamConstants(c) };

export const adamConstants = (c: Config) => ({
  beta1: c['optimizer.beta1'] as number,
  beta2: c['optimizer.beta2'] as number,
  eps: c['optimizer.eps'] as number,
});

/** What both forms are made of. */
export const adamFamily = {
  settings: [beta1, beta2, eps, amsgrad],
  moments: (c: Config) => ['first', 'second', ...(c['optimizer.amsgrad'] === true ? ['largest'] : [])],
  uses: ['momentum'],
  momentum: 'optimizer.beta1',
  scalars: (c: Config, t: number) => ({
    bias1: biasCorrection(c['optimizer.beta1'] as number, t),
    bias2: biasCorrection(c['optimizer.beta2'] as number, t),
    ...(momentumMoves(c) ? { newest: 1 - (c['optimizer.beta1'] as number) } : {}),
  }),
  flopsPerElement: 16,
} as const;

/** The step in units of the learning rate, and the new moments. */
export function adamStep(g: Value, m: Moments, h: Hyper, c: Config): { step: Value; moments: Moments } {
  const constants = adamConstants(c);
  const newest = momentumMoves(c) ? h.newest! : scalar(g, 1 - constants.beta1);
  const first = add(m.first!, mul(newest, sub(g, m.first!)));
  const second = towards(m.second!, square(g), 1 - constants.beta2);
  const largest = m.largest === undefined ? undefined : maximum(m.largest, second);
  const step = div(div(first, h.bias1!), add(sqrt(div(largest ?? second, h.bias2!)), scalar(g, constants.eps)));
  return { step, moments: { first, second, ...(largest === undefined ? {} : { largest }) } };
}

export const adam = defineOptimizer({
  ...adamFamily,
  name: 'adam',
  help: 'Adam with weight decay as an L2 term of the gradient; take adamw unless you repeat older work.',
  fused: (c) => fusedAdam('adam', c),
  apply(p, g, m, h, c) {
    const { step, moments } = adamStep(withDecay(g, p, h), m, h, c);
    return { p: sub(p, mul(h.lr, step)), moments };
  },
});
