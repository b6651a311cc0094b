/** Lists of values as flags take them: `2 4`, and as other tools write them, `2,4` and `[2, 4]`. */
import type { SettingSpec } from '../../preload/contract/settings.ts';
import { parseSeeds } from '../../preload/shared/sweeps/seeds.ts';
import { numberSpelledOtherwise, readText } from '../../preload/shared/settings/values.ts';
import { InputError } from './errors.ts';

const DIGITS = /^\d+$/u;

/**
 * The values of a flag, lists by comma taken apart. Text settings keep their commas. @throws InputError where a comma may be a decimal sign
 * or part the thousands of one number
 */
export function listed(spec: SettingSpec, texts: readonly string[]): readonly string[] {
  const { type, name } = spec;
  if (type.kind === 'string' || texts.every((text) => !text.includes(','))) return texts;
  const bare = texts.join(' ').replace(/^\s*\[(.*)\]\s*$/su, '$1');
  const parts = bare.split(/\s*,\s*|\s+/u).filter(Boolean);
  for (const text of texts) {
    const pieces = text.split(',');
    if (pieces.length < 2 || !pieces.every((piece) => DIGITS.test(piece))) continue;
    // 0,001 and 1,000 are one number elsewhere; 2,4 is a list of integers, but perhaps 2.4.
    const decimal = type.kind === 'float' && pieces.length === 2;
    const grouped = pieces.slice(1).some((piece) => piece.length > 1 && piece.startsWith('0'));
    if (!decimal && !grouped) continue;
    const one = type.kind === 'float' ? pieces.join('.') : pieces.join('');
    throw new InputError(
      `--${name} is ${JSON.stringify(text)}, which may be one number or a list; ` +
        `one number: --${name} ${one}; a list: --${name} ${pieces.map(Number).join(' ')}`,
    );
  }
  // What is no list of values after all is shown as it was written.
  return parts.length > 1 || parts.every((part) => readText(spec, part) !== undefined) ? parts : texts;
}

/** `3` seeds, or the seeds `1 7 42`, `1,7,42` or `1..3`. @throws InputError */
export function seedsOf(texts: readonly string[] | undefined): number | readonly number[] | undefined {
  if (texts === undefined) return undefined;
  const text = texts.join(' ').replace(/^\[(.*)\]$/su, '$1');
  const seeds = parseSeeds(text);
  if (seeds !== null) return seeds;
  const spelled = numberSpelledOtherwise(text);
  const count = Number.isNaN(spelled) ? Number(text) : spelled;
  const nearest = Number.isFinite(count) ? Math.min(Math.max(1, Math.round(count)), 10_000) : undefined;
  throw new InputError(
    `--seeds is ${JSON.stringify(text)}; allowed: how many (an integer from 1 to 10,000), or the seeds themselves, such as 1 7 42` +
      (nearest === undefined ? '' : `; nearest: ${nearest}`),
  );
}
