/** Look-ups by integer index and their adjoint. */
import { ShapeError } from '../../../graph/operation.ts';
import { sizeOf } from '../../../graph/value.ts';
import type { Value } from '../../../graph/value.ts';
import type { KernelCall } from '../call.ts';
import type { NativeOperations } from '../operation.ts';
import { copy } from './copy.ts';

/** beta 0 clears the table first. */
function scatter(index: Value, dy: Value, table: Value, beta: 0 | 1): KernelCall {
  if (table.dtype !== 'f32') throw new ShapeError('scatterAdd: the native kernel adds in f32');
  const fields = {
    dy,
    index,
    table,
    rows: sizeOf(index.shape),
    n: table.shape[1]!,
    vocabulary: table.shape[0]!,
    dytype: dy.dtype,
    scale: 1,
    beta,
  };
  return { kernel: 'scatter_add', fields };
}

export const INDEXING: NativeOperations = {
  gather: {
    calls: ({ inputs, outputs }) => {
      const [table, index] = inputs as [Value, Value];
      const [y] = outputs as [Value];
      const fields = {
        table,
        index,
        y,
        rows: sizeOf(index.shape),
        n: table.shape[1]!,
        vocabulary: table.shape[0]!,
        tabletype: table.dtype,
        ytype: y.dtype,
      };
      return [{ kernel: 'gather', fields }];
    },
  },
  scatterAdd: {
    calls: ({ inputs: [index, updates], outputs: [table] }) => [scatter(index!, updates!, table!, 0)],
  },
  scatterAddTo: {
    calls: ({ inputs: [base, index, updates], outputs: [table] }, place) => [
      ...copy(base!, table!, place),
      scatter(index!, updates!, table!, 1),
    ],
  },
};
