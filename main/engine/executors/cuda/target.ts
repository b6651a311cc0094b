/** How programs are compiled for NVIDIA GPUs: every composite run directly. Scratch memory of its kernels is not planned yet. */
import { fuse } from '../../compile/fuse.ts';
import { planMemory } from '../../compile/plan.ts';
import type { MemoryPlan } from '../../compile/plan.ts';
import { COMPOSITE_TARGET, lower } from '../../compile/schedule.ts';
import type { Program } from '../../graph/program.ts';

export function planForCuda(source: Program): MemoryPlan {
  return planMemory(lower(fuse(source), COMPOSITE_TARGET), COMPOSITE_TARGET);
}
