/** The widths of a unet: down to its narrowest and up again, or as they are listed. */
import type { Config } from '../../../../preload/contract/settings.ts';
import { changed } from '../../changed.ts';
import { mlpAtWidth } from './gpt.dimensions.ts';
import { listedWidths, roundedTo, scaledWidths } from './widths.ts';

const number = (config: Config, name: string): number => config[name] as number;

/** Widths are multiples of this: heads divide them, and rotary positions turn pairs of features. */
export const widthUnit = (config: Config): number =>
  number(config, 'model.heads') * (config['model.positions'] === 'rotary' ? 2 : 1);

/** depth + 1 widths, in even steps from `width` to `narrowest` in the middle and back, the inner ones multiples of `unit`. */
function mirroredWidths(depth: number, width: number, narrowest: number, unit: number): number[] {
  const half = Math.floor(depth / 2);
  return Array.from({ length: depth + 1 }, (_, i) => {
    const level = Math.min(i, depth - i);
    return level === 0 ? width : roundedTo(width - ((width - narrowest) * level) / half, unit);
  });
}

/** Width of the residual stream before each block and after the last: `model.depth` + 1 numbers. */
export function unetWidths(config: Config): readonly number[] {
  const width = number(config, 'model.width');
  const listed = listedWidths(config);
  if (listed.length > 0) return [width, ...listed, width];
  const narrowest = number(config, 'model.narrowest') || width / 2;
  return mirroredWidths(number(config, 'model.depth'), width, narrowest, widthUnit(config));
}

/**
 * For each block, the block whose result is added to what it takes in: its mirror image, where that is not the block just before. Undefined
 * for blocks of the first half, and where `model.skips` is none.
 */
export function skipSources(config: Config, blocks: number): readonly (number | undefined)[] {
  const on = config['model.skips'] === 'mirrored';
  return Array.from({ length: blocks }, (_, block) => {
    const mirror = blocks - 1 - block;
    return on && mirror < block - 1 ? mirror : undefined;
  });
}

/** The same model with another outer width: the inner ones in proportion, rounded so that heads divide them. */
export function unetAtWidth(config: Config, width: number): Config {
  const scaled = (inner: number) => roundedTo((inner * width) / number(config, 'model.width'), widthUnit(config));
  const narrowest = number(config, 'model.narrowest');
  return changed(config, {
    'model.width': width,
    'model.widths': scaledWidths(config, width / number(config, 'model.width'), widthUnit(config)),
    'model.narrowest': narrowest === 0 ? 0 : Math.min(width, scaled(narrowest)),
    ...mlpAtWidth(config, width),
  });
}
