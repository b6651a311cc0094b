/**
 * The one list of a run's programs. The training loop loads and runs these and no others, and the fit check plans these: what is
 * allocated and what was planned cannot differ. A program is known by its name, its rows and its length; a run may have several of a
 * name (micro-batches of different sizes, sequences of different lengths).
 */
import type { Config } from '../../../preload/contract/settings.ts';
import type { Program } from '../graph/program.ts';
import { diagnosticsOf } from '../settings/diagnostics.ts';
import { averages } from '../optim/averages/average.ts';
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
  /** How often it runs in one optimizer step, on the average; 0 for what runs between steps. */
  readonly perStep: number;
  /** Whether settings of the optimizer shape it: all others depend on the model, the batch and the precision alone. */
  readonly ofOptimizer: boolean;
  build(training: TrainingPrograms): Program;
}

/** Tells the programs of a run apart. */
export const programKey = ({ name, rows, length }: ProgramShape): string => `${name} ${rows}×${length}`;

/** What the list depends on beside the settings. */
export interface RunFacts {
  /** Sequences of the validation split; taken to be many where it is not known. */
  readonly validationRows?: number | undefined;
}

/** Sequences computed at once. */
export function microBatchOf(config: Config): number {
  return (config['batch.micro'] as number) || (config['batch.sequences'] as number);
}

/** Sequences that an evaluation scores at once: never more than there are. */
export function evaluationBatchOf(config: Config, { validationRows = Infinity }: RunFacts): number {
  return Math.min((config['eval.batch'] as number) || microBatchOf(config), validationRows);
}

/** The optimizer's step: the same whatever the batch is. */
export const UPDATE: ProgramShape = { name: 'update', rows: 0, length: 0 };
/** What looks at the step before it is made, and at its gradient after the first micro-batch. */
export const DIAGNOSE_UPDATE: ProgramShape = { ...UPDATE, name: 'diagnose-update' };
export const DIAGNOSE_GRADIENT: ProgramShape = { ...UPDATE, name: 'diagnose-gradient' };

/** Tokens that diagnostics look at: few beside a batch of a large model, enough for a mean. */
const LOOKED_AT = 4096;

/** Sequences of the batch that diagnostics look at. */
export function diagnosedRows(config: Config): number {
  return Math.max(1, Math.min(microBatchOf(config), Math.floor(LOOKED_AT / (config['model.context'] as number))));
}

type Builder = ProgramCall['build'];
const call = (shape: ProgramShape, perStep: number, build: Builder, ofOptimizer = false): ProgramCall => ({
  ...shape,
  perStep,
  ofOptimizer,
  build,
});

const generateCall = (length: number): ProgramCall =>
  call({ name: 'generate', rows: 1, length }, 0, (training) => training.generate(), true);

/** The programs of `log.diagnostics`. */
function diagnosticsCalls(config: Config, length: number, micros: number): ProgramCall[] {
  const groups = diagnosticsOf(config);
  const perStep = 1 / (config['log.diagnostics_steps'] as number);
  const rows = diagnosedRows(config);
  const calls: ProgramCall[] = [];
  if (groups.has('activations') || groups.has('attention') || groups.has('loss'))
    calls.push(call({ name: 'diagnose', rows, length }, perStep, (training) => training.diagnose(rows)));
  if (groups.has('weights')) calls.push(call(DIAGNOSE_UPDATE, perStep, (training) => training.diagnoseUpdate(), true));
  // The noise of a gradient is seen where a batch has parts.
  if (groups.has('noise') && micros > 1)
    calls.push(call(DIAGNOSE_GRADIENT, perStep, (training) => training.gradientNorm()));
  return calls;
}

/** The programs of a training run, in the order in which they are loaded. */
export function programsOf(config: Config, facts: RunFacts = {}): readonly ProgramCall[] {
  const rows = microBatchOf(config);
  const length = config['model.context'] as number;
  const micros = Math.ceil((config['batch.sequences'] as number) / rows);
  const scored = evaluationBatchOf(config, facts);
  const calls = [
    call({ name: 'accumulate-first', rows, length }, 1, (training) => training.accumulate(rows, true)),
    call({ name: 'accumulate', rows, length }, micros - 1, (training) => training.accumulate(rows, false)),
    call(UPDATE, 1, (training) => training.update(), true),
    // Some optimizers are evaluated at other weights than they train.
    call({ name: 'evaluate', rows: scored, length }, 0, (training) => training.evaluate(scored), true),
    call({ name: 'evaluate-average', rows: scored, length }, 0, (training) => training.evaluateAverage(scored), true),
    generateCall(length),
    ...diagnosticsCalls(config, length, micros),
  ];
  const wanted = (each: ProgramCall): boolean => {
    if (each.name === 'evaluate-average') return averages(config);
    if (each.name === 'accumulate') return each.perStep > 0;
    if (each.name === 'generate') return (config['log.sample_tokens'] as number) > 0;
    return true;
  };
  return calls.filter(wanted);
}

/** The programs of a coordinate check: a few steps, and how large activations are before and after each. */
export function coordinatePrograms(config: Config): readonly ProgramCall[] {
  const rows = microBatchOf(config);
  const length = config['model.context'] as number;
  const steps = programsOf(config).filter(({ name }) => name === 'update' || name.startsWith('accumulate'));
  return [...steps, call({ name: 'activations', rows, length }, 1, (training) => training.activations(rows))];
}

/** The program of writing text with a trained model. */
export const samplingProgram = (config: Config): ProgramCall => generateCall(config['model.context'] as number);
