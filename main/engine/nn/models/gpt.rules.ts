/** Rules for the sizes of a gpt: every derived dimension must come out whole. */
import type { Config } from '../../../../preload/contract/settings.ts';
import type { Rule } from '../../../../preload/shared/settings/rules.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import { divisors, nearestWhere } from '../../../../preload/shared/settings/arithmetic.ts';
import { mlpWidthRules, windowInContext } from './shared.rules.ts';
import { roundedTo } from './widths.ts';

const number = (config: Config, name: string): number => config[name] as number;

/** Rotary positions turn pairs of channels, so they need an even head size. */
const needsEvenHeads = (config: Config): boolean => config['model.positions'] === 'rotary';

/** Heads that are not cut from the width. */
const isFree = (config: Config): boolean =>
  number(config, 'model.head_size') > 0 || number(config, 'model.attention_width') > 0;

/** The width of all heads together fits them. */
const attentionWidth: Rule = {
  code: 'model.attention_width',
  settings: ['model.attention_width', 'model.heads', 'model.head_size', 'model.positions'],
  severity: 'error',
  yields: ['model.attention_width'],
  check: (config) => {
    const [width, heads] = [number(config, 'model.attention_width'), number(config, 'model.heads')];
    const size = number(config, 'model.head_size');
    if (width === 0 || (size > 0 && heads * size === width)) return null;
    if (size > 0) {
      const why = { rule: 'model.heads × model.head_size', numbers: `${heads} × ${size} = ${heads * size}` };
      return problem('model.attention_width', width, `${heads * size}, or 0`, heads * size, why);
    }
    const unit = needsEvenHeads(config) ? 2 * heads : heads;
    if (width % unit === 0) return null;
    const what = needsEvenHeads(config) ? 'twice model.heads (rotary positions turn pairs)' : 'model.heads';
    const why = { rule: `model.attention_width % ${unit}`, numbers: `${width} % ${unit} = ${width % unit}` };
    return problem('model.attention_width', width, `multiples of ${what} ${unit}, or 0`, roundedTo(width, unit), why);
  },
};

export const gptRules: readonly Rule[] = [
  {
    code: 'model.heads_divide_width',
    settings: ['model.width', 'model.heads', 'model.head_size', 'model.attention_width', 'model.positions'],
    severity: 'error',
    yields: ['model.heads', 'model.width'],
    check: (config) => {
      const width = number(config, 'model.width');
      const heads = number(config, 'model.heads');
      if (isFree(config) || width % heads === 0) return null;
      const even = needsEvenHeads(config);
      const unit = even ? 2 * heads : heads;
      const choices = divisors(width).filter((d) => d <= 1024 && (!even || (width / d) % 2 === 0));
      const kv = number(config, 'model.kv_heads');
      const shared = choices.filter((d) => kv === 0 || d % kv === 0);
      const good = shared.length > 0 ? shared : choices;
      const nearest = nearestWhere(heads, 1, Math.max(heads, width), (h) => good.includes(h));
      const nearestWidth = Math.max(unit, Math.round(width / unit) * unit);
      return problem(
        'model.heads',
        heads,
        `${choices.length > 0 ? `a divisor of model.width ${width} (${choices.join(', ')}), or ` : ''}model.width ${nearestWidth}, or a model.head_size`,
        nearest,
        { rule: 'model.width % model.heads', numbers: `${width} % ${heads} = ${width % heads}` },
        [{ setting: 'model.width', value: width, nearest: nearestWidth }],
      );
    },
  },
  {
    code: 'model.kv_heads_divide_heads',
    settings: ['model.heads', 'model.kv_heads'],
    severity: 'error',
    yields: ['model.kv_heads'],
    check: (config) => {
      const heads = number(config, 'model.heads');
      const kv = number(config, 'model.kv_heads');
      if (kv === 0 || heads % kv === 0) return null;
      const choices = divisors(heads);
      return problem(
        'model.kv_heads',
        kv,
        `a divisor of model.heads ${heads} (${choices.join(', ')}), or 0 for all`,
        nearestWhere(kv, 1, Math.max(kv, heads), (k) => choices.includes(k)),
        { rule: 'model.heads % model.kv_heads', numbers: `${heads} % ${kv} = ${heads % kv}` },
      );
    },
  },
  {
    code: 'model.rotary_even_head_size',
    settings: ['model.positions', 'model.head_size', 'model.width', 'model.heads'],
    severity: 'error',
    yields: ['model.head_size', 'model.heads', 'model.width'],
    check: (config) => {
      if (!needsEvenHeads(config)) return null;
      const width = number(config, 'model.width');
      const heads = number(config, 'model.heads');
      const given = number(config, 'model.head_size');
      if (given > 0)
        return given % 2 === 0
          ? null
          : problem('model.head_size', given, 'an even number with rotary positions', given + 1);
      if (isFree(config) || width % heads !== 0 || (width / heads) % 2 === 0) return null;
      const choices = divisors(width).filter((d) => (width / d) % 2 === 0 && d <= 1024);
      const nearest = nearestWhere(heads, 1, Math.max(heads, width), (h) => choices.includes(h));
      const allowed =
        choices.length > 0
          ? `heads of even size with rotary positions (model.heads ${choices.join(', ')})`
          : 'heads of even size with rotary positions';
      const unit = 2 * heads;
      const nearestWidth = Math.max(unit, Math.round(width / unit) * unit);
      const all = `${allowed}, or model.width ${nearestWidth}`;
      const why = { rule: 'model.width / model.heads', numbers: `${width} / ${heads} = ${width / heads} is odd` };
      return problem('model.heads', heads, all, nearest, why, [
        { setting: 'model.width', value: width, nearest: nearestWidth },
      ]);
    },
  },
  {
    code: 'model.sinusoidal_even_width',
    settings: ['model.positions', 'model.width'],
    severity: 'error',
    check: (config) => {
      const width = number(config, 'model.width');
      if (config['model.positions'] !== 'sinusoidal' || width % 2 === 0) return null;
      const heads = number(config, 'model.heads');
      // Where the heads divide the width, they shall divide the nearest width too.
      const unit = !isFree(config) && width % heads === 0 ? heads : 1;
      const nearest = nearestWhere(width, 1, width + 2 * unit, (w) => w % 2 === 0 && w % unit === 0);
      return problem('model.width', width, 'an even number with sinusoidal positions (sine and cosine pairs)', nearest);
    },
  },
  attentionWidth,
  ...mlpWidthRules,
  windowInContext,
];
