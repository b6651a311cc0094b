/** Every derived dimension of a latent block must come out whole, after all rounding. */
import type { Config } from '../../../../preload/contract/settings.ts';
import { divisors, nearestWhere } from '../../../../preload/shared/settings/arithmetic.ts';
import type { Rule } from '../../../../preload/shared/settings/rules.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import { windowInContext } from './gpt.rules.ts';
import { depthOf, scaleOfDepth, scaleOfWidth, widthOf } from './latent.sizes.ts';

const number = (config: Config, name: string): number => config[name] as number;

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

const short = (x: number): number => Number(x.toPrecision(4));

export const latentRules: readonly Rule[] = [
  {
    code: 'model.query_width',
    settings: ['model.width', 'model.query_divisor'],
    severity: 'error',
    check: (config) => {
      const [width, divisor] = [number(config, 'model.width'), number(config, 'model.query_divisor')];
      if (divisor <= width) return null;
      const why = { rule: '⌊model.width / model.query_divisor⌋', numbers: `⌊${width} / ${divisor}⌋ = 0` };
      return problem('model.query_divisor', divisor, `at most model.width ${width}`, width, why);
    },
  },
  {
    code: 'model.latent_heads',
    settings: ['model.width', 'model.heads', 'model.query_divisor'],
    severity: 'error',
    yields: ['model.heads'],
    alike: true,
    check: (config) => {
      const [width, heads] = [number(config, 'model.width'), number(config, 'model.heads')];
      const divisor = number(config, 'model.query_divisor');
      const query = Math.floor(width / divisor);
      if (query === 0 || (width % heads === 0 && query % heads === 0)) return null;
      const choices = divisors(greatestCommonDivisor(width, query));
      const fits = (w: number): boolean => w >= divisor && w % heads === 0 && Math.floor(w / divisor) % heads === 0;
      const nearestWidth = nearestWhere(width, 1, width + heads * divisor, fits);
      const allowed = `a divisor of model.width ${width} and of the ${query} features of the queries (${choices.join(', ')})`;
      return problem(
        'model.heads',
        heads,
        nearestWidth === undefined ? allowed : `${allowed}, or model.width ${nearestWidth}`,
        nearestWhere(heads, 1, Math.max(heads, width), (h) => choices.includes(h)),
        {
          rule: 'model.width % model.heads and ⌊model.width / model.query_divisor⌋ % model.heads',
          numbers: `${width} % ${heads} = ${width % heads}, ${query} % ${heads} = ${query % heads}`,
        },
        nearestWidth === undefined ? [] : [{ setting: 'model.width', value: width, nearest: nearestWidth }],
      );
    },
  },
  {
    code: 'model.scale_unused',
    settings: ['model.scale', 'model.width', 'model.depth'],
    severity: 'warning',
    check: (config) => {
      const scale = number(config, 'model.scale');
      const [width, depth] = [number(config, 'model.width'), number(config, 'model.depth')];
      if (scale === 1 || width === widthOf(scale) || depth === depthOf(scale)) return null;
      const why = `model.width ${width} and model.depth ${depth} are given, and model.scale has no effect`;
      const [ofWidth, ofDepth] = [short(scaleOfWidth(width)), short(scaleOfDepth(depth))];
      return problem('model.scale', scale, `${ofWidth} makes this width, ${ofDepth} this depth`, undefined, why);
    },
  },
  windowInContext,
];
