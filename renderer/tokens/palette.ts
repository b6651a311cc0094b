/**
 * Data colours: ten categorical hues in the order of Okabe and Ito (2008), moved so that each keeps 3 : 1 against its surface and all stay
 * apart for normal, protanopic and deuteranopic eyes (`test/renderer/charts/look.test.ts`). One set cannot do that on both
 * surfaces, so each has its own; the same values as `--data-0` … `--data-9`. A run's `color` is an index into them.
 */
export const CATEGORICAL = {
  light: ['#008aea', '#a33800', '#00a274', '#a9488f', '#b98342', '#0099c9', '#471e00', '#49565b', '#6e9c00', '#3f3bc4'],
  dark: ['#0096f2', '#bd4200', '#3dd5a1', '#93568f', '#ecb220', '#5dddff', '#ab503d', '#776b6a', '#9faf4b', '#5b5bed'],
} as const;

/** The colour of a run or group for a canvas; indices beyond the set begin again. */
export function categorical(index: number, surface: 'light' | 'dark'): string {
  return CATEGORICAL[surface][place(index)];
}

/** How often the set was used up before this index. */
export const cycleOf = (index: number): number => Math.max(0, Math.floor(index / CATEGORICAL.light.length));

/** The same for the document, where it follows the theme by itself. */
export const categoricalToken = (index: number): string => `var(--data-${place(index)})`;

function place(index: number): number {
  const { length } = CATEGORICAL.light;
  return ((Math.trunc(index) % length) + length) % length;
}
