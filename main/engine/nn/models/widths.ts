/** A list of widths between layers, as `model.widths` gives it. */
import type { Config } from '../../../../preload/contract/settings.ts';
import { MOST_LAYERS } from '../mostLayers.ts';

/** So many stand between the layers of the deepest model. */
export const MOST_WIDTHS = MOST_LAYERS - 1;

/** The widths of `model.widths`; none where it is empty, NaN for what is no number. Of a longer list than is allowed, one more than that. */
export function listedWidths(config: Config): readonly number[] {
  const text = String(config['model.widths']).trim();
  return text === ''
    ? []
    : text.split(/[\s,]+/u, MOST_WIDTHS + 1).map((word) => (/^\d+$/u.test(word) ? Number(word) : NaN));
}

/** The multiple of `unit` nearest to a width, at least one. */
export const roundedTo = (width: number, unit: number): number => Math.max(1, Math.round(width / unit)) * unit;

/** The list with every width taken `factor` times, rounded to multiples of `unit`. */
export const scaledWidths = (config: Config, factor: number, unit: number): string =>
  listedWidths(config)
    .map((width) => roundedTo(width * factor, unit))
    .join(' ');
