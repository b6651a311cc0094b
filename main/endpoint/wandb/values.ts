/** Values of a client, each of the kind that it must be, or nothing. */
import { Refusal } from './body.ts';

export type Fields = Readonly<Record<string, unknown>>;

const LONGEST_TEXT = 100_000;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Undefined for what is no text; long ones are cut off. */
export const textOf = (value: unknown, longest = LONGEST_TEXT): string | undefined =>
  typeof value === 'string' ? value.slice(0, longest) : undefined;

export const textsOf = (value: unknown, most: number): readonly string[] | undefined =>
  Array.isArray(value)
    ? value
        .filter((each) => typeof each === 'string')
        .slice(0, most)
        .map((each) => each.slice(0, 200))
    : undefined;

export const countOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

/** Names of projects and runs stand in addresses and sources; W&B forbids the same characters. */
const NAME = /^[^/\\#?%:\p{Cc}]{1,128}$/u;

/** @throws Refusal */
export function nameOf(value: unknown, what: string): string {
  if (typeof value === 'string' && NAME.test(value) && value !== '.' && value !== '..') return value;
  const given =
    typeof value === 'string'
      ? JSON.stringify(value.slice(0, 60))
      : String(value === undefined ? 'missing' : typeof value);
  throw new Refusal(400, `${what} is ${given}; allowed: 1 to 128 characters without / \\ # ? % :`);
}
