/** JSON lines and JSON lists of objects: histories that scripts write themselves, events of mainrun, files of trackers. */
import { ImportError } from '../errors.ts';
import { wholeText } from '../files.ts';
import { parseLooseJson } from '../../../../preload/shared/looseJson.ts';
import { defineImport } from '../importKind.ts';
import { jsonLineRows, jsonListRows, parseLine } from '../rows/jsonRows.ts';
import { isFields } from '../values.ts';
import { readTable } from './table.ts';

/** Bytes of a list, which is read whole. */
const MOST = 256 << 20;

const isObject = (line: string): boolean => {
  try {
    return isFields(parseLooseJson(line.trim()));
  } catch {
    return false;
  }
};

/** The first whole line is an object. */
const beginsWithObject = (text: string): boolean => {
  const line = text.split('\n').find((each) => each.trim() !== '') ?? '';
  return line.trim().startsWith('{') && isObject(line);
};

export const jsonLines = defineImport({
  name: 'json-lines',
  label: 'JSON lines',
  help: 'An object for each step, event or run on a line of its own (or a JSON list of them): logs of scripts, events of mainrun.',
  claims: ({ name, text }) =>
    /\.(?:jsonl|ndjson)$/u.test(name) ||
    beginsWithObject(text) ||
    (name.endsWith('.json') && /^\s*\[\s*\{/u.test(text)),
  async read(source, to, roles) {
    for (const file of source.files) {
      const head = (await file.head()).toString('utf8').replace(/^\uFEFF/u, '');
      const rows = /^\s*\[/u.test(head)
        ? jsonListRows(file, listOf(file.path, await wholeText(file, MOST)))
        : jsonLineRows(file);
      await readTable(source, rows, to, roles);
    }
  },
});

/** @throws ImportError */
function listOf(path: string, text: string): readonly unknown[] {
  try {
    const value = parseLine(text);
    if (Array.isArray(value)) return value;
  } catch {
    // Said below.
  }
  throw new ImportError(`${path} is not a JSON list of objects, or is cut off`);
}
