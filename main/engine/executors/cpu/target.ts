/** How programs are compiled for the native CPU executor. */
import { fuse } from '../../compile/fuse.ts';
import { planMemory } from '../../compile/plan.ts';
import type { MemoryPlan } from '../../compile/plan.ts';
import { lower } from '../../compile/schedule.ts';
import type { Target } from '../../compile/schedule.ts';
import type { Program } from '../../graph/program.ts';
import { nativeTarget } from '../native/operation.ts';
import { nativeOperations } from '../native/ops/index.ts';

/**
 * Logits are made for this many rows at a time: with few rows the weights, and their gradients, are read and written many times over; with
 * many the logits take much memory. At most 1,008 rows and 72 MiB (but not below 112 rows), in chunks of nearly equal size, which are
 * whole panels of 14 rows.
 */
function logitRows(rows: number, vocabulary: number, bytes: number): number {
  const fitting = Math.floor((72 * 2 ** 20) / (bytes * vocabulary * 112)) * 112;
  const most = Math.max(112, Math.min(1008, fitting));
  const even = Math.ceil(rows / Math.ceil(rows / most));
  return Math.min(rows, Math.ceil(even / 14) * 14);
}

export const CPU_OPERATIONS = nativeOperations({ logitRows });
export const CPU_TARGET: Target = nativeTarget('cpu', CPU_OPERATIONS);

export interface Compiled {
  readonly program: Program;
  readonly plan: MemoryPlan;
}

/** Fusion, decomposition of what is not run directly, and the memory plan. */
export function compileForCpu(source: Program): Compiled {
  const program = lower(fuse(source), CPU_TARGET);
  return { program, plan: planMemory(program, CPU_TARGET) };
}
