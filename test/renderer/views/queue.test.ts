/** The queue as rows, and where a row goes when it is moved, against a list on which the same is done by hand. */
import { describe, expect, it } from 'vitest';
import { blocksOf, dropBefore, rowsOf, stepOf } from '../../../renderer/views/queue/rows.ts';
import type { Block, Row } from '../../../renderer/views/queue/rows.ts';
import { partsOf, wayBack } from '../../../renderer/stores/queueOrder.ts';
import type { Move } from '../../../renderer/stores/queueOrder.ts';
import { random, SEED } from '../../oracles/random.ts';
import type { Random } from '../../oracles/random.ts';

/** `a1` is of sweep a; `_7` of none. */
const sweepOf = (id: string): string | null => (id.startsWith('_') ? null : id[0]);
/** As the lab does it. */
function moved(order: readonly string[], { ids, before }: Move): string[] {
  const chosen = new Set(ids);
  const at = before === null ? order.length : order.indexOf(before);
  expect(at).toBeGreaterThanOrEqual(0);
  const keep = (part: readonly string[]): string[] => part.filter((id) => !chosen.has(id));
  return [...keep(order.slice(0, at)), ...ids, ...keep(order.slice(at))];
}
const look = (rows: readonly Row[]): string =>
  rows
    .map(({ kind, ids, nested, open }) =>
      kind === 'head' ? `${open ? '▾' : '▸'}${ids.join('')}` : `${nested ? '·' : ''}${ids[0]}`,
    )
    .join(' ');
const open = (): boolean => true;
const shut = (): boolean => false;

function someOrder({ integer }: Random): string[] {
  const ids = ['a', 'b', 'c', '_'].flatMap((sweep) => Array.from({ length: integer(0, 4) }, (_, i) => `${sweep}${i}`));
  for (let i = ids.length - 1; i > 0; i--) {
    const j = integer(0, i);
    // Neighbours stay neighbours more often than not.
    if (integer(0, 1) === 0) [ids[i], ids[j]] = [ids[j], ids[i]];
  }
  return ids;
}

describe('the rows of the queue', () => {
  const waiting = ['a1', 'a2', '_1', '_2', 'b1', 'a3', 'a4', 'a5'];
  const blocks = blocksOf(waiting, sweepOf);

  it('are neighbours of one sweep under a head, a run alone without one', () => {
    expect(look(rowsOf(blocks, open))).toBe('▾a1a2 ·a1 ·a2 _1 _2 b1 ▾a3a4a5 ·a3 ·a4 ·a5');
    expect(look(rowsOf(blocks, shut))).toBe('▸a1a2 _1 _2 b1 ▸a3a4a5');
    expect(rowsOf(blocks, open).map(({ turn }) => turn)).toEqual([0, 0, 1, 2, 3, 4, 5, 5, 6, 7]);
  });

  it('keep their keys while runs leave at the front (would catch a sweep that folds when its first run begins)', () => {
    const later = blocksOf(waiting.slice(1), sweepOf);
    expect(later.map(({ key }) => key)).toEqual(blocks.map(({ key }) => key));
    expect(new Set(blocks.map(({ key }) => key)).size).toBe(blocks.length);
  });

  it('say where what is dropped above them goes', () => {
    const rows = rowsOf(blocks, (block: Block) => block.from === 0);
    expect(look(rows)).toBe('▾a1a2 ·a1 ·a2 _1 _2 b1 ▸a3a4a5');
    expect(rows.map((_, i) => dropBefore(rows, i))).toEqual(['a1', 'a1', 'a2', '_1', '_2', 'b1', 'a3']);
    expect(dropBefore(rows, rows.length)).toBeNull();
  });

  it('step over what is seen: a run over a run or a folded block, a head over a block', () => {
    const rows = rowsOf(blocks, (block: Block) => block.from === 0);
    const after = (key: string, by: 1 | -1): string => {
      const move = stepOf(
        rows,
        waiting,
        rows.findIndex(({ kind, ids }) => `${kind} ${ids[0]}` === key),
        by,
      );
      return move === undefined ? 'stays' : moved(waiting, move).join(' ');
    };
    expect(after('run a1', -1)).toBe('stays');
    expect(after('head a1', -1)).toBe('stays');
    expect(after('head a3', 1)).toBe('stays');
    expect(after('run a2', 1)).toBe('a1 _1 a2 _2 b1 a3 a4 a5');
    expect(after('head a1', 1)).toBe('_1 a1 a2 _2 b1 a3 a4 a5');
    expect(after('run b1', 1)).toBe('a1 a2 _1 _2 a3 a4 a5 b1');
    expect(after('head a3', -1)).toBe('a1 a2 _1 _2 a3 a4 a5 b1');
    expect(after('run _1', -1)).toBe('a1 _1 a2 _2 b1 a3 a4 a5');
  });

  it(`step to where the eye expects them, forth and back (seed ${SEED}; would catch an off-by-one at heads and ends)`, () => {
    const dice = random();
    for (let round = 0; round < 400; round++) {
      const order = someOrder(dice);
      const folded = new Set(blocksOf(order, sweepOf).flatMap(({ key }) => (dice.integer(0, 1) === 0 ? [key] : [])));
      const rows = rowsOf(blocksOf(order, sweepOf), ({ key }) => !folded.has(key));
      rows.forEach((row, index) => {
        const first = order.indexOf(row.ids[0]);
        for (const by of [1, -1] as const) {
          const move = stepOf(rows, order, index, by);
          const end = by > 0 ? first + row.ids.length === order.length : first === 0;
          expect(move === undefined, `${look(rows)} ${row.key} ${by}`).toBe(end);
          if (move === undefined) continue;
          const after = moved(order, move);
          expect(after.toSorted()).toEqual(order.toSorted());
          const way = (after.indexOf(row.ids[0]) - first) * by;
          // At least one place, and never over more than one block.
          expect(way).toBeGreaterThan(0);
          const most = Math.max(...blocksOf(order, sweepOf).map(({ ids }) => ids.length));
          expect(way).toBeLessThanOrEqual(row.kind === 'head' || folded.size > 0 ? most : 1);
          // What moves stays together.
          expect(after.slice(after.indexOf(row.ids[0]), after.indexOf(row.ids[0]) + row.ids.length)).toEqual(row.ids);
        }
      });
    }
  });
});

describe('a move', () => {
  it('is sent in parts that a message can carry, and ends the same', () => {
    const order = Array.from({ length: 23 }, (_, i) => `r${i}`);
    for (const before of ['r2', null]) {
      const move = { ids: order.slice(5, 18), before };
      const parts = partsOf(move, 5);
      expect(parts.map(({ ids }) => ids.length)).toEqual([5, 5, 3]);
      expect(parts.reduce((now, part) => moved(now, part), order)).toEqual(moved(order, move));
    }
  });

  it(`is taken back, also when runs have left meanwhile (seed ${SEED}; would catch an undo that shuffles)`, () => {
    const dice = random();
    for (let round = 0; round < 400; round++) {
      const order = someOrder(dice);
      const ids = order.filter(() => dice.integer(0, 2) === 0);
      if (ids.length === 0) continue;
      const rest = order.filter((id) => !ids.includes(id));
      const now = moved(order, { ids, before: rest[dice.integer(0, rest.length)] ?? null });
      const gone = new Set(now.slice(0, dice.integer(0, 2)));
      const left = now.filter((id) => !gone.has(id));
      const back = wayBack(order, ids, left).reduce((list, move) => moved(list, move), left);
      expect(back, `${order} moved ${ids} gone ${[...gone]}`).toEqual(order.filter((id) => !gone.has(id)));
    }
  });
});
