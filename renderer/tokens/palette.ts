/**
 * Data colours. Ten categorical hues in Okabe–Ito order, adjusted so that each keeps 3 : 1 against both the light and
 * the dark panel; the same values as `--data-0` … `--data-9`. A run's `color` is an index into them.
 */
export const CATEGORICAL = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#c27f00',
  '#3a94cf',
  '#8f8400',
  '#8a6bd1',
  '#7d8590',
  '#a6613b',
] as const;

/** The colour of a run or group; indices beyond the set begin again. */
export function categorical(index: number): string {
  return CATEGORICAL[((Math.trunc(index) % CATEGORICAL.length) + CATEGORICAL.length) % CATEGORICAL.length];
}
