/** Kinds that people choose beside the runs: search methods, exchange formats. They have a label, and no settings of runs. */
import { DeclarationError, definer } from '../engine/kind.ts';
import type { Declared, Kind } from '../engine/kind.ts';

export interface LabelledKind extends Kind {
  /** What people choose. */
  readonly label: string;
}

const OF_RUNS = ['settings', 'rules', 'derived', 'reads'] as const;

/** Ends with a message that names the kind and the field. */
export type Fail = (field: string, what: string) => never;

/** As `definer`; `check` looks at what such a kind has of its own. */
export function labelledDefiner<K extends LabelledKind>(
  family: string,
  functions: readonly (keyof K & string)[],
  check: (made: K, fail: Fail) => void,
) {
  const define = definer<K>(family, functions);
  return (kind: Declared<K>): K => {
    const made = define(kind);
    const fail: Fail = (field, what) => {
      throw new DeclarationError(`${family} ${made.name}: ${field} ${what}`);
    };
    if (typeof made.label !== 'string' || made.label.trim() === '') fail('label', 'is missing: what people choose');
    check(made, fail);
    for (const field of OF_RUNS) if (made[field] !== undefined) fail(field, 'belongs to kinds that runs choose');
    return made;
  };
}
