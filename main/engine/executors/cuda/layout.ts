/** Where states lie on a GPU: by category, and the moments of an optimizer one kind after the other. */
import { aligned } from '../../compile/plan.ts';
import type { StateSpec } from '../../graph/program.ts';
import { bytesOf } from '../../graph/value.ts';
import { CUDA_ALIGNMENT } from './target.ts';

export interface PlacedState extends StateSpec {
  readonly offset: number;
}

export interface StateLayout {
  /** By name. */
  readonly states: ReadonlyMap<string, PlacedState>;
  readonly bytes: number;
}

/** Bytes of one state. */
export const stateBytes = (state: StateSpec): number => aligned(bytesOf(state), CUDA_ALIGNMENT);

/** Moments of a kind lie together: `NAME:MOMENT`. */
const groupOf = ({ name, category }: StateSpec): string =>
  category === 'optimizer state' ? `${category} ${name.slice(name.lastIndexOf(':'))}` : category;

/**
 * States of a category lie one after the other in the order of their parameters, so that element i of a parameter, its gradient and its moments
 * stand at equal offsets from the beginnings of their groups wherever those have 32 bits.
 */
export function layoutOfStates(specs: readonly StateSpec[]): StateLayout {
  const states = new Map<string, PlacedState>();
  let bytes = 0;
  for (const group of Map.groupBy(specs, groupOf).values())
    for (const spec of group) {
      if (states.has(spec.name)) throw new Error(`two states have the name ${spec.name}`);
      states.set(spec.name, { ...spec, offset: bytes });
      bytes += stateBytes(spec);
    }
  return { states, bytes };
}
