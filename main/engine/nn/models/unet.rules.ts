/** Rules for the widths of a unet. */
import type { Config } from '../../../../preload/contract/settings.ts';
import type { Rule } from '../../../../preload/shared/settings/rules.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import { gptRules } from './gpt.rules.ts';
import { headsDivide, mlpWidthRules, windowInContext } from './shared.rules.ts';
import { listedWidths, unetWidths, widthUnit } from './unet.dimensions.ts';

const number = (config: Config, name: string): number => config[name] as number;
const isListed = (config: Config): boolean => listedWidths(config).length > 0;
const isList = (widths: readonly number[]): boolean => widths.every((width) => width >= 1 && width <= 65536);
const shown = (widths: readonly number[]): string => widths.join(' ');

/** The list in which each width stands in its mirror image's place too: the first half is kept. */
const mirrored = (widths: readonly number[]): number[] =>
  widths.map((width, i) => widths[Math.min(i, widths.length - 1 - i)] ?? width);

export const unetRules: readonly Rule[] = [
  {
    code: 'model.widths',
    settings: ['model.widths'],
    severity: 'error',
    check: (config) => {
      const widths = listedWidths(config);
      if (isList(widths)) return null;
      const nearest = widths.filter((width) => width >= 1).map((width) => Math.min(width, 65536));
      const allowed = 'widths from 1 to 65536 between spaces or commas, such as 96 64 96, or nothing';
      return problem('model.widths', config['model.widths'], allowed, shown(nearest));
    },
  },
  {
    code: 'model.widths_depth',
    settings: ['model.widths', 'model.depth'],
    severity: 'error',
    yields: ['model.depth'],
    alike: true,
    check: (config) => {
      const [depth, inner] = [number(config, 'model.depth'), listedWidths(config).length];
      if (inner === 0 || depth === inner + 1) return null;
      const why = { rule: 'widths in model.widths + 1', numbers: `${inner} + 1 = ${inner + 1}` };
      return problem('model.depth', depth, `one block more than model.widths has widths`, inner + 1, why);
    },
  },
  {
    code: 'model.widths_mirror',
    settings: ['model.widths', 'model.skips'],
    severity: 'error',
    check: (config) => {
      const widths = listedWidths(config);
      const wanted = mirrored(widths);
      if (config['model.skips'] !== 'mirrored' || !isList(widths) || shown(wanted) === shown(widths)) return null;
      return problem(
        'model.widths',
        config['model.widths'],
        'the same widths up as down with model.skips mirrored',
        shown(wanted),
        undefined,
        [{ setting: 'model.skips', value: 'mirrored', nearest: 'none' }],
      );
    },
  },
  {
    code: 'model.widths_heads',
    settings: ['model.widths', 'model.heads', 'model.positions'],
    severity: 'error',
    check: (config) => {
      const [widths, unit] = [listedWidths(config), widthUnit(config)];
      if (!isList(widths) || widths.every((width) => width % unit === 0)) return null;
      const nearest = shown(widths.map((width) => Math.max(1, Math.round(width / unit)) * unit));
      const wrong = widths.find((width) => width % unit !== 0)!;
      const what = config['model.positions'] === 'rotary' ? 'twice model.heads' : 'model.heads';
      const why = { rule: `model.widths % ${what}`, numbers: `${wrong} % ${unit} = ${wrong % unit}` };
      return problem('model.widths', config['model.widths'], `multiples of ${what} ${unit}`, nearest, why);
    },
  },
  {
    code: 'model.narrowest',
    settings: ['model.narrowest', 'model.width'],
    severity: 'error',
    yields: ['model.narrowest'],
    alike: true,
    check: (config) => {
      const [narrowest, width] = [number(config, 'model.narrowest'), number(config, 'model.width')];
      if (narrowest <= width || isListed(config)) return null;
      return problem('model.narrowest', narrowest, `at most model.width ${width}, or 0 for half of it`, width);
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
