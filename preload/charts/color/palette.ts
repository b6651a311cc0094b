/**
 * Continuous colours of data; the categorical ones are tokens too (categorical.ts). The same value has a different colour on each
 * surface, because no continuous scale keeps its contrast on both.
 */
export type Surface = 'light' | 'dark';

/** Anchors of viridis (van der Walt and Smith 2015) at 0, 1/8 … 1. */
const VIRIDIS = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
] as const;

/** Part of viridis that keeps its contrast on each surface: its yellow end drowns in white, its purple end in black. */
const VIRIDIS_SPAN: Readonly<Record<Surface, readonly [number, number]>> = { light: [0, 0.74], dark: [0.28, 1] };

type Rgb = readonly [number, number, number];

function between(anchors: readonly Rgb[], t: number): string {
  const at = Math.min(1, Math.max(0, t)) * (anchors.length - 1);
  const low = Math.min(anchors.length - 2, Math.floor(at));
  const share = at - low;
  const channel = (i: 0 | 1 | 2): string =>
    Math.round(anchors[low][i] + share * (anchors[low + 1][i] - anchors[low][i]))
      .toString(16)
      .padStart(2, '0');
  return `#${channel(0)}${channel(1)}${channel(2)}`;
}

/** t from 0 (low) to 1 (high). */
export function viridis(t: number, surface: Surface): string {
  const [from, to] = VIRIDIS_SPAN[surface];
  return between(VIRIDIS, from + (to - from) * Math.min(1, Math.max(0, t)));
}

const RAMP: Readonly<Record<Surface, readonly Rgb[]>> = {
  light: [
    [16, 64, 160],
    [90, 140, 214],
    [150, 165, 185],
  ],
  dark: [
    [150, 195, 255],
    [86, 128, 190],
    [92, 102, 118],
  ],
};

/** One hue by distance from the best: 0 is the best (strong), 1 the farthest (pale, still 2 : 1 against the surface). */
export function ramp(t: number, surface: Surface): string {
  return between(RAMP[surface], t);
}
