/** Rules for the widths of a unet. */
import type { Config } from '../../../../preload/contract/settings.ts';
import type { Rule } from '../../../../preload/shared/settings/rules.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import { gptRules } from './gpt.rules.ts';
import { headsDivide, mlpWidthRules, windowInContext } from './shared.rules.ts';
import { unetWidths, widthUnit } from './unet.dimensions.ts';
import { isWidthList, shownWidths, widthRules } from './widths.rules.ts';
import { listedWidths, MOST_WIDTHS } from './widths.ts';

const number = (config: Config, name: string): number => config[name] as number;
const isListed = (config: Config): boolean => listedWidths(config).length > 0;

/** The list in which each width stands in its mirror image's place too: the first half is kept. */
const mirrored = (widths: readonly number[]): number[] =>
  widths.map((width, i) => widths[Math.min(i, widths.length - 1 - i)] ?? width);

export const unetRules: readonly Rule[] = [
  ...widthRules(widthUnit),
  {
    code: 'model.widths_mirror',
    settings: ['model.widths', 'model.skips'],
    severity: 'error',
    check: (config) => {
      const widths = listedWidths(config);
      const wanted = mirrored(widths);
      if (widths.length > MOST_WIDTHS) return null;
      if (config['model.skips'] !== 'mirrored' || !isWidthList(widths) || shownWidths(wanted) === shownWidths(widths))
        return null;
      return problem(
        'model.widths',
        config['model.widths'],
        'the same widths up as down with model.skips mirrored',
        shownWidths(wanted),
        undefined,
        [{ setting: 'model.skips', value: 'mirrored', nearest: 'none' }],
      );
    },
  },
  {
    code: 'model.narrowest',
    settings: ['model.narrowest', 'model.width'],
    severity: 'error',
    yields: ['model.narrowest'],
    check: (config) => {
      const [narrowest, width] = [number(config, 'model.narrowest'), number(config, 'model.width')];
      if (narrowest <= width || isListed(config)) return null;
      return problem('model.narrowest', narrowest, `at most model.width ${width}`, width);
    },
  },
  {
    code: 'model.narrowest_rounded',
    settings: ['model.narrowest', 'model.depth', 'model.heads'],
    severity: 'warning',
    check: (config) => {
      const [narrowest, depth] = [number(config, 'model.narrowest'), number(config, 'model.depth')];
      if (narrowest === 0 || isListed(config) || depth < 2) return null;
      const made = unetWidths(config)[depth >> 1]!;
      if (made === narrowest) return null;
      const allowed = `a multiple of ${widthUnit(config)}, so that heads divide it`;
      return problem('model.narrowest', narrowest, allowed, made, `rounded to ${made}`);
    },
  },
  headsDivide({
    code: 'model.unet_heads',
    settings: ['model.positions'],
    what: 'model.width',
    sizes: (config) => [number(config, 'model.width')],
    unit: (config) => (config['model.positions'] === 'rotary' ? 2 : 1),
  }),
  ...gptRules.filter(({ code }) => code === 'model.sinusoidal_even_width'),
  ...mlpWidthRules,
  windowInContext,
];
