/** Seeds as people write them: how many, or which. */
import { LIMITS } from '../../contract/limits.ts';
import { counted } from '../format.ts';

const RANGE = /^(\d+)\s*(?:\.\.|–|…)\s*(\d+)$/u;

/** `3` → three seeds; `1, 7, 42` or `1 7 42` → these; `5..9` → these five. Null while it says nothing yet. */
export function parseSeeds(text: string): number | readonly number[] | null {
  const trimmed = text.trim();
  const range = RANGE.exec(trimmed);
  if (range !== null) {
    const [from, to] = [Number(range[1]), Number(range[2])];
    return to >= from && to - from < LIMITS.seeds ? Array.from({ length: to - from + 1 }, (_, i) => from + i) : null;
  }
  const listed = /[,;\s]/u.test(trimmed);
  const parts = trimmed.split(/[,;\s]+/u).filter(Boolean);
  if (parts.length === 0 || !parts.every((part) => /^\d+$/u.test(part) && Number.isSafeInteger(Number(part))))
    return null;
  const numbers = parts.map(Number);
  // "7," is the list of one seed.
  if (listed) return [...new Set(numbers)];
  return numbers[0] > 0 && numbers[0] <= LIMITS.seeds ? numbers[0] : null;
}

/** What is said of a list of seeds that repeats some; undefined where it does not. */
export function repeatedSeeds(text: string): string | undefined {
  const seeds = parseSeeds(text);
  if (seeds === null || typeof seeds === 'number' || RANGE.test(text.trim())) return undefined;
  const repeats = (text.match(/\d+/gu)?.length ?? 0) - seeds.length;
  return repeats > 0 ? `${counted(repeats, 'seed')} given twice or more: each is taken once` : undefined;
}

export function formatSeeds(seeds: number | readonly number[]): string {
  if (typeof seeds === 'number') return String(seeds);
  return seeds.length === 1 ? `${seeds[0]},` : seeds.join(', ');
}
