/** CSV and TSV: a row for each step, point or run, as Sweeplab, W&B, Trackio, MLflow, pandas and people write them. */
import { defineImport } from '../importKind.ts';
import { csvRows, headerOf } from '../rows/csvRows.ts';
import { readTable, toldOfOurs } from './table.ts';

export const csv = defineImport({
  name: 'csv',
  label: 'CSV',
  help: 'A row for each step, each point or each run, of one run or many: exports of Sweeplab, W&B, Trackio, MLflow and pandas, and your own.',
  claims: ({ name, text }) =>
    /\.(?:csv|tsv)$/u.test(name) || (!/\.(?:jsonl?|ya?ml|py|md|log)$/u.test(name) && isTable(text)),
  async read(source, to, roles) {
    for (const file of source.files) {
      const rows = await csvRows(file);
      await readTable(source, rows, to, roles, toldOfOurs(rows));
    }
  },
});

/** Lines that all have as many delimiters: names, and rows below them. */
function isTable(text: string): boolean {
  const lines = text.split('\n', 6).filter((line) => line.trim() !== '');
  if (lines.length < 3 || !/^[^{}[\]<>]+$/u.test(lines[0]!)) return false;
  const widths = lines.slice(0, -1).map((line) => headerOf(line).length);
  return widths[0]! > 1 && widths.every((width) => width === widths[0]);
}
