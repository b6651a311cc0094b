import type { SettingProblem, SettingValue } from '../../../preload/contract/settings.ts';

/** Something wrong with the data a configuration asks for, in words for the user. Nothing has been changed on disk. */
export class DataError extends Error {
  readonly problem: SettingProblem;

  /** What is wrong with the value. */
  readonly what: string;

  /** @param what one sentence or several, about the value */
  constructor(setting: string, value: unknown, what: string, allowed: string, nearest?: SettingValue) {
    const suggestion = nearest === undefined || nearest === '' ? '' : `; nearest: ${String(nearest)}`;
    const why = what.trim().replace(/\.$/u, '');
    // As every other message about a setting, but for its value: the end of a path says more than its beginning.
    const message = `${setting} is ${JSON.stringify(value)} (${why}); allowed: ${allowed}${suggestion}`;
    super(message);
    this.name = 'DataError';
    this.what = why;
    this.problem = { setting, value, allowed, nearest, message };
  }
}

/** A text that is longer than may lie in memory at once. */
export class TextTooLong extends DataError {}

/** Names the available columns (or other names) in a message: at most twelve. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, 12).join(', ');
  return names.length > 12 ? `${shown} and ${names.length - 12} more` : shown;
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw signal.reason instanceof Error ? signal.reason : new Error('cancelled');
}
