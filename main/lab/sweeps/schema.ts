/** What the draft's schema says about wrong values, as problems that name the key, the value, what is allowed and the nearest. */
import { z } from 'zod';
import type { Problem, SettingValue } from '../../../preload/contract/settings.ts';
import { nearestName } from '../../../preload/shared/settings/nearest.ts';
import { problem } from '../../../preload/shared/settings/values.ts';

type Issue = z.core.$ZodIssue;

const MAP = '`name: value` lines';

/** The schema without what may be left out, and the words that stand on the way to it. */
function unwrap(schema: z.ZodType): { schema: z.ZodType; allowed: string | undefined } {
  let at = schema;
  let allowed = at.meta()?.allowed;
  while (at instanceof z.ZodOptional || at instanceof z.ZodDefault || at instanceof z.ZodNullable) {
    at = at.unwrap() as z.ZodType;
    allowed ??= at.meta()?.allowed;
  }
  return { schema: at, allowed };
}

/** The schema of an entry; undefined where there is none. */
function entryOf(schema: z.ZodType, key: PropertyKey): z.ZodType | undefined {
  if (schema instanceof z.ZodObject) return (schema.shape as Record<PropertyKey, z.ZodType | undefined>)[key];
  if (schema instanceof z.ZodRecord) return schema.valueType as z.ZodType;
  if (schema instanceof z.ZodArray) return schema.element as z.ZodType;
  return undefined;
}

const limits = (least: number | undefined, above: number | undefined): string =>
  least !== undefined ? ` at least ${least}` : above !== undefined ? ` above ${above}` : '';

/** What a schema allows, in words. */
function wordsOf(schema: z.ZodType): string {
  if (schema instanceof z.ZodEnum) return `one of ${schema.options.join(', ')}`;
  if (schema instanceof z.ZodLiteral) return `one of ${[...schema.values].join(', ')}`;
  if (schema instanceof z.ZodString) return 'text';
  if (schema instanceof z.ZodBoolean) return 'true or false';
  if (schema instanceof z.ZodArray) return 'a list';
  if (schema instanceof z.ZodObject || schema instanceof z.ZodRecord) return MAP;
  if (schema instanceof z.ZodNumber) {
    const { type, minimum, exclusiveMinimum } = z.toJSONSchema(schema);
    return `${type === 'integer' ? 'an integer' : 'a number'}${limits(minimum, exclusiveMinimum as number | undefined)}`;
  }
  return 'another value';
}

/** What a part of a sweep allows, in its own words or those of its schema. */
export function allowedBy(part: z.ZodType): string {
  const { schema, allowed } = unwrap(part);
  return allowed ?? wordsOf(schema);
}

/** The nearest value that a schema allows, where that is clear. */
function nearestOf(schema: z.ZodType, value: unknown): SettingValue | undefined {
  if (schema instanceof z.ZodEnum || schema instanceof z.ZodLiteral) {
    const choices = schema instanceof z.ZodEnum ? schema.options : [...schema.values];
    return value === undefined || value === null ? undefined : nearestName(String(value), choices.map(String));
  }
  if (!(schema instanceof z.ZodNumber) || typeof value !== 'number') return undefined;
  const { type, minimum } = z.toJSONSchema(schema);
  return type === 'integer' ? Math.max(minimum ?? -Infinity, Math.round(value)) : undefined;
}

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce((at, key) => (at as Record<PropertyKey, unknown> | null | undefined)?.[key], value);

function problemsOfIssue(issue: Issue, schema: z.ZodType, path: string, given: unknown): Problem[] {
  let at = unwrap(schema);
  let depth = 0;
  // As deep as the schema has words of its own: a wrong item of a list of seeds is a wrong list of seeds.
  while (depth < issue.path.length && at.allowed === undefined) {
    const next = entryOf(at.schema, issue.path[depth]);
    if (next === undefined) break;
    at = unwrap(next);
    depth++;
  }
  const place = [path, ...issue.path.slice(0, depth).map(String)].join('.');
  const value = valueAt(given, issue.path.slice(0, depth));
  if (issue.code === 'unrecognized_keys' && at.schema instanceof z.ZodObject) {
    const known = Object.keys(at.schema.shape);
    return issue.keys.map((key) => unknownKey(`${place}.${key}`, key, known));
  }
  const allowed = at.allowed ?? wordsOf(at.schema);
  const why = value === undefined && depth > 0 ? 'it is required' : undefined;
  return [{ ...problem(place, value, allowed, nearestOf(at.schema, value), why), code: 'sweep' }];
}

/** A key that does not exist, with the one that was meant. */
export function unknownKey(path: string, key: string, known: readonly string[]): Problem {
  const near = nearestName(key, known);
  const allowed = `one of ${known.join(', ')}`;
  const message = `${path} is not a key of the sweep schema; allowed: ${allowed}${near ? `; did you mean ${near}?` : ''}`;
  return { ...problem(path, key, allowed, near, 'it is not a key of the sweep schema'), code: 'sweep', message };
}

export type Checked<T> =
  | { readonly value: T; readonly problems?: never }
  | { readonly value?: never; readonly problems: readonly Problem[] };

const MOST_ISSUES = 20;

/** Checks one part of a sweep by its schema. `path` is its name in messages: `metric`, `parameters.model.width`. */
export function checkPart<T extends z.ZodType>(schema: T, path: string, given: unknown): Checked<z.output<T>> {
  const read = schema.safeParse(given);
  if (read.success) return { value: read.data };
  // Each names the whole value: more would say nothing new, and take as long as they are many.
  const found = read.error.issues.slice(0, MOST_ISSUES).flatMap((issue) => problemsOfIssue(issue, schema, path, given));
  // Two wrong items of one list are one wrong list.
  return { problems: [...new Map(found.map((each) => [each.message, each])).values()] };
}
