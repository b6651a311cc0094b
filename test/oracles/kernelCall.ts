/** Kernel calls written by hand: what does not matter may be left out, which the engine's own calls must not. */
import { record } from '../../main/engine/native/addon.ts';
import type { Argument, EnumName, Signatures } from '../../main/engine/native/encode.ts';

/** Neutral numbers; all others are 0. */
const ONE = new Set(['alpha', 'batch', 'heads', 'kvheads', 'scale']);

/** A record whose missing numbers are neutral and whose missing names are the first of their enum (f32, none …). */
export function looseRecord(
  signatures: Signatures,
  name: string,
  args: Readonly<Record<string, Argument>>,
  extra: readonly (number | EnumName)[] = [],
): number[] {
  const filled: Record<string, Argument> = { ...args };
  for (const field of signatures.kernels[name]!.fields) {
    const [kind, key] = field.split(':') as [string, string];
    if (kind === 'p' || Object.hasOwn(filled, key)) continue;
    filled[key] = kind.length > 1 ? signatures.enums[kind]![0]! : ONE.has(key) ? 1 : 0;
  }
  return record(signatures, name, filled, extra);
}
