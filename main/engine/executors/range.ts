/** Which elements of a state a call means. */
import { counted } from '../../../preload/shared/format.ts';
import { showType, sizeOf } from '../graph/value.ts';
import type { ValueType } from '../graph/value.ts';

/**
 * Elements [from, from + count) of a state: without `from` the call means all of them, so `count` must be the state's size.
 * Throws when they are not all inside.
 */
export function checkRange(name: string, type: ValueType, from: number | undefined, count: number): void {
  const size = sizeOf(type.shape);
  const inside = from === undefined ? count === size : from >= 0 && from + count <= size;
  if (!inside) {
    const where = from === undefined ? '' : ` from element ${from} on`;
    throw new Error(`state ${name} is ${showType(type)}, got ${counted(count, 'element')}${where}`);
  }
}
