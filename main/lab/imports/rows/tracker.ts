/** Which run a row belongs to. */
import { isNameless, isNothing, numberOf } from '../values.ts';
import type { Cell } from '../values.ts';

export interface TrackedColumns {
  /** Columns that name the run together; empty: the file has none. */
  readonly runs: readonly number[];
  /** Whether those hold names, not settings that tell runs apart. */
  readonly named: boolean;
  /** Whether a new run begins where the steps begin again; only without such columns. */
  readonly splits: boolean;
  readonly seed: number | undefined;
  readonly step: number | undefined;
  readonly decimalComma: boolean;
}

interface Part {
  number: number;
  first: number | undefined;
  last: number;
  rows: number;
}

/**
 * Columns name it, once for each seed where one name has several; without such columns a file holds one run for each seed, and another one wherever its steps begin again, or the names of
 * its columns stand there once more. Keys are the same whenever the file is read.
 */
export class RunTracker {
  readonly #columns: TrackedColumns;
  readonly #parts = new Map<string, Part>();
  /** Of each name: the seed of its first rows, and of the latest. */
  readonly #seeds = new Map<string, { first: string; last: string }>();

  constructor(columns: TrackedColumns) {
    this.#columns = columns;
  }

  /** The names of the columns stood there once more. */
  begins(): void {
    if (!this.#columns.splits) return;
    for (const part of this.#parts.values()) next(part);
  }

  keyOf(cells: readonly Cell[], setsUp = false): string {
    const { runs, named, splits, seed, step, decimalComma } = this.#columns;
    if (runs.length > 0) {
      const run = runs.map((at) => text(cells[at], named)).join(' / ');
      return named && seed !== undefined ? this.#withSeed(run, text(cells[seed])) : run;
    }
    const name = seed === undefined ? '' : text(cells[seed]);
    let part = this.#parts.get(name);
    if (part === undefined) this.#parts.set(name, (part = { number: 1, first: undefined, last: -Infinity, rows: 0 }));
    const at = step === undefined ? undefined : numberOf(cells[step], decimalComma);
    if (splits && at === undefined && setsUp && part.first !== undefined) next(part);
    if (at !== undefined && Number.isFinite(at)) {
      if (splits && part.first !== undefined && at <= part.first && part.last > part.first) next(part);
      part.first ??= at;
      part.last = Math.max(part.last, at);
    }
    part.rows++;
    return `${name}${part.number === 1 ? '' : `#${part.number}`}`;
  }

  /** A name may be that of a setting, which every seed has. The first keeps it; rows without a seed go on with the one before. */
  #withSeed(run: string, seed: string): string {
    const known = this.#seeds.get(run);
    if (known === undefined) {
      this.#seeds.set(run, { first: seed, last: seed });
      return run;
    }
    if (seed !== '') {
      if (known.first === '') known.first = seed;
      known.last = seed;
    }
    return known.last === known.first ? run : `${run} / ${known.last}`;
  }
}

/** A part without rows is none. */
function next(part: Part): void {
  if (part.rows === 0) return;
  part.number++;
  part.first = undefined;
  part.last = -Infinity;
  part.rows = 0;
}

const text = (cell: Cell, named = false): string =>
  (named ? isNameless(cell) : isNothing(cell)) ? '' : String(cell).trim();
