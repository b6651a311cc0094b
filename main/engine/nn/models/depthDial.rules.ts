/** Rules for the sizes of a depth-dial, and for its decay. */
import type { Config } from '../../../../preload/contract/settings.ts';
import type { Rule } from '../../../../preload/shared/settings/rules.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import { divisors, nearestWhere } from '../../../../preload/shared/settings/arithmetic.ts';
import { tokensPerStep } from '../../settings/batch.ts';
import { headSizeOf, mostDialDecay } from './depthDial.dimensions.ts';
import { gptRules, NEVER_EVEN } from './gpt.rules.ts';
import { mlpWidthRules, windowInContext } from './shared.rules.ts';

const number = (config: Config, name: string): number => config[name] as number;
const POSITIONS = ['rotary', 'none'];

/** Decay beyond what lets numbers be as large as they begin, that is told; and rate × decay × steps below which it has not come to bear. */
const FAR = 2;
const SOON = 3;

const short = (value: number): number => Number(value.toPrecision(3));

/** Steps of the run where the configuration says them; undefined where an epoch or a time does. */
function stepsOf(config: Config): number | undefined {
  const ends = [number(config, 'stop.steps'), number(config, 'stop.tokens') / tokensPerStep(config)];
  const given = ends.filter((steps) => steps > 0);
  return given.length > 0 ? Math.min(...given) : undefined;
}

/** What a rate means for each part of the model, which learn at multiples of it. */
function ratesText(config: Config): string {
  const rate = number(config, 'optimizer.lr');
  const parts = { embeddings: 'embedding', head: 'head', 'single numbers': 'vector' };
  const rates = Object.entries(parts).map(([what, part]) => {
    const scale = number(config, `optimizer.lr_scale_${part}`);
    return `${what} ${short(scale)} × ${rate} = ${short(scale * rate)}`;
  });
  return `matrices learn at optimizer.lr ${rate}, ${rates.join(', ')}`;
}

/** Rate and decay that come from different rules: nothing is learned where the decay is stronger. */
const decayLeavesRoom: Rule = {
  code: 'model.dial_decay',
  settings: ['optimizer.weight_decay', 'optimizer.lr', 'model.width', 'stop.steps', 'stop.tokens'],
  severity: 'warning',
  check: (config) => {
    const [decay, rate] = [number(config, 'optimizer.weight_decay'), number(config, 'optimizer.lr')];
    const most = mostDialDecay(config);
    const steps = stepsOf(config);
    if (decay <= FAR * most) return null;
    if (steps !== undefined && rate * decay * steps < SOON) return null;
    const begin = `they begin at 1 / √model.width = ${short(1 / most)}`;
    const why = `AdamW holds each number of a matrix below 1 / optimizer.weight_decay = ${short(1 / decay)}, ${begin}; ${ratesText(config)}`;
    return problem('optimizer.weight_decay', decay, `at most √model.width = ${short(most)}`, short(most), why);
  },
};

export const depthDialRules: readonly Rule[] = [
  {
    code: 'model.heads_fill_width',
    settings: ['model.width', 'model.heads', 'model.head_size'],
    severity: 'error',
    yields: ['model.head_size', 'model.heads'],
    check: (config) => {
      const [width, heads] = [number(config, 'model.width'), number(config, 'model.heads')];
      const size = headSizeOf(config);
      if (heads * size === width) return null;
      const why = { rule: 'model.heads × model.head_size', numbers: `${heads} × ${size} = ${heads * size}` };
      const byHeads = width % heads === 0 ? width / heads : undefined;
      const bySize = width % size === 0 ? width / size : undefined;
      if (byHeads === undefined) {
        const choices = divisors(width).filter((count) => (width / count) % 2 === 0);
        const nearest = bySize ?? nearestWhere(heads, 1, Math.max(heads, width), (count) => choices.includes(count));
        const allowed = choices.length > 0 ? `a divisor of model.width ${width} into heads of even size` : NEVER_EVEN;
        return problem('model.heads', heads, allowed, nearest, why, undefined, choices);
      }
      const others = bySize === undefined ? [] : [{ setting: 'model.heads', value: heads, nearest: bySize }];
      return problem(
        'model.head_size',
        number(config, 'model.head_size'),
        `heads that fill model.width ${width}`,
        byHeads,
        why,
        others,
      );
    },
  },
  {
    code: 'model.depth_dial_positions',
    settings: ['model.positions'],
    severity: 'error',
    yields: ['model.positions'],
    check: (config) => {
      const positions = String(config['model.positions']);
      if (POSITIONS.includes(positions)) return null;
      return problem(
        'model.positions',
        positions,
        'positions of a depth-dial',
        'rotary',
        undefined,
        undefined,
        POSITIONS,
      );
    },
  },
  ...gptRules.filter(({ code }) => ['model.kv_heads_divide_heads', 'model.rotary_even_head_size'].includes(code)),
  ...mlpWidthRules,
  windowInContext,
  decayLeavesRoom,
];
