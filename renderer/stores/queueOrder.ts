/** Moves in the queue as lists of ids: what to send, and how to take it back. */

export interface Move {
  readonly ids: readonly string[];
  /** Null: behind all. */
  readonly before: string | null;
}

/** Parts that one message can carry, in the order in which they are sent. */
export function partsOf({ ids, before }: Move, most: number): readonly Move[] {
  const parts: Move[] = [];
  for (let from = 0; from < ids.length; from += most) parts.push({ ids: ids.slice(from, from + most), before });
  return parts;
}

/**
 * What brings moved runs back to where they stood, among those that still wait: each stretch of them before the run that followed it, the
 * last one first.
 */
export function wayBack(order: readonly string[], moved: readonly string[], waiting: readonly string[]): Move[] {
  const there = new Set(waiting);
  const chosen = new Set(moved);
  const moves: Move[] = [];
  let ids: string[] = [];
  let before: string | null = null;
  const close = (): void => {
    if (ids.length > 0) moves.push({ ids: ids.toReversed(), before });
    ids = [];
  };
  for (const id of order.toReversed()) {
    if (!there.has(id)) continue;
    if (chosen.has(id)) ids.push(id);
    else {
      close();
      before = id;
    }
  }
  close();
  return moves;
}
