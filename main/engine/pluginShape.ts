/** What the function of a plug-in must return, as far as that can be checked before its kinds are used. */
import { z } from 'zod';
import type { SettingSpec } from '../../preload/contract/settings.ts';
import type { ModelKind } from './nn/model.ts';

const bound = { min: z.number().optional(), max: z.number().optional() };
const settingType = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('int'), ...bound, multipleOf: z.number().int().positive().optional() }),
  z.strictObject({
    kind: z.literal('float'),
    ...bound,
    exclusiveMin: z.boolean().optional(),
    exclusiveMax: z.boolean().optional(),
  }),
  z.strictObject({ kind: z.literal('bool') }),
  z.strictObject({ kind: z.literal('enum'), values: z.array(z.string()).min(1) }),
  z.strictObject({
    kind: z.literal('string'),
    pattern: z.string().optional(),
    patternHelp: z.string().optional(),
    suggestions: z.array(z.string()).optional(),
  }),
]);

const fields = {
  name: z.string(),
  type: settingType,
  reads: z.literal(true).optional(),
  default: z.union([z.number(), z.string(), z.boolean()]),
  unit: z.string().optional(),
  help: z.string(),
  question: z.enum(['data', 'tokenizer', 'capacity', 'memory', 'stability', 'budget']),
  touches: z.array(z.enum(['memory', 'time', 'stability'])).optional(),
  plan: z.enum(['value', 'switch', 'none']).optional(),
  when: z.string().optional(),
  auto: z.string().optional(),
} satisfies Record<keyof SettingSpec, z.ZodType>;
const settingSpec = z.strictObject(fields);

const isFunction = (value: unknown): boolean => typeof value === 'function';

export const pluginShape = z.strictObject({
  name: z.string().min(1),
  kinds: z
    .array(
      z.looseObject({
        family: z.string('is missing: make kinds with the define functions, such as sweeplab.defineModel({ … })'),
        name: z.string(),
        settings: z.array(z.union([z.string(), settingSpec])).optional(),
      }),
    )
    .default([]),
  settings: z.array(settingSpec).default([]),
  models: z
    .record(
      z.string().regex(/^[a-z][a-z0-9_-]*$/u, 'names of models are lower case, such as my-model'),
      z.looseObject({
        name: z.string(),
        settings: z.array(settingSpec).optional(),
        build: z.custom<ModelKind['build']>(isFunction, 'build must be a function'),
      }),
    )
    .default({}),
  constraints: z.array(z.string()).default([]),
});
