/** Numbers in what a script has logged. */

const LONGEST_NAME = 200;
const DEEPEST = 16;

/** What no JSON number can be, as programs write it. */
const SPECIAL: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  nan: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  inf: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
};

export interface NumberVisitor {
  number(name: string, value: number): void;
  /** Something that is no number: a picture, a table, a text. */
  other(name: string): void;
}

/** Every number of an entry, by its name with the names above it: `{ a: { b: 1 } }` is `a.b`. True and false count as 1 and 0. */
export function visitNumbers(value: unknown, name: string, visitor: NumberVisitor, depth = 0): void {
  if (typeof value === 'number') {
    if (name.length <= LONGEST_NAME) visitor.number(name, value);
    else visitor.other(name.slice(0, LONGEST_NAME));
  } else if (typeof value === 'boolean') visitNumbers(Number(value), name, visitor);
  else if (typeof value === 'string' && Object.hasOwn(SPECIAL, value)) visitNumbers(SPECIAL[value], name, visitor);
  else if (typeof value === 'object' && value !== null && !Array.isArray(value) && !('_type' in value)) {
    if (depth >= DEEPEST) visitor.other(name);
    else for (const [key, inner] of Object.entries(value)) visitNumbers(inner, `${name}.${key}`, visitor, depth + 1);
  } else if (value !== null && value !== undefined) visitor.other(name.slice(0, LONGEST_NAME));
}
