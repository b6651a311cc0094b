/** Which programs a run uses, and what each of them holds on an executor. The one place that knows how executors compile. */
import { compileForCpu } from '../../engine/executors/cpu/target.ts';
import { fuse } from '../../engine/compile/fuse.ts';
import { planMemory } from '../../engine/compile/plan.ts';
import type { MemoryPlan, PlannedBuffer } from '../../engine/compile/plan.ts';
import { COMPOSITE_TARGET, lower } from '../../engine/compile/schedule.ts';
import type { Program } from '../../engine/graph/program.ts';
import type { TrainingPrograms } from '../../engine/nn/training.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import type { DeviceKind } from './kinds.ts';
import { KINDS } from './kinds.ts';
import { tensorUse } from './tensors.ts';
import { useOf } from './use.ts';
import type { Held, ProgramUse } from './use.ts';

export type ProgramName = 'accumulate-first' | 'accumulate' | 'update' | 'evaluate' | 'generate';

/** A program with the rows that it works on at once. */
export interface ProgramCall {
  readonly name: ProgramName;
  readonly rows: number;
}

/** Sequences computed at once. */
export function microBatchOf(config: Config): number {
  return (config['batch.micro'] as number) || (config['batch.sequences'] as number);
}

/**
 * The programs that the training loop loads. The validation split may hold fewer sequences than one evaluation would take; without
 * `validationRows` it is taken to be large.
 */
export function programsOf(config: Config, validationRows = Infinity): readonly ProgramCall[] {
  const rows = microBatchOf(config);
  const calls: ProgramCall[] = [{ name: 'accumulate-first', rows }];
  if ((config['batch.sequences'] as number) > rows) calls.push({ name: 'accumulate', rows });
  calls.push({ name: 'update', rows: 0 });
  calls.push({ name: 'evaluate', rows: Math.min((config['eval.batch'] as number) || rows, validationRows) });
  if ((config['log.sample_tokens'] as number) > 0) calls.push({ name: 'generate', rows: 1 });
  return calls;
}

export function buildProgram(training: TrainingPrograms, { name, rows }: ProgramCall): Program {
  switch (name) {
    case 'accumulate-first':
      return training.accumulate(rows, true);
    case 'accumulate':
      return training.accumulate(rows, false);
    case 'update':
      return training.update();
    case 'evaluate':
      return training.evaluate(rows);
    case 'generate':
      return training.generate();
  }
}

/** Compiles and plans one program as the executor does. */
export function programUse(kind: DeviceKind, source: Program, vocabulary: number): ProgramUse {
  if (KINDS[kind].holds === 'tensors') return tensorUse(kind, source, vocabulary);
  const plan = kind === 'cpu' ? compileForCpu(source).plan : planForGpu(source);
  return useOf(
    source.name,
    plan.order,
    plan.buffers.map((buffer) => heldOf(buffer, plan, vocabulary)),
    plan.arenaBytes,
  );
}

function planForGpu(source: Program): MemoryPlan {
  return planMemory(lower(fuse(source), COMPOSITE_TARGET), COMPOSITE_TARGET);
}

/** Of what the plan counts as logits only arrays over the vocabulary are; the others are gradients made at the head. */
function heldOf(buffer: PlannedBuffer, plan: MemoryPlan, vocabulary: number): Held {
  const { bytes, start, scope, value } = buffer;
  const end = Math.min(buffer.end, plan.order.length - 1);
  if (buffer.category !== 'logits' || value === undefined || value.shape.at(-1) === vocabulary)
    return { bytes, start, end, scope, category: buffer.category };
  return {
    bytes,
    start,
    end,
    scope,
    category: value.shape[0] === vocabulary ? 'weight gradients' : 'activation gradients',
  };
}
