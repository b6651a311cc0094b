/**
 * Arguments of a kernel by name, put into the order in which the kernel declares them (kernels.h). Whatever has no number is refused
 * here by kernel and name: a name that an enum lacks, a number that is undefined or NaN, a number that is missing. Nothing becomes 0.
 */

/** A number, the name of an enum's value, or null for a pointer to nothing. A pointer is a number that the device understands. */
export type Argument = number | string | null;

/** A name that stands among numbers without a field of its own. */
export interface EnumName {
  readonly enum: string;
  readonly name: string;
}

export interface KernelSignature {
  readonly code: number;
  /** In order: `p:name` pointer, `i:name` integer, `f:name` real, `ENUM:name` a value of an enum. */
  readonly fields: readonly string[];
}

/** What an addon or a library of kernels declares. */
export interface Signatures {
  readonly kernels: Readonly<Record<string, KernelSignature>>;
  /** Names of each enum's values, in the order of their numbers. */
  readonly enums: Readonly<Record<string, readonly string[]>>;
}

/** What a pointer to nothing is. */
export const NULL = -1;

/** Numbers of one call in the order of the kernel's fields; pointers that are not named are null. */
export function encodeFields(
  { kernels, enums }: Signatures,
  name: string,
  args: Readonly<Record<string, Argument>>,
): number[] {
  const kernel = kernels[name];
  if (kernel === undefined) throw new Error(`no native kernel '${name}'`);
  let named = 0;
  const values = kernel.fields.map((field) => {
    const [kind, key] = field.split(':') as [string, string];
    const given = Object.hasOwn(args, key);
    if (given) named++;
    const value = args[key];
    if (kind === 'p' && (!given || value === null)) return NULL;
    if (!given) throw new Error(`native kernel '${name}' needs '${key}'`);
    if (kind.length > 1) return enumValue(enums, kind, value, `native kernel '${name}': '${key}'`);
    if (typeof value === 'number' && !Number.isNaN(value)) return value;
    throw new Error(`native kernel '${name}': '${key}' is ${show(value)}, not a number`);
  });
  if (named < Object.keys(args).length) {
    const known = new Set(kernel.fields.map((field) => field.split(':')[1]));
    const stray = Object.keys(args).find((key) => !known.has(key));
    throw new Error(`native kernel '${name}' has no argument '${stray}'`);
  }
  return values;
}

/** Numbers that follow the fields. */
export function encodeExtra({ enums }: Signatures, name: string, extra: readonly (number | EnumName)[]): number[] {
  return extra.map((value, i) => {
    const what = `native kernel '${name}': number ${i} after its fields`;
    if (typeof value === 'object' && value !== null) return enumValue(enums, value.enum, value.name, what);
    if (typeof value === 'number' && !Number.isNaN(value)) return value;
    throw new Error(`${what} is ${show(value)}, not a number`);
  });
}

function enumValue(enums: Signatures['enums'], kind: string, value: unknown, what: string): number {
  const names = enums[kind];
  if (names === undefined) throw new Error(`${what}: there is no enum ${kind}`);
  const number = names.indexOf(value as string);
  if (number < 0) throw new Error(`${what} is ${show(value)}; ${kind} has ${names.join(', ')}`);
  return number;
}

const show = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : String(value));
