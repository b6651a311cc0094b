/** Stochastic gradient descent, with momentum as in PyTorch: buffer = μ·buffer + g. */
import { problem } from '../../../../preload/shared/settings/values.ts';
import { add, mul, scalar, sub } from '../../graph/ops/index.ts';
import type { Moments } from '../../graph/ops/index.ts';
import type { Config } from '../../../../preload/contract/settings.ts';
import { momentumMoves } from '../momenta/momentum.ts';
import type { Value } from '../../graph/value.ts';
import { withDecay } from './formulas.ts';
import { defineOptimizer } from './optimizer.ts';
import { momentum } from './shared.settings.ts';

/** Without a momentum there is none to move. */
const moves = (c: Config): boolean => momentumMoves(c) && (c['optimizer.momentum'] as number) > 0;

export const sgd = defineOptimizer({
  name: 'sgd',
  help: 'Plain gradient descent, with momentum if wanted: least memory, slow on transformers.',
  settings: [
    momentum,
    {
      name: 'optimizer.nesterov',
      type: { kind: 'bool' },
      default: false,
      help: 'Nesterov form of the momentum.',
      question: 'stability',
      touches: ['stability'],
    },
  ],
  rules: [
    {
      code: 'optimizer.nesterov_needs_momentum',
      settings: ['optimizer.kind', 'optimizer.nesterov', 'optimizer.momentum'],
      severity: 'error',
      check: (config) => {
        const given = config['optimizer.momentum'] as number;
        if (config['optimizer.nesterov'] !== true || given > 0) return null;
        return problem('optimizer.momentum', given, 'a number above 0 and below 1 with optimizer.nesterov', 0.9);
      },
    },
  ],
  lean: { settings: { 'optimizer.momentum': 0 }, words: 'sgd without momentum keeps none' },
  moments: (c) => ((c['optimizer.momentum'] as number) > 0 ? ['momentum'] : []),
  step: 'gradient',
  uses: ['momentum'],
  momentum: 'optimizer.momentum',
  scalars: (c): Readonly<Record<string, number>> => (moves(c) ? { momentum: c['optimizer.momentum'] as number } : {}),
  flopsPerElement: 6,
  fused: (c) =>
    moves(c)
      ? undefined
      : { rule: 'sgd', momentum: c['optimizer.momentum'] as number, nesterov: c['optimizer.nesterov'] as boolean },
  apply(p, g0, { momentum: buffer }, h, c) {
    const g = withDecay(g0, p, h);
    const move = (step: Value, moments: Moments) => ({ p: sub(p, mul(h.lr, step)), moments });
    if (buffer === undefined) return move(g, {});
    const mu = moves(c) ? h.momentum! : scalar(p, c['optimizer.momentum'] as number);
    const next = add(mul(mu, buffer), g);
    return move(c['optimizer.nesterov'] === true ? add(g, mul(mu, next)) : next, { momentum: next });
  },
});
