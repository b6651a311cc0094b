/** Rules for the sizes of a depth-dial. */
import type { Config } from '../../../../preload/contract/settings.ts';
import type { Rule } from '../../../../preload/shared/settings/rules.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import { divisors, nearestWhere } from '../../../../preload/shared/settings/arithmetic.ts';
import { gptRules } from './gpt.rules.ts';
import { mlpWidthRules, windowInContext } from './shared.rules.ts';

const number = (config: Config, name: string): number => config[name] as number;
const POSITIONS = ['rotary', 'none'];

export const depthDialRules: readonly Rule[] = [
  {
    code: 'model.heads_fill_width',
    settings: ['model.width', 'model.heads', 'model.head_size'],
    severity: 'error',
    yields: ['model.head_size', 'model.heads'],
    check: (config) => {
      const [width, heads] = [number(config, 'model.width'), number(config, 'model.heads')];
      const size = number(config, 'model.head_size');
      if (heads * size === width) return null;
      const why = { rule: 'model.heads × model.head_size', numbers: `${heads} × ${size} = ${heads * size}` };
      const byHeads = width % heads === 0 ? width / heads : undefined;
      const bySize = size > 0 && width % size === 0 ? width / size : undefined;
      if (byHeads === undefined) {
        const choices = divisors(width).filter((count) => (width / count) % 2 === 0);
        const nearest = bySize ?? nearestWhere(heads, 1, Math.max(heads, width), (count) => choices.includes(count));
        const allowed = `a divisor of model.width ${width} (${choices.join(', ')})`;
        return problem('model.heads', heads, allowed, nearest, why);
      }
      const others = bySize === undefined ? [] : [{ setting: 'model.heads', value: heads, nearest: bySize }];
      return problem('model.head_size', size, `heads that fill model.width ${width}`, byHeads, why, others);
    },
  },
  {
    code: 'model.depth_dial_positions',
    settings: ['model.positions'],
    severity: 'error',
    check: (config) => {
      const positions = String(config['model.positions']);
      if (POSITIONS.includes(positions)) return null;
      return problem('model.positions', positions, `${POSITIONS.join(' or ')} for depth-dial`, 'rotary');
    },
  },
  ...gptRules.filter(({ code }) => ['model.kv_heads_divide_heads', 'model.rotary_even_head_size'].includes(code)),
  ...mlpWidthRules,
  windowInContext,
];
