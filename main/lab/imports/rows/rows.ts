/** Rows of a table or of a file of objects, as all readers of such files see them. */
import type { ImportFile } from '../files.ts';
import type { Cell } from '../values.ts';

export interface Row {
  /** In the order of {@link RowSource.columns}; may be shorter than that. The same array serves for every row. */
  readonly cells: readonly Cell[];
  readonly line: number;
}

export interface RowSource {
  readonly file: ImportFile;
  /** Names, each once. Of objects, further ones come with the rows that hold them. */
  readonly columns: readonly string[];
  /** Numbers may have a comma for the point. */
  readonly decimalComma: boolean;
  /**
   * Gives all rows in order. `begins`: the names stand there once more, so that another part begins. `bad` is told of what is no row. `pause` is
   * awaited now and then.
   */
  each(take: RowTaker): Promise<void>;
}

export interface RowTaker {
  row(row: Row): void;
  begins(line: number): void;
  bad(what: string, line: number): void;
  pause(): Promise<void>;
}

/** Names, each once: a second `loss` is `loss (2)`. */
export function distinct(names: readonly string[]): { readonly names: string[]; readonly repeated: readonly string[] } {
  const seen = new Set<string>();
  const repeated: string[] = [];
  const made = names.map((given, i) => {
    const name = given.trim() === '' ? `column ${i + 1}` : given.trim();
    let free = name;
    for (let n = 2; seen.has(free); n++) free = `${name} (${n})`;
    if (free !== name) repeated.push(name);
    seen.add(free);
    return free;
  });
  return { names: made, repeated };
}
