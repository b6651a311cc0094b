/** Every place of every call's input, read from the contract itself: a new call or field is tried without a line here. */
import type { z } from 'zod';
import { routes } from '../../../../preload/contract/api.ts';

export interface Place {
  readonly route: string;
  /** `draft.parameters.*.values.#`: `*` any key, `#` an entry of a list; '' the input as a whole. */
  readonly path: string;
  /** An input of the right shape in which `value` stands here. */
  readonly with: (value: unknown) => unknown;
}

interface Definition {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly element?: z.ZodType;
  readonly keyType?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly entries?: Readonly<Record<string, string>>;
  readonly values?: readonly unknown[];
  readonly in?: z.ZodType;
}
const definitionOf = (schema: z.ZodType): Definition => schema.def as unknown as Definition;

/** Keys that mean something, so that what stands under them is looked at. */
const KEYS = ['model.depth', 'tokenizer.kind'];

/** The smallest input that the schema takes. */
function least(schema: z.ZodType): unknown {
  const d = definitionOf(schema);
  switch (d.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(d.shape!)
          .filter(([, part]) => !part.safeParse(undefined).success)
          .map(([key, part]) => [key, least(part)]),
      );
    case 'record':
      return {};
    case 'array':
      return schema.safeParse([]).success ? [] : [least(d.element!)];
    case 'union':
      return least(d.options![0]!);
    case 'enum':
      return Object.values(d.entries!)[0];
    case 'literal':
      return d.values![0];
    case 'string':
      return 'a';
    case 'number':
      return 1;
    case 'boolean':
      return true;
    case 'pipe':
      return least(d.in!);
    case 'optional':
    case 'default':
    case 'prefault':
      return undefined;
    case 'nullable':
      return null;
    case 'unknown':
      return 1;
    // Bytes.
    case 'custom':
      return new Uint8Array(1);
    default:
      throw new Error(`a schema of the contract that is not known here: ${d.type}`);
  }
}

function* within(schema: z.ZodType, path: string, build: (value: unknown) => unknown): Generator<Omit<Place, 'route'>> {
  const d = definitionOf(schema);
  const at = (key: string): string => (path === '' ? key : `${path}.${key}`);
  switch (d.type) {
    case 'optional':
    case 'default':
    case 'prefault':
    case 'nullable':
      yield* within(d.innerType!, path, build);
      return;
    case 'pipe':
      yield* within(d.in!, path, build);
      return;
    case 'union':
      for (const option of d.options!) {
        // The place itself is one, whichever of its forms is meant.
        for (const place of within(option, path, build)) if (place.path !== path) yield place;
      }
      break;
    case 'object': {
      const rest = least(schema) as object;
      for (const [key, part] of Object.entries(d.shape!))
        yield* within(part, at(key), (value) => build({ ...rest, [key]: value }));
      break;
    }
    case 'record':
      yield { path: at('(key)'), with: (value) => build({ [String(value)]: least(d.valueType!) ?? {} }) };
      yield* within(d.valueType!, at('*'), (value) => build({ [KEYS[0]!]: value }));
      break;
    case 'array':
      yield* within(d.element!, at('#'), (value) => build([value]));
      break;
    default:
  }
  yield { path, with: build };
}

/** All places of all calls. */
export function places(): readonly Place[] {
  return Object.entries(routes).flatMap(([route, { input }]) =>
    [...within(input, '', (value) => value)].map((place) => ({ route, ...place })),
  );
}
