/** Every derived dimension of a latent block must come out whole, after all rounding. */
import type { Config } from '../../../../preload/contract/settings.ts';
import type { Rule } from '../../../../preload/shared/settings/rules.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import { headsDivide, windowInContext } from './shared.rules.ts';
import { depthOf, scaleOfDepth, scaleOfWidth, widthOf } from './latent.dimensions.ts';

const number = (config: Config, name: string): number => config[name] as number;

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
  headsDivide({
    code: 'model.latent_heads',
    settings: ['model.query_divisor'],
    what: 'model.width and ⌊model.width / model.query_divisor⌋',
    sizes: (config) => {
      const width = number(config, 'model.width');
      const query = Math.floor(width / number(config, 'model.query_divisor'));
      return query === 0 ? [] : [width, query];
    },
  }),
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
