/** Rules and derived defaults that several models have. */
import type { Config } from '../../../../preload/contract/settings.ts';
import { divisors, nearestWhere } from '../../../../preload/shared/settings/arithmetic.ts';
import type { Rule } from '../../../../preload/shared/settings/rules.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import type { DerivedDefault } from '../../kind.ts';
import { changed } from '../../changed.ts';
import { roundMlpWidth } from './gpt.dimensions.ts';

/** The default of models that take an attention. */
export const windowWhereSet: DerivedDefault = {
  setting: 'attention.kind',
  rule: 'window where model.window is set',
  value: (config) => ((config['model.window'] as number) > 0 ? 'window' : undefined),
};

/** A norm of zeros has a slope without bounds. */
export const zeroQueryUnlessNormed: DerivedDefault = {
  setting: 'model.zero_query',
  rule: 'off with model.qk_norm',
  value: (config) => (config['model.qk_norm'] === true ? false : undefined),
};

/** For models that take an attention. */
export const windowInContext: Rule = {
  code: 'model.window_in_context',
  settings: ['model.window', 'model.context'],
  severity: 'error',
  yields: ['model.window'],
  check: (config) => {
    const window = number(config, 'model.window');
    const context = number(config, 'model.context');
    if (window <= context) return null;
    return problem('model.window', window, `at most model.context ${context}`, context);
  },
};

const number = (config: Config, name: string): number => config[name] as number;

/** For models whose MLP is as wide as `model.mlp_width` says, or `model.mlp_ratio` × `model.width`. */
export const mlpWidthRules: readonly Rule[] = [
  {
    code: 'model.mlp_width',
    settings: ['model.mlp_ratio', 'model.width', 'model.mlp_width'],
    severity: 'error',
    yields: ['model.mlp_ratio'],
    check: (config) => {
      const ratio = number(config, 'model.mlp_ratio');
      const width = number(config, 'model.width');
      if (number(config, 'model.mlp_width') > 0 || ratio * width >= 1) return null;
      const why = `model.mlp_ratio × model.width = ${ratio * width}, an MLP without a channel`;
      return problem('model.mlp_ratio', ratio, `at least 1 / model.width = ${1 / width}`, 1 / width, why);
    },
  },
  {
    code: 'model.mlp_width_rounded',
    settings: ['model.mlp_ratio', 'model.width', 'model.mlp_width'],
    severity: 'warning',
    check: (config) => {
      const ratio = number(config, 'model.mlp_ratio');
      const width = number(config, 'model.width');
      const product = ratio * width;
      if (number(config, 'model.mlp_width') > 0 || product < 1) return null;
      const rounded = roundMlpWidth(ratio, width);
      if (Math.abs(rounded - product) <= 1e-6 * rounded) return null;
      const why = `model.mlp_ratio × model.width = ${ratio} × ${width} = ${Number(product.toFixed(3))}, rounded to a width of ${rounded}`;
      return problem('model.mlp_ratio', ratio, `any ratio; set model.mlp_width to choose the width`, undefined, why);
    },
  },
];

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Widths that are looked at for one that fits. */
const FARTHEST = 4096;

export interface DividedByHeads {
  readonly code: string;
  /** What {@link sizes} reads beside `model.width` and `model.heads`. */
  readonly settings: readonly string[];
  /** What the sizes are, in words. */
  readonly what: string;
  /** The sizes that heads are cut from; none where other rules speak. */
  sizes(config: Config): readonly number[];
  /** A head's size must be a multiple of this. */
  unit?(config: Config): number;
}

/** Heads must divide every size that they are cut from. Names the nearest number of heads, and the nearest width. */
export function headsDivide({ code, settings, what, sizes, unit = () => 1 }: DividedByHeads): Rule {
  const fits = (config: Config, heads: number): boolean => {
    const all = sizes(config);
    return all.length > 0 && all.every((size) => size % (heads * unit(config)) === 0);
  };
  return {
    code,
    settings: ['model.width', 'model.heads', ...settings],
    severity: 'error',
    yields: ['model.heads'],
    check: (config) => {
      const [width, heads] = [config['model.width'] as number, config['model.heads'] as number];
      const all = [...new Set(sizes(config))];
      if (all.length === 0 || fits(config, heads)) return null;
      const choices = divisors(all.reduce(greatestCommonDivisor)).filter((h) => fits(config, h));
      const wider = (w: number): boolean => fits(changed(config, { 'model.width': w }), heads);
      const nearestWidth = nearestWhere(width, 1, width + FARTHEST, wider);
      const even = unit(config) === 1 ? '' : `, with heads of a multiple of ${unit(config)}`;
      return problem(
        'model.heads',
        heads,
        `a divisor of ${what === 'model.width' ? `${what} ${width}` : what}${even}`,
        nearestWhere(heads, 1, Math.max(heads, ...all), (h) => choices.includes(h)),
        {
          rule: `${what} % model.heads`,
          numbers: all.map((size) => `${size} % ${heads * unit(config)} = ${size % (heads * unit(config))}`).join(', '),
        },
        nearestWidth === undefined
          ? []
          : [
              {
                setting: 'model.width',
                value: width,
                nearest: nearestWidth,
                allowed: `one where model.heads ${heads} divides ${what}${even}`,
              },
            ],
        choices,
      );
    },
  };
}
