/** Numbers of flags that are no settings. */
import { parseNumber } from '../../preload/shared/settings/values.ts';
import { InputError } from './errors.ts';

/** @throws InputError unless it is an integer at least `min` */
export function wholeNumber(flag: string, text: string | undefined, min: number): number | undefined {
  if (text === undefined) return undefined;
  const value = parseNumber(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= min) return value;
  const nearest = Number.isFinite(value) ? Math.max(min, Math.round(value)) : min;
  throw new InputError(`${flag} is ${JSON.stringify(text)}; allowed: an integer at least ${min}; nearest: ${nearest}`);
}

/** @throws InputError unless it is a finite number above 0 */
export function positiveNumber(flag: string, text: string): number {
  const value = parseNumber(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new InputError(`${flag} is ${JSON.stringify(text)}; allowed: a number above 0`);
}
