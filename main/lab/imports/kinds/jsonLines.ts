/** JSON lines and JSON lists of objects: histories that scripts write themselves, events of mainrun, files of trackers. */
import { ImportError } from '../errors.ts';
import { wholeText } from '../files.ts';
import { parseLooseJson } from '../../../../preload/shared/looseJson.ts';
import { defineImport } from '../importKind.ts';
import { jsonLineRows, jsonListRows, parseLine } from '../rows/jsonRows.ts';
import { isMeasured, settingName, stepRank } from '../rows/names.ts';
import { isFields } from '../values.ts';
import { readTable } from './table.ts';

/** Bytes of a list, which is read whole. */
const MOST = 256 << 20;

/** Lines that are looked at. */
const LOOKED_AT = 5;

/** Whether such a key is one of a run: a step, something measured or set, an event. */
const isOfRun = (key: string): boolean =>
  stepRank(key) < Infinity || isMeasured(key) || settingName(`${key}.`) !== undefined || key === 'event';

/** The first whole lines are objects that tell of a run. */
function tellsOfRun(text: string): boolean {
  const lines = text.split('\n', LOOKED_AT + 1).filter((line) => line.trim() !== '');
  if (!text.includes('\n')) return lines.some(isObjectOfRun);
  return lines.slice(0, LOOKED_AT).some(isObjectOfRun);
}

function isObjectOfRun(line: string): boolean {
  if (!line.trimStart().startsWith('{')) return false;
  try {
    const value = parseLooseJson(line.trim());
    return isFields(value) && Object.keys(value).some(isOfRun);
  } catch {
    return false;
  }
}

export const jsonLines = defineImport({
  name: 'json-lines',
  label: 'JSON lines',
  help: 'An object for each step, event or run on a line of its own (or a JSON list of them): logs of scripts, events of mainrun.',
  claims: ({ name, text }) => tellsOfRun(text) || (name.endsWith('.json') && /^\s*\[\s*\{/u.test(text)),
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
