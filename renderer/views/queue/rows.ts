/** The runs that wait, as rows: neighbours of one sweep under a head, which can be folded; and where a row goes when it is moved. */
import type { Move } from '../../stores/queueOrder.ts';

export interface Block {
  /** Stays the same while runs of it leave. */
  readonly key: string;
  /** Null: a run without a sweep, alone. */
  readonly sweepId: string | null;
  readonly ids: readonly string[];
  /** Place of its first run in the queue, from 0. */
  readonly from: number;
}

export interface Row {
  readonly key: string;
  /** `head` of a block of several runs. */
  readonly kind: 'head' | 'run';
  readonly block: Block;
  /** The runs that it stands for. */
  readonly ids: readonly string[];
  /** Place of its first run in the queue, from 0. */
  readonly turn: number;
  /** Below a head. */
  readonly nested: boolean;
  /** Of a head. */
  readonly open: boolean;
}

/** Neighbours of one sweep. A sweep whose runs stand apart has several. */
export function blocksOf(waiting: readonly string[], sweepOf: (id: string) => string | null): readonly Block[] {
  const parts = new Map<string, number>();
  const blocks: (Block & { readonly ids: string[] })[] = [];
  waiting.forEach((id, from) => {
    const sweepId = sweepOf(id);
    const last = blocks.at(-1);
    if (sweepId !== null && last?.sweepId === sweepId) {
      last.ids.push(id);
      return;
    }
    const part = parts.get(sweepId ?? id) ?? 0;
    parts.set(sweepId ?? id, part + 1);
    blocks.push({ key: `${sweepId ?? id}:${part}`, sweepId, ids: [id], from });
  });
  return blocks;
}

export function rowsOf(blocks: readonly Block[], isOpen: (block: Block) => boolean): readonly Row[] {
  return blocks.flatMap((block): Row[] => {
    const { ids, from } = block;
    const nested = ids.length > 1;
    const open = !nested || isOpen(block);
    const runs = open
      ? ids.map((id, i): Row => ({ key: id, kind: 'run', block, ids: [id], turn: from + i, nested, open: false }))
      : [];
    return nested ? [{ key: block.key, kind: 'head', block, ids, turn: from, nested: false, open }, ...runs] : runs;
  });
}

/** What is dropped above the row at `index` stands before this run; below all rows: behind all. */
export const dropBefore = (rows: readonly Row[], index: number): string | null => rows[index]?.ids[0] ?? null;

/**
 * One step up or down, over what is seen: a head goes over the whole block beside it, a run over a run, or over a block that is folded.
 * Undefined: there is nothing to go over.
 */
export function stepOf(rows: readonly Row[], waiting: readonly string[], index: number, by: 1 | -1): Move | undefined {
  const row = rows[index];
  const { ids, turn } = row;
  const over = row.kind === 'head' ? blockBeside(rows, row, by) : rowBeside(rows, index, by);
  if (over === undefined) return undefined;
  if (by < 0) return { ids, before: over[0] };
  return { ids, before: waiting[turn + ids.length + over.length] ?? null };
}

function blockBeside(rows: readonly Row[], { block }: Row, by: 1 | -1): readonly string[] | undefined {
  const heads = rows.filter(({ nested }) => !nested);
  return heads[heads.findIndex((each) => each.block.key === block.key) + by]?.ids;
}

function rowBeside(rows: readonly Row[], index: number, by: 1 | -1): readonly string[] | undefined {
  let beside = rows[index + by];
  // Its own head, or that of an open block: what is gone over are its runs.
  if (beside?.kind === 'head' && by < 0 && beside.open) beside = rows[index - 2];
  if (beside?.kind === 'head' && by > 0 && beside.open) beside = rows[index + 2];
  return beside?.ids;
}

/** All runs of a sweep that wait, wherever they stand. */
export const runsOfSweep = (blocks: readonly Block[], sweepId: string): readonly string[] =>
  blocks.filter((block) => block.sweepId === sweepId).flatMap(({ ids }) => ids);
