import { loadNative } from '../../../../main/engine/native/addon.ts';
import type { Native } from '../../../../main/engine/native/addon.ts';
import type { Executor, TypedArray } from '../../../../main/engine/executors/executor.ts';
import { differentiate } from '../../../../main/engine/graph/differentiate.ts';
import { allOperations, newGraph } from '../../../../main/engine/graph/operation.ts';
import { add, cast, input, mul, reduceSum, reshape } from '../../../../main/engine/graph/ops/index.ts';
import { program } from '../../../../main/engine/graph/program.ts';
import type { Program } from '../../../../main/engine/graph/program.ts';
import { isFloat } from '../../../../main/engine/graph/shapes.ts';
import { sizeOf } from '../../../../main/engine/graph/value.ts';
import type { DType, Value } from '../../../../main/engine/graph/value.ts';
import type { Random } from '../../../oracles/random.ts';
import type { Case } from '../../graph/cases/case.ts';
import { CASE_STATE, CASE_STATE_DATA } from '../../graph/cases/leaves.ts';

/** Why the native tests cannot run here; shown on screen. */
export const missingAddon = loadNative().reason;

/** The addon, for tests that run only where there is one. */
export function loadAddon(): Native {
  return loadNative().native!;
}

/** Instruction levels that can be tested here, emulated ones included. */
export function testLevels(): readonly string[] {
  if (missingAddon !== undefined) return [];
  return loadAddon().info().testLevels;
}

export interface CaseProgram {
  program: Program;
  feeds: Record<string, TypedArray>;
}

const withoutRule = new Set(
  allOperations()
    .filter(({ gradient, decompose }) => gradient === undefined && decompose !== undefined)
    .map(({ name }) => name),
);

/** The case's outputs and, where defined, the gradients of a random weighting of them, as one program. */
export function caseProgram(made: Case, r: Random, dtype: DType): CaseProgram {
  const graph = newGraph();
  const inputs: Record<string, Value> = {};
  const feeds: Record<string, TypedArray> = {};
  for (const [name, { shape, dtype: own, data, differentiable }] of Object.entries(made.inputs)) {
    const value = input(graph, name, shape, own);
    // Vectors and log-sum-exps stay in 32 bits under every policy.
    const narrow = own === 'f32' && differentiable && shape.length > 1 && name !== 'lse';
    inputs[name] = narrow ? cast(value, dtype) : value;
    feeds[name] = data;
  }
  const outputs = made.build(inputs, graph);
  let loss: Value | undefined;
  outputs.forEach((output, i) => {
    if (!isFloat(output.dtype) || made.differentiableOutputs?.includes(i) === false) return;
    const weight = input(graph, `weight${i}`, output.shape, 'f32');
    feeds[`weight${i}`] = Float32Array.from(r.normals(sizeOf(output.shape)));
    const term = reshape(
      reduceSum(
        mul(output, weight),
        output.shape.map((_, axis) => axis),
      ),
      [],
    );
    loss = loss === undefined ? term : add(loss, term);
  });
  const names = Object.keys(made.inputs).filter((name) => made.inputs[name]!.differentiable);
  const wanted: Record<string, Value> = Object.fromEntries(outputs.map((value, i) => [`out${i}`, value]));
  // Composites without a gradient rule (optimizer updates, backward passes) are ends of a graph: nothing is differentiated there.
  const isEnd = graph.nodes.some((node) => withoutRule.has(node.op));
  if (loss === undefined || names.length === 0 || isEnd) return { program: program('case', graph, wanted), feeds };
  const targets = names.map((name) => inputs[name]!);
  differentiate(loss, targets).forEach((gradient, i) => {
    if (gradient !== undefined) wanted[`d${names[i]}`] = gradient;
  });
  return { program: program('case', graph, wanted), feeds };
}

/** Runs a case's program on an executor. */
export async function runCase(
  executor: Executor,
  { program: p, feeds }: CaseProgram,
): Promise<Record<string, TypedArray>> {
  const session = executor.open([CASE_STATE]);
  try {
    session.write(CASE_STATE.name, CASE_STATE_DATA);
    const loaded = session.load(p);
    const needed = Object.fromEntries([...p.inputs.keys()].map((name) => [name, feeds[name]!]));
    return await session.run(loaded, needed);
  } finally {
    session.dispose();
  }
}

/**
 * Largest difference relative to the largest reference value, but to at least 0.2: inputs are of size 1, so smaller results come
 * about by cancellation, where 32-bit sums in different orders differ by more. NaN in one but not the other is an infinite difference.
 */
export function relativeDifference(got: ArrayLike<number>, want: ArrayLike<number>): number {
  let scale = 0.2;
  for (let i = 0; i < want.length; i++) if (Math.abs(want[i]!) < 1e29) scale = Math.max(scale, Math.abs(want[i]!));
  let worst = got.length === want.length ? 0 : Infinity;
  for (let i = 0; i < want.length; i++) {
    // The log-sum-exp of no keys at all is −∞, or the largest stand-in for it.
    if (want[i]! <= -1e29 && got[i]! <= -1e29) continue;
    if (Object.is(got[i], want[i]) || (Number.isNaN(got[i]!) && Number.isNaN(want[i]!))) continue;
    const difference = Math.abs(got[i]! - want[i]!) / scale;
    worst = Math.max(worst, Number.isNaN(difference) ? Infinity : difference);
  }
  return worst;
}
