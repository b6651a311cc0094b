/** JSON lines: one object (or string) a line; blank lines are skipped. */
import type { Documents } from '../corpusBuilder.ts';
import { LIMITS, words } from '../limits.ts';
import { addJsonRow } from './jsonRow.ts';
import { jsonReason, parseJson } from './jsonValue.ts';
import type { Format, FormatInput } from './format.ts';

const NEWLINE = 10;

/** The lines of a text, without their ends. @throws DataError for one that is longer than a row may be */
async function* batchesOfLines(input: FormatInput): AsyncGenerator<Buffer[]> {
  let open: Buffer[] = [];
  let length = 0;
  let row = 1;
  for await (const chunk of input.text) {
    const lines: Buffer[] = [];
    let begin = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, begin)) {
      const end = chunk.subarray(begin, at);
      lines.push(open.length === 0 ? end : Buffer.concat([...open, end]));
      open = [];
      length = 0;
      begin = at + 1;
    }
    row += lines.length;
    if (begin < chunk.length) open.push(Buffer.from(chunk.subarray(begin)));
    length += chunk.length - begin;
    if (length > LIMITS.row)
      throw input.error(`line ${row} is longer than ${words(LIMITS.row)}.`, 'JSON lines, one object a line');
    if (lines.length > 0) yield lines;
  }
  if (open.length > 0) yield [Buffer.concat(open)];
}

async function read(input: FormatInput, documents: Documents): Promise<void> {
  let row = 0;
  let given = 0;
  for await (const lines of batchesOfLines(input))
    for (const line of lines) {
      row++;
      const text = line.toString('utf8');
      let value: unknown;
      try {
        value = parseJson(text);
      } catch (error) {
        if (text.trim() === '') continue;
        const cut = row === 1 ? '' : ' Is the file complete?';
        throw input.error(`line ${row} is not JSON (${jsonReason(error)}).${cut}`, 'one JSON object per line');
      }
      if (!addJsonRow(value, text, input, documents, row, given++ === 0)) return;
    }
}

export const jsonl: Format = {
  name: 'jsonl',
  title: 'JSON lines',
  help: 'one JSON object a line; data.column names the field with the text',
  extensions: ['.jsonl', '.ndjson'],
  reads: 'text',
  read,
};
