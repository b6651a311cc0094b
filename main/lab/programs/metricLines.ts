/** Points that a program writes as lines of JSON: `{"step": 10, "loss": 2.5}`. */
import { visitNumbers } from '../../../preload/shared/loggedNumbers.ts';
import { parseLooseJson } from '../../../preload/shared/looseJson.ts';
import { stepRank } from '../imports/rows/names.ts';
import type { OutsideRow } from '../outside/outsideRun.ts';

const SECONDS = ['_runtime', 'seconds', 'elapsed'];

/**
 * The row of a line; undefined where it is none.
 *
 * @param counted the step of a line that says none; undefined: such a line is no row, but something else that is JSON (as of a log)
 */
export function rowOf(line: string, counted?: number): OutsideRow | undefined {
  const text = line.trim();
  if (!text.startsWith('{') || !text.endsWith('}')) return undefined;
  let value: unknown;
  try {
    value = parseLooseJson(text);
  } catch {
    return undefined;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  const ranked = Object.keys(fields)
    .filter((name) => typeof fields[name] === 'number' && stepRank(name) < Infinity)
    .toSorted((a, b) => stepRank(a) - stepRank(b));
  const name = ranked[0];
  const step = name === undefined ? counted : (fields[name] as number);
  if (step === undefined || !Number.isFinite(step)) return undefined;
  const values = Object.fromEntries(Object.entries(fields).filter(([key]) => key !== name));
  if (!hasNumber(values)) return undefined;
  const seconds = SECONDS.map((key) => fields[key]).find((each) => typeof each === 'number') as number | undefined;
  return { step, ...(seconds === undefined ? {} : { seconds }), values };
}

function hasNumber(values: Readonly<Record<string, unknown>>): boolean {
  let found = false;
  const visitor = { number: () => void (found = true), other: () => undefined };
  for (const [name, value] of Object.entries(values)) visitNumbers(value, name, visitor);
  return found;
}
