/** Undo and redo over immutable states. Changes of one field in quick succession are one step. */

export interface History<T> {
  readonly past: readonly T[];
  readonly present: T;
  readonly future: readonly T[];
  /** Which field changed last, and when: the next change of it joins while it is recent. */
  readonly last: { readonly key: string; readonly at: number } | null;
}

const JOIN_MS = 900;
const MOST = 200;

export const historyOf = <T>(present: T): History<T> => ({ past: [], present, future: [], last: null });

/** A change by the user. `key` names what was changed; changes without a key never join. */
export function commit<T>(history: History<T>, next: T, key: string | null, now: number): History<T> {
  if (next === history.present) return history;
  const { last } = history;
  const joins = key !== null && last?.key === key && now - last.at < JOIN_MS && history.past.length > 0;
  return {
    past: joins ? history.past : [...history.past, history.present].slice(-MOST),
    present: next,
    future: [],
    last: key === null ? null : { key, at: now },
  };
}

export function undo<T>(history: History<T>): History<T> {
  const before = history.past.at(-1);
  if (before === undefined) return history;
  return {
    past: history.past.slice(0, -1),
    present: before,
    future: [history.present, ...history.future],
    last: null,
  };
}

export function redo<T>(history: History<T>): History<T> {
  const [next, ...rest] = history.future;
  if (next === undefined) return history;
  return { past: [...history.past, history.present], present: next, future: rest, last: null };
}
