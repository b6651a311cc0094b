/** Casts, fills, dropout, activations and gated units: eight neighbouring elements to a thread. */
import { int } from '../kernel.ts';
import type { CallFields, CudaKernel, CudaKernels } from '../kernel.ts';
import { blocksFor } from '../launch.ts';
import type { Launch } from '../launch.ts';
import { copyRows } from './move.ts';

/** Elements of a block. */
const PER_BLOCK = 256 * 8;

/** The kernel of the same name, for fields.n elements. */
export const elementwise = (fn: string, fields: CallFields): Launch => ({
  fn,
  grid: [blocksFor(int(fields, 'n'), PER_BLOCK), 1, 1],
  args: fields,
});

const rule = (fn: string): CudaKernel => ({ launches: (fields) => [elementwise(fn, fields)] });

export const ELEMENT_KERNELS: CudaKernels = {
  cast: {
    launches: (fields) => {
      const { x, y, n, xtype, ytype, scale } = fields;
      // Bytes are moved as they are: integers do not fit into floats.
      return xtype === ytype && scale === 1
        ? [copyRows({ x: x!, y: y!, rows: 1, n: n!, ldx: n!, ldy: n!, xtype, ytype })]
        : [elementwise('cast', fields)];
    },
  },
  fill: rule('fill'),
  dropout: rule('dropout'),
  activation: rule('activation'),
  activation_backward: rule('activation_backward'),
  glu: rule('glu'),
  glu_backward: rule('glu_backward'),
};
