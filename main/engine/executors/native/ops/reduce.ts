/** Reductions over any axes, the largest index, and the norm of all gradients. */
import { sizeOf } from '../../../graph/value.ts';
import type { Node, Value } from '../../../graph/value.ts';
import { pointerInto, typeName } from '../call.ts';
import type { KernelCall, Pointer } from '../call.ts';
import type { NativeOperation, NativeOperations, Placement } from '../operation.ts';
import { copy } from './copy.ts';

/** Runs of neighbouring reduced axes, [first, last], the last run first; axes of size 1 join any run. */
function axisGroups(node: Node): [number, number][] {
  const { shape } = node.inputs[0]!;
  const axes = (node.attrs.axes as readonly number[]).filter((axis) => shape[axis] !== 1).sort((a, b) => a - b);
  const groups: [number, number][] = [];
  for (const axis of axes) {
    const open = groups.at(-1);
    const adjacent = open !== undefined && shape.slice(open[1] + 1, axis).every((dimension) => dimension === 1);
    if (adjacent) open[1] = axis;
    else groups.push([axis, axis]);
  }
  return groups.reverse();
}

/** One call for each group of axes; between them the results wait in the two halves of the workspace in turn. */
function reduce(node: Node, kind: 'sum' | 'max', place: Placement): KernelCall[] {
  const [x] = node.inputs as [Value];
  const [y] = node.outputs as [Value];
  const groups = axisGroups(node);
  if (groups.length === 0) return copy(x, y, place);
  const shape = [...x.shape];
  const half = 4 * sizeOf(x.shape);
  let from: { at: Value | Pointer; type: string } = { at: x, type: x.dtype };
  return groups.map(([first, last], i) => {
    const to =
      i === groups.length - 1
        ? { at: y, type: y.dtype }
        : { at: pointerInto('workspace', (i % 2) * half), type: 'f32' };
    const fields = {
      x: from.at,
      y: to.at,
      outer: sizeOf(shape.slice(0, first)),
      n: sizeOf(shape.slice(first, last + 1)),
      inner: sizeOf(shape.slice(last + 1)),
      xtype: from.type,
      ytype: to.type,
      kind,
      beta: 0,
    };
    for (let axis = first; axis <= last; axis++) shape[axis] = 1;
    from = to;
    return { kernel: 'reduce', fields };
  });
}

const reduction = (kind: 'sum' | 'max'): NativeOperation => ({
  workspace: (node) => (axisGroups(node).length > 1 ? 8 * sizeOf(node.inputs[0]!.shape) : 0),
  calls: (node, place) => reduce(node, kind, place),
});

export const REDUCE: NativeOperations = {
  reduceSum: reduction('sum'),
  reduceMax: reduction('max'),
  argMax: {
    calls: ({ inputs, outputs: [y] }) => {
      const [x] = inputs as [Value];
      const n = x.shape.at(-1)!;
      return [{ kernel: 'argmax', fields: { x, y: y!, rows: sizeOf(x.shape) / n, n, xtype: x.dtype } }];
    },
  },
  globalNorm: {
    calls: ({ inputs, outputs: [y] }) => [
      {
        kernel: 'global_norm',
        fields: { y: y! },
        extra: inputs.flatMap((x) => [x, sizeOf(x.shape), typeName(x.dtype)]),
      },
    ],
  },
};
