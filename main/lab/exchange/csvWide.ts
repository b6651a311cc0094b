/**
 * One row per run in the 29 columns of hlb-gpt-cli's results file, so that its plotting scripts and notebooks read Sweeplab's runs.
 * Curves are lists in square brackets, one entry per evaluation.
 *
 * What Sweeplab has no notion of gets its nearest equivalent:
 * - model_scale: parameters ÷ 46,009,736, the parameters of hlb-gpt at scale 1 (as that tool logs it)
 * - num_non_embedding_params: without embedding, output and learned position matrices
 * - run_num: position among the exported runs of the same setting, by seed, from 1
 * - limits that are off, or of which a run of another program says nothing: 1e9 epochs, steps and seconds, 1e12 tokens (that tool's defaults for "no limit")
 * - gpu_capacity_scalar: 1.0; batch sizes are settings here
 * - cumulative_time: training seconds at that evaluation (there it lags by one entry)
 * - learning_rate, weight_decay: those of group 0, the matrices
 *
 * Entries that do not exist, such as a training loss before the first step or a depth that an imported run does not say, are NaN. Lists can be read with Python's json.loads, which
 * takes NaN and Infinity; plain numbers otherwise.
 */
import type { RunRecord } from '../../../preload/contract/runs.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { settingNames } from '../../engine/kind.ts';
import { tableRows } from '../../engine/nn/layers/vocabulary.ts';
import { modelFamily } from '../../engine/nn/models/index.ts';
import { REFERENCE_PARAMETERS } from '../../engine/nn/models/latent.dimensions.ts';
import { csvLine, numberCell } from '../../../preload/shared/csv.ts';
import { defineExchange, type ExportJob } from './exchange.ts';
import { isOutside } from './exportedRun.ts';

export const WIDE_COLUMNS = [
  'last_val_loss',
  'model_scale',
  'depth',
  'width',
  'num_params',
  'num_non_embedding_params',
  'num_heads',
  'linear_value',
  'seed',
  'run_num',
  'max_epochs',
  'max_steps',
  'max_tokens',
  'max_time_seconds',
  'gpu_capacity_scalar',
  'train_loss',
  'val_loss',
  'train_acc',
  'val_acc',
  'train_pplx',
  'val_pplx',
  'grad_norm',
  'cumulative_time',
  'tokens_seen',
  'epoch',
  'batch_size',
  'seq_length',
  'learning_rate',
  'weight_decay',
] as const;

export type WideColumn = (typeof WIDE_COLUMNS)[number];

/** Columns whose lists are the curve of a metric, as it is logged. */
export const WIDE_CURVES = {
  train_loss: 'train/loss',
  val_loss: 'val/loss',
  train_acc: 'train/accuracy',
  val_acc: 'val/accuracy',
  grad_norm: 'grad/norm',
  cumulative_time: 'seconds',
  tokens_seen: 'tokens',
  epoch: 'epoch',
  learning_rate: 'lr',
} as const satisfies Partial<Record<WideColumn, string>>;

/** Limits that are off, as that tool writes them. */
export const WIDE_NO_LIMIT = { epochs: 1e9, steps: 1e9, tokens: 1e12, seconds: 1e9 } as const;

export const csvWide = defineExchange({
  name: 'csv-wide',
  label: 'CSV, one row per run',
  help: 'The 29 columns of hlb-gpt-cli, curves at the evaluations as lists: its plotting scripts and notebooks read it.',
  extensions: ['csv'],
  appends: true,
  *write({ runs, read }) {
    yield csvLine(WIDE_COLUMNS);
    const numbers = runNumbers(runs);
    for (const run of runs) {
      const row = wideRow(read, run, numbers.get(run.id)!);
      yield csvLine(WIDE_COLUMNS.map((column) => row[column]));
    }
  },
});

type Read = ExportJob['read'];

/** 1, 2, … among the runs of each setting, by seed. */
function runNumbers(runs: readonly RunRecord[]): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const group of Map.groupBy(runs, ({ sweepId, settingKey }) => `${sweepId} ${settingKey}`).values()) {
    group.toSorted((a, b) => a.seed - b.seed).forEach(({ id }, i) => numbers.set(id, i + 1));
  }
  return numbers;
}

function wideRow(read: Read, run: RunRecord, number: number): Record<WideColumn, string> {
  const { config } = run;
  // Runs of that tool that were imported have settings by the names of its columns.
  const setting = (name: string, column: WideColumn): number => numberIn(config[name] ?? config[column]);
  const has = readsOf(config);
  const limit = (name: string, column: WideColumn, off: number): number => setting(name, column) || off;
  const parameters = run.parameters ?? Number.NaN;
  const scale = parameters / REFERENCE_PARAMETERS;
  const evaluations = read(run.id, 'val/loss');
  const curve = (column: keyof typeof WIDE_CURVES): number[] =>
    valuesAt(read, run.id, WIDE_CURVES[column], evaluations.step);
  const constant = (value: number): number[] => Array.from(evaluations.step, () => value);
  /** A setting that may have moved over the run. */
  const moving = (metric: string, value: number): number[] => {
    const moved = read(run.id, metric).step.length > 0;
    return moved ? valuesAt(read, run.id, metric, evaluations.step) : constant(value);
  };
  const trainLoss = curve('train_loss');
  const valLoss = Array.from(evaluations.value);
  return {
    last_val_loss: float(run.summary['val/loss'] ?? valLoss.at(-1) ?? Number.NaN),
    model_scale: float(Number.isNaN(scale) ? numberIn(config.model_scale) : scale),
    depth: numberCell(setting('model.depth', 'depth')),
    width: numberCell(setting('model.width', 'width')),
    num_params: numberCell(parameters),
    num_non_embedding_params: numberCell(
      isOutside(run)
        ? numberIn(run.environment.num_non_embedding_params)
        : parameters - embeddingParameters(config, has, Number(run.environment.vocabulary ?? Number.NaN)),
    ),
    num_heads: numberCell(setting('model.heads', 'num_heads')),
    linear_value: isOutside(run)
      ? switchOf(config['model.linear_value'] ?? config.linear_value)
      : switchOf(has('model.linear_value') && config['model.linear_value'] === true),
    seed: numberCell(run.seed),
    run_num: numberCell(number),
    max_epochs: float(limit('stop.epochs', 'max_epochs', WIDE_NO_LIMIT.epochs)),
    max_steps: numberCell(limit('stop.steps', 'max_steps', WIDE_NO_LIMIT.steps)),
    max_tokens: numberCell(limit('stop.tokens', 'max_tokens', WIDE_NO_LIMIT.tokens)),
    max_time_seconds: numberCell(Math.ceil(limit('stop.seconds', 'max_time_seconds', WIDE_NO_LIMIT.seconds))),
    gpu_capacity_scalar: '1.0',
    train_loss: list(trainLoss, float),
    val_loss: list(valLoss, float),
    train_acc: list(curve('train_acc'), float),
    val_acc: list(curve('val_acc'), float),
    train_pplx: list(trainLoss.map(Math.exp), float),
    val_pplx: list(valLoss.map(Math.exp), float),
    grad_norm: list(curve('grad_norm'), float),
    cumulative_time: list(curve('cumulative_time'), float),
    tokens_seen: list(curve('tokens_seen'), numberCell),
    epoch: list(curve('epoch'), float),
    batch_size: list(moving('batch/sequences', setting('batch.sequences', 'batch_size')), numberCell),
    seq_length: list(moving('batch/length', setting('model.context', 'seq_length')), numberCell),
    learning_rate: list(curve('learning_rate'), float),
    weight_decay: list(moving('decay/matrix', setting('optimizer.weight_decay', 'weight_decay')), float),
  };
}

/** Anything else than a number, also nothing, is NaN: runs of other programs have settings of their own. */
const numberIn = (value: unknown): number => (typeof value === 'number' ? value : Number.NaN);

const switchOf = (value: unknown): string => (typeof value !== 'boolean' ? 'NaN' : value ? 'True' : 'False');

/** Tells which settings the model of a configuration reads. Of a plug-in's model nothing is known. */
function readsOf(config: Config): (name: string) => boolean {
  const model = modelFamily.kinds.find(({ name }) => name === config['model.kind']);
  const names = new Set(model === undefined ? [] : settingNames(model));
  return (name) => names.has(name);
}

/** Parameters of the embedding, of an untied output and of learned positions. `has` tells what the model reads. */
function embeddingParameters(config: Config, has: (name: string) => boolean, vocabulary: number): number {
  const width = config['model.width'] as number;
  const matrices = config['model.tied'] === true ? 1 : 2;
  const multiple = has('model.vocabulary_multiple') ? (config['model.vocabulary_multiple'] as number) : 1;
  const learned = has('model.positions') && config['model.positions'] === 'learned';
  return (matrices * tableRows(vocabulary, multiple) + (learned ? (config['model.context'] as number) : 0)) * width;
}

/** The value of a metric at each of `steps`: the point of that very step, or the latest before it; NaN before the first. */
function valuesAt(read: Read, runId: string, metric: string, steps: Float64Array): number[] {
  const points = read(runId, metric);
  let at = 0;
  return Array.from(steps, (step) => {
    while (at < points.step.length && points.step[at] <= step) at++;
    return at === 0 ? Number.NaN : points.value[at - 1];
  });
}

/** With a decimal point, as Python writes floats: 1 → 1.0. */
function float(value: number): string {
  const text = numberCell(value);
  return /^-?\d+$/u.test(text) ? `${text}.0` : text;
}

const list = (values: readonly number[], cell: (value: number) => string): string => `[${values.map(cell).join(', ')}]`;

/** Reads a curve back. @throws SyntaxError for anything but a list of numbers */
export function parseCurve(text: string): number[] {
  const inner = /^\s*\[(.*)\]\s*$/su.exec(text)?.[1];
  if (inner === undefined) throw new SyntaxError(`not a list: ${text.slice(0, 40)}`);
  if (inner.trim() === '') return [];
  return inner.split(',').map((entry) => {
    const word = entry.trim();
    const value = Number(word);
    if (word === '' || (Number.isNaN(value) && word !== 'NaN')) throw new SyntaxError(`not a number: ${word}`);
    return value;
  });
}
