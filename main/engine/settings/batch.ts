/** How many sequences an optimizer step sees, and how many at once. */
import type { Config, SettingSpec } from '../../../preload/contract/settings.ts';
import { divisors, nearestWhere } from '../../../preload/shared/settings/arithmetic.ts';
import type { Rule } from '../../../preload/shared/settings/rules.ts';
import { problem } from '../../../preload/shared/settings/values.ts';
import type { Common } from '../kind.ts';

/** Tokens of a full optimizer step. */
export function tokensPerStep(config: Config): number {
  return (config['batch.sequences'] as number) * (config['model.context'] as number);
}

const settings: readonly SettingSpec[] = [
  {
    name: 'batch.sequences',
    type: { kind: 'int', min: 1, max: 1048576 },
    default: 32,
    unit: 'sequences',
    help: 'Effective batch: sequences per optimizer step. Tokens per step = this × model.context.',
    question: 'stability',
    touches: ['memory', 'time', 'stability'],
    plan: 'none',
  },
  {
    name: 'batch.micro',
    type: { kind: 'int', min: 0, max: 1048576 },
    default: 0,
    unit: 'sequences',
    help: 'Sequences computed at once (micro-batch), a divisor of batch.sequences; 0 means all. Smaller needs less memory; same result, but that dropout drops other values.',
    auto: 'batch.sequences',
    question: 'memory',
    touches: ['memory', 'time'],
    plan: 'none',
  },
];

const rules: readonly Rule[] = [
  {
    code: 'batch.micro_divides_batch',
    settings: ['batch.sequences', 'batch.micro'],
    severity: 'error',
    yields: ['batch.micro'],
    check: (config) => {
      const batch = config['batch.sequences'] as number;
      const micro = config['batch.micro'] as number;
      if (micro === 0 || batch % micro === 0) return null;
      const choices = divisors(batch);
      const nearest = nearestWhere(micro, 1, Math.max(micro, batch), (m) => choices.includes(m));
      const why = { rule: 'batch.sequences % batch.micro', numbers: `${batch} % ${micro} = ${batch % micro}` };
      return problem(
        'batch.micro',
        micro,
        `a divisor of batch.sequences ${batch}, or 0 for all at once`,
        nearest,
        why,
        undefined,
        [0, ...choices],
      );
    },
  },
];

export const batchSettings: Common = { settings, rules };
