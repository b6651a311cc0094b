/** What a call may not hold whatever its schema says: looked for before the schema is, which takes its time for each wrong value. */
import { grouped, LIMITS } from './limits.ts';

interface Place {
  readonly value: unknown;
  readonly path: string;
  readonly depth: number;
}

/** Only the beginning of a path is for people. */
const LONGEST_PATH = 200;

/**
 * Why an input is refused unread: nested too deep, a list or map that is too long, too many values in all, or something that is no plain
 * data; undefined otherwise. Takes a few milliseconds at most.
 */
export function excessOf(input: unknown): string | undefined {
  const open: Place[] = [{ value: input, path: '', depth: 0 }];
  let seen = 0;
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const { value, path, depth } = place;
    const at = path === '' ? 'the input' : path;
    if (++seen > LIMITS.messageValues)
      return `the input has too many values; allowed: at most ${grouped(LIMITS.messageValues)} numbers, texts, lists and maps together`;
    if (typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol')
      return `${at} is a ${typeof value}; allowed: numbers, texts, true, false, lists and maps`;
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) continue;
    if (depth >= LIMITS.depth)
      return `${at} is nested too deep; allowed: at most ${LIMITS.depth} lists and maps inside one another`;
    const isList = Array.isArray(value);
    const keys = isList ? undefined : Object.keys(value);
    const length = keys?.length ?? (value as unknown[]).length;
    const most = isList ? LIMITS.values : LIMITS.settings;
    if (length > most) return `${at} has ${grouped(length)} entries; allowed: at most ${grouped(most)}`;
    const inner = (key: string | number): string =>
      path.length > LONGEST_PATH ? path : path === '' ? `${key}` : `${path}.${key}`;
    if (isList)
      for (let i = 0; i < length; i++) open.push({ value: (value as unknown[])[i], path: inner(i), depth: depth + 1 });
    else
      for (const key of keys!)
        open.push({
          value: (value as Record<string, unknown>)[key],
          path: inner(key.slice(0, LONGEST_PATH)),
          depth: depth + 1,
        });
  }
  return undefined;
}
