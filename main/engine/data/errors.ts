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

/** Levenshtein distance between two short words. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length];
}

/** The candidate most like `word`, or undefined when none is close or there are none. */
export function nearestName(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.ceil(word.length / 2)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Names the available columns (or other names) in a message: at most twelve. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, 12).join(', ');
  return names.length > 12 ? `${shown} and ${names.length - 12} more` : shown;
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw signal.reason instanceof Error ? signal.reason : new Error('cancelled');
}
