/** AdamW: Adam with weight decay apart from the gradient (Loshchilov & Hutter 2019). */
import type { SettingSpec, SettingValue } from '../../../../preload/contract/settings.ts';
import type { Rule } from '../../../../preload/shared/settings/rules.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import { sizeOf } from '../../graph/value.ts';
import { CONSTANT, MOMENTUM_SCHEDULE } from '../momenta/momentum.ts';
import { adamwBytes } from './adamwBytes.ts';
import { mul, sub } from '../../graph/ops/index.ts';
import { adamFamily, adamStep, fusedAdam } from './adam.ts';
import { decayed } from './formulas.ts';
import { defineOptimizer } from './optimizer.ts';

const bytes: SettingSpec = {
  name: 'optimizer.moments',
  type: { kind: 'enum', values: ['32bit', '8bit'] },
  default: '32bit',
  help: '8bit keeps the moments of adamw in blocks of bytes: two per parameter in place of eight, and nearly the same steps.',
  question: 'memory',
  touches: ['memory', 'stability'],
};

/** Parameters with fewer elements, gains and biases above all, keep 32 bits: there is nothing to save. */
const LEAST = 4096;

/** What a kernel of bytes does not have. */
const bytesAlone: Rule = {
  code: 'optimizer.bytes_alone',
  settings: ['optimizer.moments', 'optimizer.amsgrad', MOMENTUM_SCHEDULE],
  severity: 'error',
  yields: ['optimizer.moments', 'optimizer.amsgrad', MOMENTUM_SCHEDULE],
  check: (config) => {
    if (config['optimizer.moments'] !== '8bit') return null;
    const without = (setting: string, nearest: SettingValue) =>
      config[setting] === nearest
        ? null
        : problem(setting, config[setting], `${String(nearest)} with optimizer.moments 8bit`, nearest, undefined, [
            {
              setting: 'optimizer.moments',
              value: '8bit',
              nearest: '32bit',
              allowed: `32bit with ${setting} ${String(config[setting])}`,
            },
          ]);
    return without('optimizer.amsgrad', false) ?? without(MOMENTUM_SCHEDULE, CONSTANT);
  },
};

export const adamw = defineOptimizer({
  ...adamFamily,
  name: 'adamw',
  help: 'Adam with decoupled weight decay: the usual choice for transformers; two more numbers per parameter.',
  settings: [...adamFamily.settings, bytes],
  rules: [bytesAlone],
  lean: {
    settings: { 'optimizer.moments': '8bit' },
    words: 'adamw with optimizer.moments 8bit keeps two bytes per parameter',
  },
  ruleFor: ({ shape }, c) => (c['optimizer.moments'] === '8bit' && sizeOf(shape) >= LEAST ? adamwBytes : adamw),
  fused: (c) => fusedAdam('adamw', c),
  apply(p, g, m, h, c) {
    const { step, moments } = adamStep(g, m, h, c);
    return { p: sub(decayed(p, h), mul(h.lr, step)), moments };
  },
});
