/** Whether a condition over settings holds: for one configuration, or for at least one of many. The lab and the form ask here. */
import type { Config, SettingValue } from '../../contract/settings.ts';
import { Expression, ExpressionError } from './expression.ts';

/** The value of a condition; true where it has none (a type error, a division by zero), so that nothing is hidden by a mistake. */
export function holds(condition: Expression, config: Config): boolean {
  try {
    return condition.test(config);
  } catch (error) {
    if (error instanceof ExpressionError) return true;
    throw error;
  }
}

const read = new Map<string, Expression | null>();

/** A condition as it is declared; null for text that cannot be read. Each text is read once. */
export function conditionOf(source: string): Expression | null {
  const known = read.get(source);
  if (known !== undefined) return known;
  let condition: Expression | null = null;
  try {
    condition = new Expression(source);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
  }
  read.set(source, condition);
  return condition;
}

/** The values that a setting takes; undefined: unknown (a distribution). */
export type ValuesOf = (name: string) => readonly SettingValue[] | undefined;

/** Combinations looked at before the answer is "perhaps", which counts as true. */
const MOST = 512;

/** True when the condition holds for at least one combination of the values of the settings that it reads. */
export function mayHold(condition: Expression, valuesOf: ValuesOf): boolean {
  const { names } = condition;
  const columns: (readonly SettingValue[])[] = [];
  for (const name of names) {
    const values = valuesOf(name);
    if (values === undefined) return true;
    columns.push(values);
  }
  if (columns.reduce((size, column) => size * column.length, 1) > MOST) return true;
  const config: Record<string, SettingValue> = {};
  const search = (at: number): boolean => {
    if (at === columns.length) return holds(condition, config);
    return columns[at].some((value) => {
      config[names[at]] = value;
      return search(at + 1);
    });
  };
  return search(0);
}
