/** The results file of hlb-gpt-cli, a row for each run with curves as lists; `main/lab/exchange/csvWide.ts` writes it and says what its columns are. */
import { WIDE_COLUMNS, WIDE_CURVES, WIDE_NO_LIMIT } from '../../exchange/csvWide.ts';
import type { ColumnRole } from '../../../../preload/contract/imports.ts';
import { defineImport } from '../importKind.ts';
import { csvRows, headerOf } from '../rows/csvRows.ts';
import { numberOf } from '../values.ts';
import { readTable } from './table.ts';

/** What the curves are told from other tables by; older versions of the file lack some of the others. */
const NEEDED = ['val_loss', 'cumulative_time', 'tokens_seen', 'run_num', 'model_scale'];
const LIMITS: Readonly<Record<string, number>> = {
  max_epochs: WIDE_NO_LIMIT.epochs,
  max_steps: WIDE_NO_LIMIT.steps,
  max_tokens: WIDE_NO_LIMIT.tokens,
  max_time_seconds: WIDE_NO_LIMIT.seconds,
};
/** Follow from the others, or from which run it is. */
const ABOUT = new Set(['run_num', 'num_non_embedding_params', 'gpu_capacity_scalar']);
/** Curves that say nothing that others do not: perplexities, and settings written at every evaluation. */
const NO_CURVES = new Set([
  'train_pplx',
  'val_pplx',
  'batch_size',
  'seq_length',
  'weight_decay',
  'last_val_loss',
  'num_params',
]);

const rolesOf = (): Record<string, ColumnRole> =>
  Object.fromEntries(
    WIDE_COLUMNS.map((name): [string, ColumnRole] => {
      if (name === 'seed') return [name, 'seed'];
      if (name in WIDE_CURVES) return [name, 'metric'];
      if (name in LIMITS || NO_CURVES.has(name)) return [name, 'ignore'];
      return [name, ABOUT.has(name) ? 'about' : 'setting'];
    }),
  );

/** A setting that is written at every evaluation, where it stays the same. */
function constantOf(text: unknown): number | undefined {
  const values = new Set(
    String(text)
      .replaceAll(/[[\]\s]/gu, '')
      .split(','),
  );
  const [only = ''] = values;
  return values.size === 1 ? numberOf(only) : undefined;
}

export const hlbGptCsv = defineImport({
  name: 'hlb-gpt-csv',
  label: 'results file of hlb-gpt-cli',
  help: 'A row for each run, curves at the evaluations as lists; metrics get the names that they have here.',
  claims: ({ text }) => {
    const header = new Set(headerOf(text));
    return NEEDED.every((name) => header.has(name));
  },
  async read(source, to, roles) {
    for (const file of source.files) {
      const rows = await csvRows(file);
      const wanted = { ...rolesOf(), ...roles.wanted };
      await readTable(
        source,
        rows,
        to,
        { ...roles, wanted },
        {
          rename: WIDE_CURVES,
          more: (cell) => {
            const limits = Object.entries(LIMITS).flatMap(([name, off]) => {
              const value = numberOf(cell(name));
              return value === undefined || !(value < off) ? [] : [[name, value]];
            });
            const constants = ['batch_size', 'seq_length', 'weight_decay'].flatMap((name) => {
              const value = constantOf(cell(name));
              return value === undefined || !Number.isFinite(value) ? [] : [[name, value]];
            });
            const parameters = numberOf(cell('num_params'));
            const loss = numberOf(cell('last_val_loss'));
            return {
              config: Object.fromEntries([...limits, ...constants]) as Record<string, number>,
              ...(parameters !== undefined && Number.isSafeInteger(parameters) ? { parameters } : {}),
              ...(loss === undefined ? {} : { summary: { 'val/loss': loss } }),
            };
          },
        },
      );
    }
  },
});
