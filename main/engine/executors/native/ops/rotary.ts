/** Rotary positions: a table of angles, then the rotation. */
import type { Node, Value } from '../../../graph/value.ts';
import { pointerInto } from '../call.ts';
import type { NativeOperations } from '../operation.ts';

/** f32 [length, size]: cosines and sines. */
function tableBytes(node: Node): number {
  const [, length, , size] = node.inputs[0]!.shape as [number, number, number, number];
  return 4 * length * size;
}

export const ROTARY: NativeOperations = {
  rotary: {
    workspace: tableBytes,
    calls: ({ inputs, outputs: [y], attrs }) => {
      const [x] = inputs as [Value];
      const [batch, t, heads, d] = x.shape as [number, number, number, number];
      const table = pointerInto('workspace');
      const fields = {
        x,
        y: y!,
        table,
        batch,
        t,
        heads,
        d,
        sxb: t * heads * d,
        sxt: heads * d,
        sxh: d,
        syb: t * heads * d,
        syt: heads * d,
        syh: d,
        type: x.dtype,
        inverse: attrs.inverse === true,
      };
      return [
        { kernel: 'rotary_table', fields: { table, t, d, offset: 0, base: attrs.base as number } },
        { kernel: 'rotary', fields },
      ];
    },
  },
};
