/** Every operation that runs on native kernels, by name. */
import type { NativeOperations } from '../operation.ts';
import { ACTIVATION } from './activation.ts';
import { ATTENTION } from './attention.ts';
import { COPY } from './copy.ts';
import { crossEntropyOperations } from './crossEntropy.ts';
import type { LogitRows } from './crossEntropy.ts';
import { ELEMENTWISE } from './elementwise.ts';
import { EXPERTS } from './experts.ts';
import { INDEXING } from './indexing.ts';
import { NORM } from './norm.ts';
import { OPTIMIZER } from './optimizer.ts';
import { PRODUCTS } from './products.ts';
import { REDUCE } from './reduce.ts';
import { ROTARY } from './rotary.ts';
import { SPARSE_ATTENTION } from './sparseAttention.ts';

/** What differs between devices. */
export interface NativeDevice {
  readonly logitRows: LogitRows;
}

/** The operations on a device; an executor with better kernels of its own puts them on top. */
export function nativeOperations({ logitRows }: NativeDevice): NativeOperations {
  return {
    ...ELEMENTWISE,
    ...COPY,
    ...REDUCE,
    ...INDEXING,
    ...PRODUCTS,
    ...EXPERTS,
    ...ACTIVATION,
    ...NORM,
    ...ROTARY,
    ...ATTENTION,
    ...SPARSE_ATTENTION,
    ...crossEntropyOperations(logitRows),
    ...OPTIMIZER,
  };
}
