import type { SettingProblem, SettingValue } from '../../../preload/contract/settings.ts';

/** Something wrong with the data a configuration asks for, in words for the user. Nothing has been changed on disk. */
export class DataError extends Error {
  readonly problem: SettingProblem;

  constructor(setting: string, value: unknown, what: string, allowed: string, nearest?: SettingValue) {
    const suggestion = nearest === undefined || nearest === '' ? '' : ` Nearest valid choice: ${String(nearest)}.`;
    const message = `${setting} = ${JSON.stringify(value)}: ${what} Allowed: ${allowed}.${suggestion}`;
    super(message);
    this.name = 'DataError';
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
