/** Composites that run directly on the backends whose memory this process can reach; each equals its decomposition to rounding. */
import { PRIMITIVES } from '../primitives.ts';
import type { Kernel } from '../primitives.ts';
import type { FastComposite } from '../target.ts';
import { ATTENTION } from './attention.ts';
import { CROSS_ENTROPY } from './crossEntropy.ts';
import { EXPERTS } from './experts.ts';
import { POINTWISE } from './pointwise.ts';
import { batchedProduct } from './products.ts';

const COMPOSITES: Readonly<Record<FastComposite, Kernel>> = {
  ...POINTWISE,
  ...ATTENTION,
  ...CROSS_ENTROPY,
  ...EXPERTS,
};

/** Kernels of what the target keeps. */
export const FAST_KERNELS: Readonly<Record<string, Kernel>> = {
  ...PRIMITIVES,
  matmul: ([a, b], { attrs }) => [batchedProduct(a!, b!, attrs.transposeA === true, attrs.transposeB === true)],
  ...COMPOSITES,
};
