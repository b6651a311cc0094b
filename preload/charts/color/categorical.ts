/**
 * Data colours: ten categorical ones, ordered so that few are far apart: for normal, protanopic, deuteranopic and tritanopic eyes the
 * first eight differ by at least 13 (CIEDE2000), all ten by 10 (`test/renderer/charts/look.test.ts`). Each keeps 3 : 1 against its
 * surface. One set cannot do that on both surfaces, so each has its own, of the same hues; the same values as `--data-0` … `--data-9`.
 * A run's `color` is an index into them. Found by simulated annealing over lightness and chroma of ten fixed hues.
 */
export const CATEGORICAL = {
  light: ['#017aa7', '#d67158', '#016144', '#790163', '#4f3a03', '#042fd4', '#847efe', '#c41151', '#767902', '#029da4'],
  dark: ['#2199bf', '#d12c03', '#a5f9d7', '#9c567e', '#f4d22e', '#4864d3', '#d8c0ff', '#e98182', '#d8e69b', '#1ac7c1'],
} as const;

/** Beyond so many, lines are told apart by dashes as well: no eye has to know ten colours. */
const SOLID = 5;

/** The colour of a run or group for a canvas; indices beyond the set begin again. */
export function categorical(index: number, surface: 'light' | 'dark'): string {
  return CATEGORICAL[surface][place(index)];
}

/** Which dashes a line of this index has: 0 is solid. Colours come again after ten, and then in other dashes. */
export const cycleOf = (index: number): number => Math.max(0, Math.floor(index / SOLID));

/** The same for the document, where it follows the theme by itself. */
export const categoricalToken = (index: number): string => `var(--data-${place(index)})`;

function place(index: number): number {
  const { length } = CATEGORICAL.light;
  return ((Math.trunc(index) % length) + length) % length;
}
