/**
 * The one list of a run's programs. The training loop loads and runs these and no others, and the fit check plans these: what is
 * allocated and what was planned cannot differ. A program is known by its name, its rows and its length; a run may have several of a
 * name (micro-batches of different sizes, sequences of different lengths).
 */
import type { Config } from '../../../preload/contract/settings.ts';
import { batchPlan } from '../batch/plan.ts';
import type { BatchPlan, BatchShape } from '../batch/plan.ts';
import type { Program } from '../graph/program.ts';
import { diagnosticsOf } from '../settings/diagnostics.ts';
import { averages } from '../optim/averages/average.ts';
import type { Kinds } from '../kind.ts';
import type { TrainingPrograms } from './training.ts';

export type ProgramName =
  | 'accumulate-first'
  | 'accumulate'
  | 'update'
  | 'evaluate'
  | 'evaluate-average'
  | 'generate'
  | 'activations'
  | 'diagnose'
  | 'diagnose-update'
  | 'diagnose-gradient';

export interface ProgramShape {
  readonly name: ProgramName;
  /** Sequences computed at once; 0 where there are none. */
  readonly rows: number;
  /** Tokens of each sequence; 0 where there are none. */
  readonly length: number;
}

export interface ProgramCall extends ProgramShape {
  /** How often it runs in an optimizer step of one such batch; 0 for what runs between steps. */
  perStep(batch: BatchShape): number;
  /** Whether settings of the optimizer shape it: all others depend on the model, the batch and the precision alone. */
  readonly ofOptimizer: boolean;
  build(training: TrainingPrograms): Program;
}

/** Tells the programs of a run apart. */
export const programKey = ({ name, rows, length }: ProgramShape): string => `${name} ${rows}×${length}`;

/** Whether it is part of every step: gradients and their update. */
export const trains = ({ name }: Pick<ProgramShape, 'name'>): boolean =>
  name === 'update' || name.startsWith('accumulate');

/** What the list depends on beside the settings. */
export interface RunFacts {
  /** Sequences of the validation split; taken to be many where it is not known. */
  readonly validationRows?: number | undefined;
}

/** Sequences of the whole context that are as many tokens as the largest micro-batch; at least one. */
export function microBatchOf(config: Config, kinds?: Kinds): number {
  const { micro, length } = batchPlan(config, kinds).largest();
  return Math.max(1, Math.floor((micro * length) / (config['model.context'] as number)));
}

/** Sequences that an evaluation scores at once: never more than there are. */
export function evaluationBatchOf(config: Config, { validationRows = Infinity }: RunFacts, kinds?: Kinds): number {
  return Math.min((config['eval.batch'] as number) || microBatchOf(config, kinds), validationRows);
}

/** The optimizer's step: the same whatever the batch is. */
export const UPDATE: ProgramShape = { name: 'update', rows: 0, length: 0 };
/** What looks at the step before it is made, and at its gradient after the first micro-batch. */
export const DIAGNOSE_UPDATE: ProgramShape = { ...UPDATE, name: 'diagnose-update' };
export const DIAGNOSE_GRADIENT: ProgramShape = { ...UPDATE, name: 'diagnose-gradient' };

/** Tokens that diagnostics look at: few beside a batch of a large model, enough for a mean. */
const LOOKED_AT = 4096;

/** Sequences of the batch that diagnostics look at. */
export function diagnosedRows(config: Config, kinds?: Kinds): number {
  return Math.max(
    1,
    Math.min(microBatchOf(config, kinds), Math.floor(LOOKED_AT / (config['model.context'] as number))),
  );
}

type Builder = ProgramCall['build'];
const never = (): number => 0;
const once = (): number => 1;
const call = (
  shape: ProgramShape,
  perStep: ProgramCall['perStep'],
  build: Builder,
  ofOptimizer = false,
): ProgramCall => ({
  ...shape,
  perStep,
  ofOptimizer,
  build,
});

const generateCall = (length: number): ProgramCall =>
  call({ name: 'generate', rows: 1, length }, never, (training) => training.generate(), true);

/** The programs that add up gradients: those of every micro-batch that the run can come to, shortest sequences first. */
function accumulateCalls(plan: BatchPlan): ProgramCall[] {
  const calls = new Map<string, ProgramCall>();
  const add = (length: number, rows: number, first: boolean): void => {
    const shape: ProgramShape = { name: first ? 'accumulate-first' : 'accumulate', rows, length };
    const perStep = (batch: BatchShape): number => {
      if (batch.length !== length) return 0;
      const [leading, ...others] = plan.micros(batch);
      return first ? Number(leading === rows) : others.filter((micro) => micro === rows).length;
    };
    calls.set(
      programKey(shape),
      call(shape, perStep, (training) => training.accumulate(rows, first, length)),
    );
  };
  for (const batch of [...plan.shapes()].sort((a, b) => a.length - b.length || a.sequences - b.sequences)) {
    const micros = plan.micros(batch);
    add(batch.length, micros[0]!, true);
    // Where steps take several batches, the first micro-batch of the second adds to what is there.
    for (const rows of plan.varies ? micros : micros.slice(1)) add(batch.length, rows, false);
  }
  return [...calls.values()];
}

/** The programs of `log.diagnostics`. */
function diagnosticsCalls(config: Config, kinds?: Kinds): ProgramCall[] {
  const groups = diagnosticsOf(config);
  const every = 1 / (config['log.diagnostics_steps'] as number);
  const perStep = (): number => every;
  const plan = batchPlan(config, kinds);
  const rows = diagnosedRows(config, kinds);
  const calls: ProgramCall[] = [];
  if (groups.has('activations') || groups.has('attention') || groups.has('loss'))
    calls.push(call({ name: 'diagnose', rows, length: plan.context }, perStep, (training) => training.diagnose(rows)));
  if (groups.has('weights')) calls.push(call(DIAGNOSE_UPDATE, perStep, (training) => training.diagnoseUpdate(), true));
  // The noise of a gradient is seen where a batch has parts.
  const parts = plan.varies || plan.shapes().some((shape) => plan.micros(shape).length > 1);
  if (groups.has('noise') && parts) calls.push(call(DIAGNOSE_GRADIENT, perStep, (training) => training.gradientNorm()));
  return calls;
}

/** The programs of a training run, in the order in which they are loaded. */
export function programsOf(config: Config, facts: RunFacts = {}, kinds?: Kinds): readonly ProgramCall[] {
  const length = config['model.context'] as number;
  const rows = evaluationBatchOf(config, facts, kinds);
  const samples = (config['log.sample_tokens'] as number) > 0;
  return [
    ...accumulateCalls(batchPlan(config, kinds)),
    call(UPDATE, once, (training) => training.update(), true),
    // Some optimizers are evaluated at other weights than they train.
    call({ name: 'evaluate', rows, length }, never, (training) => training.evaluate(rows), true),
    ...(averages(config)
      ? [call({ name: 'evaluate-average', rows, length }, never, (training) => training.evaluateAverage(rows), true)]
      : []),
    ...(samples ? [generateCall(length)] : []),
    ...diagnosticsCalls(config, kinds),
  ];
}

/** The programs of a coordinate check: a few steps, and how large activations are before and after each. */
export function coordinatePrograms(config: Config): readonly ProgramCall[] {
  const { length, micro: rows } = batchPlan(config).largest();
  const steps = programsOf(config).filter(trains);
  return [...steps, call({ name: 'activations', rows, length }, once, (training) => training.activations(rows))];
}

/** The program of writing text with a trained model. */
export const samplingProgram = (config: Config): ProgramCall => generateCall(config['model.context'] as number);
