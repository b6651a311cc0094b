/**
 * Models against implementations of their own in PyTorch (float64), from which the files in fixtures/ come: per case the settings, and for
 * weights and tokens that both sides make by the same generator, the loss of every position, the last logits of the first row, and of each
 * parameter's gradient two projections and the norm. Each script writes the model from its description, with no look at this one:
 * tensors named as in checkpoints, `generator(fnv1a(name))` for weights (matrices 0.8·(u − ½), vectors 1 + ½(u − ½), slopes a hundredth of that), `tokens CASE` for
 * tokens and then targets (−1 among them), `fnv1a(name) + 1` and `+ 2` for the projections, and loss 0.37·Σ.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { builtInCatalog } from '../../../../main/engine/catalog.ts';
import { openCpuExecutor } from '../../../../main/engine/executors/cpu/index.ts';
import type { Executor, Session, TypedArray } from '../../../../main/engine/executors/executor.ts';
import { openTfjsExecutor } from '../../../../main/engine/executors/tfjs/index.ts';
import type { Program } from '../../../../main/engine/graph/program.ts';
import { sizeOf } from '../../../../main/engine/graph/value.ts';
import { buildTraining, gradientName } from '../../../../main/engine/nn/training.ts';
import type { TrainingPrograms } from '../../../../main/engine/nn/training.ts';
import type { Config } from '../../../../preload/contract/settings.ts';
import { evaluator } from '../../../oracles/reference.ts';
import { missingAddon } from '../../executors/cpu/harness.ts';
import { generator } from '../variants.ts';

export interface OracleCase {
  readonly name: string;
  readonly config: Config;
  readonly vocabulary: number;
  readonly rows: number;
  /** Where documents begin, for cases with a mask of documents. */
  readonly starts?: readonly number[];
  readonly loss: readonly number[];
  readonly logits: readonly number[];
  readonly parameters: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly gradient: readonly number[] }>
  >;
}

const LOSS_SCALE = 0.37;

export function oracleCases(model: string): [string, OracleCase][] {
  const file = new URL(`fixtures/${model}.json`, import.meta.url);
  const cases = JSON.parse(readFileSync(file, 'utf8')) as OracleCase[];
  return cases.map((each) => [each.name, each]);
}

export const modelConfig = (given: Config): Config =>
  builtInCatalog.withDefaults(given, (name) => name in given).config;

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

interface Prepared {
  readonly programs: TrainingPrograms;
  readonly weights: ReadonlyMap<string, Float64Array>;
  readonly inputs: Readonly<Record<string, Int32Array | Float32Array>>;
}

export function prepare(model: string, { name, config, vocabulary, rows, parameters, starts }: OracleCase): Prepared {
  const full = modelConfig({ 'model.kind': model, ...config });
  const programs = buildTraining({ config: full, vocabularySize: vocabulary, keyMasked: false });
  const shapes = Object.fromEntries(programs.parameters.map((each) => [each.name, [...each.shape]]));
  expect(shapes).toEqual(Object.fromEntries(Object.entries(parameters).map(([each, { shape }]) => [each, shape])));
  const weights = new Map(
    programs.parameters.map((each) => {
      const random = generator(fnv1a(each.name));
      const vector = () => (each.name.endsWith('slope') ? 0.01 : 1) * (1 + 0.5 * (random() - 0.5));
      const one = () => (each.shape.length === 1 ? vector() : 0.8 * (random() - 0.5));
      return [each.name, Float64Array.from({ length: sizeOf(each.shape) }, one)];
    }),
  );
  const random = generator(fnv1a(`tokens ${name}`));
  const length = rows * (full['model.context'] as number);
  const tokens = Int32Array.from({ length }, () => Math.floor(random() * vocabulary));
  const targets = Int32Array.from({ length }, () => Math.floor(random() * (vocabulary + 1)) - 1);
  const key = Int32Array.of(1, 2, 3, 4);
  const borders: Prepared['inputs'] = starts === undefined ? {} : { starts: Int32Array.from(starts) };
  const inputs = { tokens, targets, key, lossScale: Float32Array.of(LOSS_SCALE), ...borders };
  return { programs, weights, inputs };
}

/** Two projections and the norm of a gradient. */
function fingerprint(name: string, gradient: ArrayLike<number>): number[] {
  const values = Array.from(gradient);
  const projections = [1, 2].map((more) => {
    const random = generator(fnv1a(name) + more);
    return values.reduce((sum, value) => sum + value * (random() - 0.5), 0);
  });
  return [...projections, Math.hypot(...values)];
}

/** Largest difference as a share of the largest value that is wanted. */
function worst(got: ArrayLike<number>, wanted: readonly number[], scale = Math.max(...wanted.map(Math.abs))): number {
  expect(got.length).toBe(wanted.length);
  return Math.max(...wanted.map((value, i) => Math.abs(got[i]! - value) / (scale || 1)));
}

interface Outcome {
  readonly loss: ArrayLike<number>;
  readonly logits: ArrayLike<number>;
  gradient(name: string): ArrayLike<number>;
}

export function expectOutcome(wanted: OracleCase, got: Outcome, tolerance: number): void {
  expect(worst(got.loss, wanted.loss), 'loss').toBeLessThan(tolerance);
  expect(worst(got.logits, wanted.logits), 'logits').toBeLessThan(tolerance);
  const largest = Math.max(...Object.values(wanted.parameters).map(({ gradient }) => gradient[2]!));
  for (const [name, { gradient }] of Object.entries(wanted.parameters)) {
    // The norms say how large the numbers are that were summed; a small one is a difference of larger ones.
    const scale = Math.max(gradient[2]!, 0.02 * largest);
    const difference = worst(fingerprint(name, got.gradient(name)), gradient, scale);
    expect(difference, `gradient of ${name}`).toBeLessThan(tolerance);
  }
}

const LAST = (inputs: Prepared['inputs'], wanted: OracleCase) => {
  const context = wanted.config['model.context'] as number;
  return { tokens: inputs.tokens!.slice(0, context), position: Int32Array.of(context - 1) };
};

/** In float64 by the interpreter. */
export function interpreted(model: string, wanted: OracleCase): Outcome {
  const { programs, weights, inputs } = prepare(model, wanted);
  const feeds = { ...Object.fromEntries(weights), ...inputs, lossScale: Float64Array.of(LOSS_SCALE) };
  const backward = programs.accumulate(wanted.rows, true);
  const gradients = evaluator(backward.updates.map(({ value }) => value))(feeds);
  const output = (p: Program, name: string, more = {}) => evaluator([p.outputs.get(name)!])({ ...feeds, ...more })[0]!;
  return {
    loss: output(programs.evaluate(wanted.rows), 'loss'),
    logits: output(programs.generate(), 'logits', LAST(inputs, wanted)),
    gradient: (name) => gradients[backward.updates.findIndex(({ state }) => state === gradientName(name))]!,
  };
}

export const EXECUTORS: readonly [string, () => Promise<Executor> | Executor][] = [
  ['tfjs-cpu', () => openTfjsExecutor('tfjs-cpu')],
  ['tfjs-wasm', () => openTfjsExecutor('tfjs-wasm')],
  ...(missingAddon === undefined ? [['cpu', () => openCpuExecutor()] as [string, () => Executor]] : []),
];

/** By an executor, in fp32. */
export async function executed(model: string, wanted: OracleCase, executor: Executor): Promise<Outcome> {
  const { programs, weights, inputs } = prepare(model, wanted);
  const session = executor.open(programs.states);
  try {
    for (const [name, values] of weights) session.write(name, Float32Array.from(values));
    const run = async (p: Program, more: Readonly<Record<string, TypedArray>> = {}) => {
      const given: Readonly<Record<string, TypedArray>> = { ...inputs, ...more };
      const needed = Object.fromEntries([...p.inputs.keys()].map((name) => [name, given[name]!]));
      return session.run(session.load(p), needed);
    };
    const { loss } = await run(programs.evaluate(wanted.rows));
    const { logits } = await run(programs.generate(), LAST(inputs, wanted));
    await run(programs.accumulate(wanted.rows, true));
    const gradients = await readGradients(session, programs);
    return { loss: loss!, logits: logits!, gradient: (name) => gradients.get(name)! };
  } finally {
    session.dispose();
  }
}

async function readGradients(session: Session, programs: TrainingPrograms): Promise<Map<string, TypedArray>> {
  const read = new Map<string, TypedArray>();
  for (const { name } of programs.parameters) read.set(name, await session.read(gradientName(name)));
  return read;
}
