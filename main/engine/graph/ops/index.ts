/** Every operation, registered on import, and the functions that add them to a graph. */
export * from './activation.ts';
export * from './attention.ts';
export * from './crossEntropy.ts';
export * from './elementwise.ts';
export * from './fused.ts';
export * from './indexing.ts';
export * from './leaves.ts';
export * from './linear.ts';
export * from './matmul.ts';
export * from './movement.ts';
export * from './norm.ts';
export * from './optimizer.ts';
export * from './random.ts';
export * from './reduce.ts';
export * from './rotary.ts';
export * from './sparseAttention.ts';
export * from './sparsePattern.ts';
