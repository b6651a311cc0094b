/**
 * A sweep as it is written: in the form, in a file, in the database, on the wire. The one declaration of it: types, defaults, the
 * checks of a call, and the keys of a file with their words follow from this schema. What the values mean (bounds, settings that
 * exist) is checked when the sweep is planned. A new key is a line here, and what it does.
 */
import { z } from 'zod';
import { grouped, LIMITS } from './limits.ts';

// No code is made from text: the content security policy would forbid it.
z.config({ jitless: true });

declare module 'zod' {
  /** What a field says beside its type. */
  interface GlobalMeta {
    /** What is allowed, in words; default: from the schema. */
    allowed?: string;
    /** Its name in a sweep file; default: its name here. */
    key?: string;
    /** Not in W&B's schema: a file with it runs in Sweeplab only. */
    extension?: boolean;
    /** Written into a file also where it is as usual. */
    always?: boolean;
    /** W&B alone acts on it; kept, so that nothing of a file is lost. */
    idle?: boolean;
  }
}

/** Nothing in it can be changed. */
type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

const VALUE = 'a number, text, true or false';
const text = (most: number) => z.string().max(most);
const number = z.number().optional();
export const settingName = text(LIMITS.nameCharacters).min(1);
export const settingValue = z.union([z.number(), text(20_000), z.boolean()]).meta({ allowed: VALUE });
const expression = text(2000);

/** What a swept setting may be: a list, or a distribution of W&B's schema with its fields. Perhaps half of one, while it is typed. */
export const draftParameter = z.strictObject({
  distribution: text(60).optional(),
  value: settingValue.optional(),
  values: z
    .array(settingValue)
    .max(LIMITS.values)
    .optional()
    .meta({ allowed: `a list of at least one value and at most ${grouped(LIMITS.values)}, each ${VALUE}` }),
  probabilities: z
    .array(z.number())
    .max(LIMITS.values)
    .optional()
    .meta({ allowed: 'a list of numbers at least 0, one for each of values, not all 0' }),
  min: number,
  max: number,
  q: number,
  mu: number,
  sigma: number,
  a: number,
  b: number,
  /** Varied only where this holds; elsewhere the base value stays. */
  when: expression.optional(),
});

/** A record of no more settings than are given at once. */
export const few = <T extends z.ZodType<object>>(record: T): T =>
  record.refine((given) => Object.keys(given).length <= LIMITS.settings, {
    error: `at most ${LIMITS.settings} settings`,
  });

const IMPUTE = ['latest', 'best', 'worst'] as const;

/** What decides which setting is best. Of `target` and `impute` nothing follows here. */
const metric = z.strictObject({
  name: text(200).min(1),
  goal: z.enum(['minimize', 'maximize']).default('minimize'),
  target: number,
  impute: z.enum(IMPUTE).optional(),
  // YAML reads `false` as a boolean; the schema means the word.
  impute_while_running: z
    .union([z.enum([...IMPUTE, 'false']), z.literal(false).transform(() => 'false' as const)])
    .optional()
    .meta({ allowed: `one of ${IMPUTE.join(', ')}, false` }),
});

/** W&B's rule for ending runs early. */
const earlyTerminate = z.strictObject({
  type: z.literal('hyperband'),
  min_iter: z.int().min(1).optional(),
  max_iter: z.int().min(1).optional(),
  s: number,
  eta: z.number().gt(1).default(3),
  strict: z.boolean().default(true),
});

const scheduler = z.strictObject({
  engine: z.enum(['optuna', 'ax', 'wandb']),
  source: text(4096).optional(),
  optimizer: text(4096).optional(),
  search_space: text(4096).optional(),
});

const seedList = z
  .array(z.int().min(0))
  .min(1)
  .max(LIMITS.seeds)
  .refine((seeds) => new Set(seeds).size === seeds.length);

/** In the order in which a file has them. */
const parts = z.strictObject({
  apiVersion: text(200).optional().meta({ idle: true }),
  kind: z.literal('sweep').optional().meta({ idle: true }),
  name: text(200).default(''),
  notes: text(100_000).default('').meta({ key: 'description' }),
  program: text(4096).optional().meta({ idle: true }),
  command: z.array(settingValue).max(1000).optional().meta({ idle: true }),
  /** Arguments with which a program that was stopped goes on; without them it begins anew. */
  resume: z.array(settingValue).max(100).optional().meta({ extension: true }),
  project: text(200).optional().meta({ idle: true }),
  entity: text(200).optional().meta({ idle: true }),
  job: text(4096).optional().meta({ idle: true }),
  imageUri: text(4096).optional().meta({ key: 'image_uri', idle: true }),
  scheduler: scheduler.optional().meta({ idle: true }),
  controller: z
    .strictObject({ type: z.enum(['local', 'cloud']) })
    .optional()
    .meta({ idle: true }),
  /** The name of a search method, which the plan looks up. */
  method: text(60).min(1).default('grid').meta({ always: true }),
  /** Absent: bits per byte, or the loss. */
  metric: metric.optional(),
  metrics: z.array(metric).min(2).max(100).optional().meta({ allowed: 'a list of at least two metrics' }),
  earlyTerminate: earlyTerminate.optional().meta({ key: 'early_terminate' }),
  /** Most runs, seeds counted; settings are never left with some of their seeds. */
  runCap: z.int().min(1).nullable().default(null).meta({ key: 'run_cap' }),
  parameters: few(z.record(settingName, draftParameter)).default({}),
  /** A name, or the path of a file of the user's own. */
  recipe: text(4096).nullable().default(null).meta({ extension: true }),
  /** Settings that all runs share. */
  settings: few(z.record(settingName, settingValue)).default({}).meta({ extension: true }),
  /** The same for every setting: how many (from the base seed on), or which. */
  seeds: z
    .union([z.int().min(1).max(LIMITS.seeds), seedList])
    .default(1)
    .meta({
      extension: true,
      allowed: `how many seeds (an integer at least 1, at most ${grouped(LIMITS.seeds)}), or a list of different seeds at least 0`,
    }),
  /** Expressions that every run must satisfy. */
  constraints: z
    .array(expression)
    .max(100)
    .default([])
    .meta({ extension: true, allowed: 'a list of expressions in text' }),
  /** Of the random method. */
  sweepSeed: z.int().min(0).default(0).meta({ key: 'sweep_seed', extension: true }),
});

export type Draft = DeepReadonly<z.output<typeof parts>>;
export type DraftParameter = DeepReadonly<z.output<typeof draftParameter>>;

/** A whole draft; parts that have defaults may be left out. */
export const draft: z.ZodType<Draft, DeepReadonly<z.input<typeof parts>>> = parts;

export const EMPTY_DRAFT: Draft = draft.parse({});

/** Every part of a draft, with its name in a file and what else its `meta` says. */
export const DRAFT_FIELDS = Object.entries(parts.shape).map(([name, schema]) => {
  const { key = name, extension = false, always = false, idle = false } = schema.meta() ?? {};
  return { name: name as keyof Draft, schema: schema as z.ZodType, key, extension, always, idle };
});

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What can be read of a part: all of it, or the entries that can, or what it is when left out. */
function salvage(schema: z.ZodType, value: unknown): unknown {
  const whole = schema.safeParse(value);
  if (whole.success) return whole.data;
  const fits = (part: unknown): boolean => schema.safeParse(part).success;
  const kept = Array.isArray(value)
    ? value.filter((item) => fits([item]))
    : isRecord(value)
      ? Object.fromEntries(Object.entries(value).filter(([key, item]) => fits({ [key]: item })))
      : undefined;
  return schema.parse(kept !== undefined && fits(kept) ? kept : undefined);
}

/** A stored draft, perhaps of an older version or damaged: what can be read is kept, the rest is as in an empty one. */
export function readDraft(stored: unknown): Draft {
  const given = isRecord(stored) ? stored : {};
  const read = DRAFT_FIELDS.map(({ name, schema }) => [name, salvage(schema, given[name])] as const);
  return Object.fromEntries(read.filter(([, value]) => value !== undefined)) as unknown as Draft;
}
