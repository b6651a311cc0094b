/** What every message about a bad input must say. */
import { expect } from 'vitest';
import type { Problem } from '../../../preload/contract/settings.ts';
import { located } from '../../../preload/shared/settings/values.ts';

export interface Row {
  readonly setting: string;
  /** How the value appears in the message. */
  readonly value: string;
  /** A part of what is allowed. */
  readonly allowed: string;
  readonly nearest?: string | number | boolean;
  /** Where it stands in the file, and the numbers of a combination. */
  readonly also?: readonly string[];
}

export function expectNamed(problems: readonly Problem[], row: Row): void {
  expect(problems.length).toBeGreaterThan(0);
  const found = problems.find(({ setting }) => setting === row.setting);
  expect(found, problems.map(({ message }) => message).join('\n')).toBeDefined();
  const printed = located(found!);
  for (const part of [row.setting, row.value, row.allowed, ...(row.also ?? [])]) expect(printed).toContain(part);
  expect(found!.nearest).toBe(row.nearest);
  if (row.nearest !== undefined) expect(found!.message).toContain(String(row.nearest));
}
