/** Parquet: the same tables as CSV, with types. */
import { defineImport } from '../importKind.ts';
import { parquetRows } from '../rows/parquetRows.ts';
import { readTable, toldOfOurs } from './table.ts';

export const parquet = defineImport({
  name: 'parquet',
  label: 'Parquet',
  help: 'The tables that CSV has, with types: our own exports, and what pandas, Polars, DuckDB and Arrow write.',
  claims: ({ head }) => head.subarray(0, 4).toString('latin1') === 'PAR1',
  async read(source, to, roles) {
    for (const file of source.files) {
      const rows = await parquetRows(file);
      await readTable(source, rows, to, roles, toldOfOurs(rows));
    }
  },
});
