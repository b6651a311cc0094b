/** Rules for a list of widths between layers. */
import type { Config } from '../../../../preload/contract/settings.ts';
import type { Rule } from '../../../../preload/shared/settings/rules.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import { listedWidths } from './widths.ts';

const number = (config: Config, name: string): number => config[name] as number;
export const isWidthList = (widths: readonly number[]): boolean =>
  widths.every((width) => width >= 1 && width <= 65536);
export const shownWidths = (widths: readonly number[]): string => widths.join(' ');

/** The list is one, and as long as the depth says. */
export const widthRules: readonly Rule[] = [
  {
    code: 'model.widths',
    settings: ['model.widths'],
    severity: 'error',
    check: (config) => {
      const widths = listedWidths(config);
      if (isWidthList(widths)) return null;
      const nearest = widths.filter((width) => width >= 1).map((width) => Math.min(width, 65536));
      const allowed = 'widths from 1 to 65536 between spaces or commas, such as 96 64 96, or nothing';
      return problem('model.widths', config['model.widths'], allowed, shownWidths(nearest));
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
];

/** Heads divide every width, where they are cut from it: `unitOf` is what they need, 1 where they are not. */
export const widthsOfHeads = (unitOf: (config: Config) => number): Rule => ({
  code: 'model.widths_heads',
  settings: ['model.widths', 'model.heads', 'model.positions'],
  severity: 'error',
  check: (config) => {
    const [widths, unit] = [listedWidths(config), unitOf(config)];
    if (!isWidthList(widths) || widths.every((width) => width % unit === 0)) return null;
    const nearest = shownWidths(widths.map((width) => Math.max(1, Math.round(width / unit)) * unit));
    const wrong = widths.find((width) => width % unit !== 0)!;
    const what = config['model.positions'] === 'rotary' ? 'twice model.heads' : 'model.heads';
    const why = { rule: `model.widths % ${what}`, numbers: `${wrong} % ${unit} = ${wrong % unit}` };
    return problem('model.widths', config['model.widths'], `multiples of ${what} ${unit}`, nearest, why);
  },
});
