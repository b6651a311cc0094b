/** CSV and TSV: a row for each step, point or run, as Sweeplab, W&B, Trackio, MLflow, pandas and people write them. */
import { defineImport } from '../importKind.ts';
import { stepRank } from '../rows/names.ts';
import { csvRows, headerOf } from '../rows/csvRows.ts';
import { readTable, toldOfOurs } from './table.ts';

export const csv = defineImport({
  name: 'csv',
  label: 'CSV',
  help: 'A row for each step, each point or each run, of one run or many: exports of Sweeplab, W&B, Trackio, MLflow and pandas, and your own.',
  claims: ({ name, text }) =>
    /\.(?:csv|tsv)$/u.test(name) ||
    (!/\.(?:jsonl?|ya?ml|py|md)$/u.test(name) && isTable(text) && (!name.endsWith('.log') || hasSteps(text))),
  unit: (path) => TENSORBOARD.exec(path)?.[1],
  async read(source, to, roles) {
    for (const file of source.files) {
      const rows = await csvRows(file);
      const [, , run, tag] = TENSORBOARD.exec(file.path) ?? [];
      const download = run !== undefined && tag !== undefined && VALUES.every((name) => rows.columns.includes(name));
      const told = download ? { rename: { Value: tag }, begins: () => ({ name: run }) } : toldOfOurs(rows);
      await readTable(source, rows, to, roles, told);
    }
  },
});

/** Of what TensorBoard's page hands over, a file for each scalar of a run, only its name says which. */
const TENSORBOARD = /^((?:.*\/)?run-([^/]+))-tag-([^/]+)\.csv$/u;
const VALUES = ['Step', 'Value'];

/** A log of a program is a table where its columns say so: Keras calls that of its CSVLogger training.log. */
const hasSteps = (text: string): boolean => headerOf(text).some((name) => stepRank(name) < Infinity);

/** Lines that all have as many delimiters: names, and rows below them. */
function isTable(text: string): boolean {
  const lines = text.split('\n', 6).filter((line) => line.trim() !== '');
  if (lines.length < 3 || !/^[^{}[\]<>]+$/u.test(lines[0]!)) return false;
  const widths = lines.slice(0, -1).map((line) => headerOf(line).length);
  return widths[0]! > 1 && widths.every((width) => width === widths[0]);
}
