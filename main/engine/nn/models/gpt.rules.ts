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

/** What a width is a multiple of that heads are cut from, and in words. */
const unitOf = (config: Config): number => (needsEvenHeads(config) ? 2 : 1) * number(config, 'model.heads');
const multipleOf = (config: Config): string =>
  needsEvenHeads(config)
    ? `a multiple of 2 × model.heads = ${unitOf(config)} (rotary positions turn pairs)`
    : `a multiple of model.heads ${unitOf(config)}`;

const OF_EVEN_SIZE = ' into heads of even size (rotary positions turn pairs)';
export const NEVER_EVEN = 'heads of even size (rotary positions turn pairs), which an odd model.width never gives';

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
      return problem(
        'model.attention_width',
        width,
        `model.heads × model.head_size = ${heads * size}, or 0`,
        heads * size,
        why,
      );
    }
    const unit = unitOf(config);
    if (width % unit === 0) return null;
    const why = { rule: `model.attention_width % ${unit}`, numbers: `${width} % ${unit} = ${width % unit}` };
    return problem('model.attention_width', width, multipleOf(config), roundedTo(width, unit), why);
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
      const unit = unitOf(config);
      const choices = divisors(width).filter((d) => d <= 1024 && (!even || (width / d) % 2 === 0));
      const kv = number(config, 'model.kv_heads');
      const shared = choices.filter((d) => kv === 0 || d % kv === 0);
      const good = shared.length > 0 ? shared : choices;
      const nearest = nearestWhere(heads, 1, Math.max(heads, width), (h) => good.includes(h));
      const nearestWidth = Math.max(unit, Math.round(width / unit) * unit);
      return problem(
        'model.heads',
        heads,
        choices.length > 0 ? `a divisor of model.width ${width}${even ? OF_EVEN_SIZE : ''}` : NEVER_EVEN,
        nearest,
        { rule: 'model.width % model.heads', numbers: `${width} % ${heads} = ${width % heads}` },
        [{ setting: 'model.width', value: width, nearest: nearestWidth, allowed: multipleOf(config) }],
        choices,
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
        `a divisor of model.heads ${heads}, or 0 for all`,
        nearestWhere(kv, 1, Math.max(kv, heads), (k) => choices.includes(k)),
        { rule: 'model.heads % model.kv_heads', numbers: `${heads} % ${kv} = ${heads % kv}` },
        undefined,
        [0, ...choices],
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
      const allowed = choices.length > 0 ? `a divisor of model.width ${width}${OF_EVEN_SIZE}` : NEVER_EVEN;
      const unit = unitOf(config);
      const nearestWidth = Math.max(unit, Math.round(width / unit) * unit);
      const why = { rule: 'model.width / model.heads', numbers: `${width} / ${heads} = ${width / heads} is odd` };
      const other = { setting: 'model.width', value: width, nearest: nearestWidth, allowed: multipleOf(config) };
      return problem('model.heads', heads, allowed, nearest, why, [other], choices);
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
