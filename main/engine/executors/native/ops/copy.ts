/** Copies: of whole arrays, and of boxes that differ along one axis. */
import type { MemoryPlan } from '../../../compile/plan.ts';
import { DTYPE_BYTES, sizeOf } from '../../../graph/value.ts';
import type { Value } from '../../../graph/value.ts';
import { pointerInto } from '../call.ts';
import type { Fields, KernelCall, Pointer } from '../call.ts';
import type { NativeOperations, Placement } from '../operation.ts';

/** One array converted into another place. */
export function cast(from: Value, to: Value | Pointer, toType = from.dtype): KernelCall {
  const fields: Fields = { x: from, y: to, n: sizeOf(from.shape), xtype: from.dtype, ytype: toType, scale: 1 };
  return { kernel: 'cast', fields };
}

/** Updates of states whose new values could not be made in their memory: in order, after the outputs have been read. */
export function updateCopies(copies: MemoryPlan['copies']): KernelCall[] {
  return copies.map(({ state, value }) => cast(value, pointerInto({ state })));
}

/** A copy into another place; nothing when it is already there. */
export function copy(from: Value, to: Value, place: Placement): KernelCall[] {
  return place.together(from, to) ? [] : [cast(from, to, to.dtype)];
}

/** Elements fromBegin … fromBegin + extent − 1 of x along `axis`, to those of y from toBegin on. */
function copyRows(x: Value, fromBegin: number, y: Value, toBegin: number, axis: number, extent: number): KernelCall {
  const inner = sizeOf(x.shape.slice(axis + 1));
  const fields = {
    x: pointerInto(x, fromBegin * inner * DTYPE_BYTES[x.dtype]),
    y: pointerInto(y, toBegin * inner * DTYPE_BYTES[y.dtype]),
    rows: sizeOf(x.shape.slice(0, axis)),
    n: extent * inner,
    ldx: x.shape[axis]! * inner,
    ldy: y.shape[axis]! * inner,
    xtype: x.dtype,
    ytype: y.dtype,
  };
  return { kernel: 'copy_rows', fields };
}

export const COPY: NativeOperations = {
  cast: {
    calls: ({ inputs: [x], outputs: [y] }) => [cast(x!, y!, y!.dtype)],
  },
  transpose: {
    calls: ({ inputs, outputs, attrs }) => {
      const [x] = inputs as [Value];
      const [y] = outputs as [Value];
      const steps = x.shape.map((_, axis) => sizeOf(x.shape.slice(axis + 1)));
      const order = attrs.order as readonly number[];
      const fields = { x, y, xtype: x.dtype, ytype: y.dtype };
      return [{ kernel: 'permute', fields, extra: [y.shape.length, ...y.shape, ...order.map((axis) => steps[axis]!)] }];
    },
  },
  slice: {
    calls: ({ inputs: [x], outputs: [y], attrs }) => {
      const { axis, begin, size } = attrs as { axis: number; begin: number; size: number };
      return [copyRows(x!, begin, y!, 0, axis, size)];
    },
  },
  concat: {
    calls: ({ inputs, outputs: [y], attrs }) => {
      const axis = attrs.axis as number;
      let begin = 0;
      return inputs.map((x) => {
        const call = copyRows(x, 0, y!, begin, axis, x.shape[axis]!);
        begin += x.shape[axis]!;
        return call;
      });
    },
  },
};
