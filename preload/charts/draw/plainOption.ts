/**
 * Names on a canvas: whatever text an option of a chart holds, or a function of it answers, shows its hidden characters
 * (preload/shared/plainText.ts). Numbers, typed arrays and what belongs to the library are handed on as they are.
 */
import { shownText } from '../../shared/plainText.ts';

type Function = (...given: unknown[]) => unknown;

const isPlain = (value: object): boolean => {
  const parent: unknown = Object.getPrototypeOf(value);
  return parent === Object.prototype || parent === null;
};

/** The same value where nothing in it is hidden, and no function. */
export function plainOption<T>(value: T): T {
  return plain(value) as T;
}

function plain(value: unknown): unknown {
  if (typeof value === 'string') return shownText(value);
  if (typeof value === 'function') return (...given: unknown[]) => plain((value as Function)(...given));
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return changed(value, plain) ?? value;
  if (!isPlain(value)) return value;
  const values = changed(Object.values(value), plain);
  return values === undefined ? value : Object.fromEntries(Object.keys(value).map((key, i) => [key, values[i]]));
}

/** Undefined when all stayed what they were: thousands of rows of numbers are then not copied. */
function changed(values: readonly unknown[], map: (value: unknown) => unknown): unknown[] | undefined {
  let copy: unknown[] | undefined;
  for (const [i, value] of values.entries()) {
    const now = map(value);
    if (Object.is(now, value)) continue;
    copy ??= [...values];
    copy[i] = now;
  }
  return copy;
}
