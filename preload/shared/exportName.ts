import { fileName } from './fileName.ts';

/** `sweeplab-runs-2026-11-26.csv`: what a file of runs is called where nobody names it, offered by a dialog or downloaded. */
export const exportName = (
  format: { readonly extensions: readonly string[] },
  what = 'sweeplab-runs',
  day = new Date(),
): string => fileName(`${what}-${day.toISOString().slice(0, 10)}.${format.extensions[0]}`);
