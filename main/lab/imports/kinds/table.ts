/** What every kind of table does with its rows. */
import type { Receiver } from '../receiver.ts';
import type { Roles, Source } from '../importKind.ts';
import { layoutOf } from '../rows/layout.ts';
import type { Layout } from '../rows/layout.ts';
import type { RowSource } from '../rows/rows.ts';
import { tellRows } from '../rows/tell.ts';
import type { TellOptions } from '../rows/tell.ts';

/** A source is read twice; what its columns are is found out once. */
const known = new WeakMap<Source, Layout>();

/** Before the columns of our own files with a line for each point. */
const OURS = ['run', 'name', 'sweep', 'state'];

/** Of a table that Sweeplab has written, the run is known by its id. */
export const toldOfOurs = ({ columns }: RowSource): TellOptions =>
  OURS.every((name, i) => columns[i] === name) ? { begins: (key) => ({ sweeplabId: key }) } : {};

/** Finds out what the columns are, and tells all rows. */
export async function readTable(
  source: Source,
  rows: RowSource,
  to: Receiver,
  { wanted, found }: Roles,
  options: TellOptions = {},
): Promise<void> {
  let layout = known.get(source);
  if (layout === undefined) {
    layout = await layoutOf(rows, wanted, () => to.flush());
    known.set(source, layout);
  }
  found(layout.columns);
  await tellRows(rows, layout, to, options);
}
