/** Published results from files: a log of JSON lines is one result, each row of a CSV table is one. */
import Papa from 'papaparse';
import { basename } from 'node:path';
import { readShort, whyUnread } from '../shortText.ts';
import type { Reported } from './metricAudit.ts';

/** What tables and logs call these; the first that is there counts. */
const NAMES: Readonly<Record<keyof Reported, readonly string[]>> = {
  name: ['name', 'Name', 'run', 'id'],
  loss: ['val/loss', 'val_loss', 'eval_loss', 'eval/loss', 'validation_loss', 'summary.val/loss', 'loss'],
  batch: ['batch_size', 'batch', 'eval_batch_size', 'eval.sequences', 'batch.sequences'],
  context: ['block_size', 'context', 'context_length', 'seq_len', 'sequence_length', 'model.context'],
  perplexity: ['val/perplexity', 'val_perplexity', 'val_pplx', 'eval_perplexity', 'perplexity'],
  bitsPerByte: ['val/bpb', 'val_bpb', 'bpb', 'bits_per_byte'],
  untrained: ['initial_loss', 'untrained_loss', 'val_loss_0'],
  vocabulary: ['vocab_size', 'vocabulary', 'tokenizer.vocabulary'],
};

export class ResultsError extends Error {}

type Row = Readonly<Record<string, unknown>>;

/** Rows that are told one by one. */
const SHOWN = 3;

const ALLOWED = 'allowed: a CSV table with a result in each row, or a log of JSON lines';

/** Characters of a log or table of results. */
const MOST = 100_000_000;

export interface Results {
  readonly results: readonly Reported[];
  /** Rows whose loss is no number, in words. */
  readonly leftOut: readonly string[];
}

/** @param column name of the column or field with the loss, where it has another than the usual ones @throws ResultsError naming the file */
export async function readResults(path: string, column?: string): Promise<Results> {
  let text: string;
  try {
    text = await readShort(path, MOST, { pipes: true });
  } catch (error) {
    throw new ResultsError(`${path} ${whyUnread(error)}`);
  }
  if (text.trim() === '') throw new ResultsError(`${path} is empty; ${ALLOWED}`);
  const made: Results = /^\s*\{/u.test(text)
    ? { results: [fromLog(path, text, column)], leftOut: [] }
    : fromTable(path, text, column);
  if (made.results.length === 0)
    throw new ResultsError(
      `${path} has no result${made.leftOut.length === 0 ? '' : ` (${made.leftOut.slice(0, SHOWN).join(', ')})`}; ${ALLOWED}`,
    );
  return made;
}

const numberOf = (value: unknown): number | undefined => {
  if (typeof value !== 'number' && (typeof value !== 'string' || value.trim() === '')) return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
};

function field(row: Row, what: keyof Reported): unknown {
  return row[NAMES[what].find((name) => row[name] !== undefined && row[name] !== '') ?? ''];
}

function resultOf(row: Row, name: string, loss: number): Reported {
  const known = (what: keyof Reported): object => {
    const value = numberOf(field(row, what));
    return value === undefined ? {} : { [what]: value };
  };
  const rest = (['batch', 'context', 'perplexity', 'bitsPerByte', 'untrained', 'vocabulary'] as const).map(known);
  return Object.assign({ name, loss }, ...rest) as Reported;
}

function fromTable(path: string, text: string, column: string | undefined): Results {
  const { data, meta } = Papa.parse<Row>(text, { header: true, skipEmptyLines: true });
  const name = column ?? NAMES.loss.find((each) => meta.fields?.includes(each));
  if (name === undefined || meta.fields?.includes(name) !== true)
    throw new ResultsError(
      `${path} has no column ${name === undefined ? 'with a validation loss' : JSON.stringify(name)}; allowed with --column: ${(meta.fields ?? []).join(', ')}`,
    );
  const results: Reported[] = [];
  const leftOut: string[] = [];
  for (const [i, row] of data.entries()) {
    const loss = numberOf(row[name]);
    const called = String(field(row, 'name') ?? `row ${i + 1}`);
    if (loss !== undefined) results.push(resultOf(row, called, loss));
    else leftOut.push(`${called}: ${name} is ${String(row[name] ?? '').trim() || 'empty'}`);
  }
  return { results, leftOut };
}

/** Settings often lie in sections: their own names count. */
function gather(row: Row, into: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(row))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) gather(value as Row, into);
    else into[name] = value;
}

/** Every field of every line, the last value of each; losses are those of lines about validation. */
function fromLog(path: string, text: string, column = 'loss'): Reported {
  const all: Record<string, unknown> = {};
  const losses: number[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    let row: Row;
    try {
      row = JSON.parse(line) as Row;
    } catch {
      throw new ResultsError(`${path}, line ${i + 1} is not JSON`);
    }
    gather(row, all);
    const validation = row.event === undefined ? column in row : /^(?:val|eval)/iu.test(String(row.event));
    const loss = validation ? numberOf(row[column] ?? field(row, 'loss')) : undefined;
    if (loss !== undefined) losses.push(loss);
  }
  if (losses.length === 0)
    throw new ResultsError(`${path} has no validation loss; --column names the field that holds it`);
  const untrained = losses.length > 1 ? losses[0] : undefined;
  return resultOf(
    { ...all, ...(untrained === undefined ? {} : { initial_loss: untrained }) },
    basename(path),
    losses.at(-1)!,
  );
}
