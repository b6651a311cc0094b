/** Rules for a list of widths between layers. */
import type { Config } from '../../../../preload/contract/settings.ts';
import type { Rule } from '../../../../preload/shared/settings/rules.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import { MOST_LAYERS } from '../mostLayers.ts';
import { listedWidths, MOST_WIDTHS, roundedTo } from './widths.ts';

const MOST = 65536;
const number = (config: Config, name: string): number => config[name] as number;
export const isWidthList = (widths: readonly number[]): boolean => widths.every((width) => width >= 1 && width <= MOST);
export const shownWidths = (widths: readonly number[]): string => widths.join(' ');

/** What can be read of the list as multiples of `unit`: what is no number is left out, numbers keep their places. */
function nearestWidths(config: Config, unit: number): string {
  const words = String(config['model.widths'])
    .split(/[\s,]+/u)
    .filter((word) => word !== '');
  const numbers = words.map(Number).filter((width) => !Number.isNaN(width));
  return shownWidths(numbers.map((width) => roundedTo(Math.min(width, MOST - unit), unit)));
}

/** The list is one, as long as the depth says, and heads divide every width where they are cut from it: `unitOf` is what they need, else 1. */
export const widthRules = (unitOf: (config: Config) => number): readonly Rule[] => [
  {
    code: 'model.widths',
    settings: ['model.widths'],
    severity: 'error',
    check: (config) => {
      const widths = listedWidths(config);
      if (widths.length > MOST_WIDTHS)
        return problem(
          'model.widths',
          config['model.widths'],
          `at most ${MOST_WIDTHS} widths, as model.depth is at most ${MOST_LAYERS}`,
        );
      if (isWidthList(widths)) return null;
      const allowed = `widths from 1 to ${MOST} between spaces or commas, or nothing`;
      return problem('model.widths', config['model.widths'], allowed, nearestWidths(config, unitOf(config)));
    },
  },
  {
    code: 'model.widths_depth',
    settings: ['model.widths', 'model.depth'],
    severity: 'error',
    yields: ['model.depth'],
    check: (config) => {
      const [depth, inner] = [number(config, 'model.depth'), listedWidths(config).length];
      if (inner === 0 || inner > MOST_WIDTHS || depth === inner + 1) return null;
      const why = { rule: 'widths in model.widths + 1', numbers: `${inner} + 1 = ${inner + 1}` };
      return problem('model.depth', depth, `one block more than model.widths has widths`, inner + 1, why);
    },
  },
  {
    code: 'model.widths_heads',
    settings: ['model.widths', 'model.heads', 'model.positions'],
    severity: 'error',
    check: (config) => {
      const [widths, unit] = [listedWidths(config), unitOf(config)];
      const wrong = widths.find((width) => width % unit !== 0);
      if (widths.length > MOST_WIDTHS || !isWidthList(widths) || wrong === undefined) return null;
      const even = config['model.positions'] === 'rotary';
      const what = even ? '2 × model.heads' : 'model.heads';
      const why = { rule: `model.widths % ${what}`, numbers: `${wrong} % ${unit} = ${wrong % unit}` };
      const nearest = nearestWidths(config, unit);
      return problem(
        'model.widths',
        config['model.widths'],
        `multiples of ${what} ${even ? '= ' : ''}${unit}`,
        nearest,
        why,
      );
    },
  },
];
