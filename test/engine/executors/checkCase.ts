/** How far a case's outputs lie from the float64 interpreter's on an executor, and how far they may. */
import type { Executor } from '../../../main/engine/executors/executor.ts';
import type { DType } from '../../../main/engine/graph/value.ts';
import { evaluate } from '../../oracles/reference.ts';
import { CASE_STATE_DATA } from '../graph/cases/leaves.ts';
import { relativeDifference, runCase } from './cpu/harness.ts';
import type { CaseProgram } from './cpu/harness.ts';

/** Sums and weights that are in 32 bits under every policy. */
const ONLY_F32: ReadonlySet<string> = new Set(['optimizerUpdate', 'scatterAddTo', 'crossEntropyWithGradient']);
const F32_BOUND = 1e-5;
/** One step of a 16-bit number, relative. */
const STEP: Partial<Record<DType, number>> = { bf16: 2 ** -7, f16: 2 ** -10 };

/** Types in which an operation is tried. @param halves the 16-bit types that the executor knows */
export const typesOf = (op: string, halves: readonly DType[] = ['bf16', 'f16']): readonly DType[] =>
  ONLY_F32.has(op) ? ['f32'] : ['f32', ...halves];

export interface Checked {
  readonly output: string;
  readonly difference: number;
  readonly bound: number;
}

/**
 * In 16 bits results may lie as far from the exact ones as rounding every step brings them, a few times over: kernels round at other places
 * than the interpreter does. Gradients of attention over a few keys are differences that nearly cancel: then a rounding counts several times.
 */
export async function checkCase(executor: Executor, made: CaseProgram, dtype: DType): Promise<Checked[]> {
  const wanted = [...made.program.outputs.values()];
  const feeds = { s: CASE_STATE_DATA, ...made.feeds };
  const exact = evaluate(wanted, feeds);
  const rounded = evaluate(wanted, feeds, { rounded: true });
  const got = await runCase(executor, made);
  return [...made.program.outputs.keys()].map((output, i) => {
    const [want, bound] =
      dtype === 'f32'
        ? [rounded[i]!, F32_BOUND]
        : [exact[i]!, 4 * relativeDifference(rounded[i]!, exact[i]!) + 8 * STEP[dtype]!];
    return { output, difference: relativeDifference(got[output]!, want), bound };
  });
}
