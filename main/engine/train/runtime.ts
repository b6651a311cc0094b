/** The model on a device: its state, its compiled programs, and one optimizer step. */
import type { Executor, LoadedProgram, Session, TypedArray } from '../executors/executor.ts';
import type { ExecutorKind } from '../executors/executorKind.ts';
import { executorKind } from '../executors/index.ts';
import type { StateSpec } from '../graph/program.ts';
import { persistentBytes } from '../compile/plan.ts';
import { sizeOf } from '../graph/value.ts';
import type { Batch } from '../data/index.ts';
import { DIAGNOSE_GRADIENT, DIAGNOSE_UPDATE, programKey, UPDATE } from '../nn/programs.ts';
import type { ProgramCall, ProgramShape } from '../nn/programs.ts';
import { LARGEST_NORM, measureName } from '../nn/training.ts';
import type { TrainingPrograms } from '../nn/training.ts';
import { LARGEST_LOSS_SCALE } from '../settings/precision.ts';
import { seedKey } from '../random/philox.ts';
import type { MemoryInfo } from '../../../preload/contract/engine.ts';
import type { Hyper } from '../optim/hyper.ts';
import { inputsOf } from './evaluate.ts';
import { initialValues } from './initialize.ts';
import type { BatchGradient } from './noise.ts';
import { PIECE, pieces } from './safetensors.ts';
import type { SafetensorsFile, TensorSource } from './safetensors.ts';

/** No micro-batch has this number: what is rounded by chance draws other numbers than dropout. */
const ROUNDING = 0x7fff_ffff;

function roundingKey(seed: number, step: number): Int32Array {
  const { seedLo, seedHi } = seedKey(seed);
  return Int32Array.of(seedLo, seedHi, step, ROUNDING);
}

/** The run's numbers stopped being numbers. */
export class DivergedError extends Error {
  override readonly name = 'DivergedError';
}

export interface StepResult {
  /** Mean nats per scored token over the whole step. */
  readonly loss: number;
  readonly accuracy: number;
  /** Euclidean norm of the gradient before clipping. */
  readonly gradNorm: number;
  readonly scored: number;
  /** Numbers of the model's own, as means over its micro-batches. */
  readonly measures: Readonly<Record<string, number>>;
  /** Factor on the loss; 1 unless the precision scales it. */
  readonly lossScale: number;
  /** Of a step that was watched and could be used. */
  readonly watched?: WatchedStep;
}

/** What diagnostics see of a step. */
export interface WatchedStep {
  /** Of the update, by the address of the metric. */
  readonly weights: Readonly<Record<string, number>>;
  /** The gradients of the first micro-batch (where it was looked at) and of all. */
  readonly first: BatchGradient | undefined;
  readonly all: BatchGradient;
}

/** Dynamic loss scaling (Micikevicius et al. 2018): the factor and how many updates in a row it has held. */
export interface LossScale {
  readonly scale: number;
  readonly held: number;
  /** How often gradients overflowed: the update was then computed again with half the factor. Not counted by earlier versions. */
  readonly overflows?: number;
}

const MEASURE = measureName('');
/** Where a parameter lies in a checkpoint whose weights are others. */
const trainedName = (parameter: string): string => `${parameter}:trained`;
/** Updates without overflow after which the factor doubles. */
const GROWTH_INTERVAL = 2000;

export class Runtime {
  readonly programs: TrainingPrograms;
  readonly session: Session;
  /** Steps that may be given while one is still computed. Under a scaled loss a step may have to be repeated: then none. */
  readonly stepsAhead: number;
  readonly #kind: ExecutorKind;
  readonly #decided: unknown;
  readonly #calls: ReadonlyMap<string, ProgramCall>;
  readonly #loaded = new Map<string, LoadedProgram>();
  lossScale: LossScale;

  /**
   * Allocates the state. @param calls the programs of this run: no other can be run @param decided {@link decisions} of the checkpoint that it goes
   * on from @throws OutOfMemoryError where it does not fit
   */
  constructor(executor: Executor, programs: TrainingPrograms, calls: readonly ProgramCall[], decided?: unknown) {
    this.programs = programs;
    this.#calls = new Map(calls.map((call) => [programKey(call), call]));
    this.#kind = executorKind(executor.device.executor);
    this.#decided = decided;
    this.session = executor.open(programs.states, decided);
    this.stepsAhead = programs.policy.scaledLoss ? 0 : (executor.stepsAhead ?? 0);
    this.lossScale = { scale: programs.policy.firstScale, held: 0 };
  }

  /** Updates that were computed again, because their gradients overflowed under the scaled loss. */
  get overflows(): number {
    return this.lossScale.overflows ?? 0;
  }

  /** Compiles everything that the run will need, so that memory runs out now or never. */
  loadAll(): void {
    for (const call of this.#calls.values()) this.program(call);
  }

  /** Name of what trains. */
  get executor(): string {
    return this.#kind.name;
  }

  /** What its executor has decided and must decide again where the run goes on; kept while another one trains it. */
  decisions(): unknown {
    return this.session.decisions?.() ?? this.#decided;
  }

  /** A program of the run's list. @throws Error for any other: nobody has planned its memory */
  program(shape: ProgramShape): LoadedProgram {
    const key = programKey(shape);
    let loaded = this.#loaded.get(key);
    if (loaded === undefined) {
      const call = this.#calls.get(key);
      if (call === undefined)
        throw new Error(`program ${key} is not among those of this run: ${[...this.#calls.keys()].join(', ')}`);
      loaded = this.session.load(call.build(this.programs));
      this.#loaded.set(key, loaded);
    }
    return loaded;
  }

  /** Writes the first values of all parameters. */
  initialize(seed: number): void {
    const buffer = this.#buffer();
    for (const spec of this.programs.parameters) {
      for (const { from, part } of pieces(sizeOf(spec.shape), buffer))
        this.#writeParameter(spec.name, initialValues(spec, seed, from, part), from);
    }
  }

  /** Values move between the state and the outside in pieces of this size, so that a large embedding needs no copy of its own. */
  #buffer(): Float32Array {
    return new Float32Array(
      this.programs.states.reduce((most, { shape }) => Math.min(PIECE, Math.max(most, sizeOf(shape))), 4),
    );
  }

  /** Part of a parameter and of its 16-bit working copy, which is always its rounding. */
  #writeParameter(name: string, values: Float32Array, from: number): void {
    this.session.write(name, values, from);
    for (const state of this.programs.states) {
      if (state.category === 'working copies' && state.name.slice(0, state.name.lastIndexOf(':')) === name)
        this.session.write(state.name, values, from);
    }
  }

  /**
   * One update from the given micro-batches. `step` counts updates made before. The gradient is that of the mean loss over all
   * scored tokens of the step, however they are spread over micro-batches.
   *
   * Under a scaled loss an overflow halves the factor and computes the same step again, so that every step is one update. A loss or
   * norm that is not finite is returned as it is; the state is then that before the step, and steps that were given meanwhile leave it so.
   *
   * All runs of the step are given before the first is awaited: the device goes from one to the next by itself.
   */
  async step(step: number, seed: number, micros: readonly Batch[], hyper: Hyper, watch = false): Promise<StepResult> {
    const scored = micros.reduce((total, batch) => total + batch.scored, 0);
    if (scored === 0) throw new Error(`the batch of step ${step + 1} has no target`);
    for (;;) {
      const { scale } = this.lossScale;
      const update = this.program(UPDATE);
      const looks = watch ? this.#optional(DIAGNOSE_UPDATE) : undefined;
      const inputs: Record<string, TypedArray> = { ...hyper.inputs, gradientScale: Float32Array.of(1 / scale) };
      if (this.programs.policy.stochastic) inputs.key = roundingKey(seed, step);
      const [{ nats, correct, measures, firstNorm }, seen, out] = await Promise.all([
        this.#accumulateAll(step, seed, micros, scale / scored, watch),
        looks && this.session.run(looks, inputs),
        this.session.run(update, inputs),
      ]);
      const loss = nats / scored;
      const result = { loss, accuracy: correct / scored, scored, measures, lossScale: scale };
      if (!Number.isFinite(loss)) return { ...result, gradNorm: NaN };
      const norm = out.gradNorm![0]!;
      const gradNorm = norm < LARGEST_NORM ? norm : norm * Infinity;
      if (Number.isFinite(gradNorm)) {
        this.#held();
        if (!watch) return { ...result, gradNorm };
        const weights = Object.fromEntries(Object.entries(seen ?? {}).map(([name, [value]]) => [name, value!]));
        // The state holds what the first micro-batch gives to the mean over all.
        const tokens = micros[0]!.scored;
        const first =
          firstNorm === undefined || tokens === 0
            ? undefined
            : { tokens, squared: ((firstNorm / scale) * (scored / tokens)) ** 2 };
        return { ...result, gradNorm, watched: { weights, first, all: { tokens: scored, squared: gradNorm ** 2 } } };
      }
      if (scale <= 1) return { ...result, gradNorm };
      this.lossScale = { scale: scale / 2, held: 0, overflows: this.overflows + 1 };
    }
  }

  /** A program that the run may have or not. */
  #optional(shape: ProgramShape): LoadedProgram | undefined {
    return this.#calls.has(programKey(shape)) ? this.program(shape) : undefined;
  }

  async #accumulateAll(step: number, seed: number, micros: readonly Batch[], lossScale: number, watch: boolean) {
    const { seedLo, seedHi } = seedKey(seed);
    // Nothing is loaded once the first run is pending.
    const loaded = micros.map(({ rows, length }, micro) =>
      this.program({ name: micro === 0 ? 'accumulate-first' : 'accumulate', rows, length }),
    );
    const length = watch ? this.#optional(DIAGNOSE_GRADIENT) : undefined;
    let first: Promise<Record<string, TypedArray>> | undefined;
    const runs = micros.map((batch, micro) => {
      const run = this.session.run(loaded[micro]!, {
        ...inputsOf(batch),
        key: Int32Array.of(seedLo, seedHi, step, micro),
        lossScale: Float32Array.of(lossScale),
      });
      if (micro === 0 && length !== undefined) first = this.session.run(length, {});
      return run;
    });
    let nats = 0;
    let correct = 0;
    const measures: Record<string, number> = {};
    for (const out of await Promise.all(runs)) {
      nats += out.lossSum![0]!;
      correct += out.correct![0]!;
      for (const [name, [value]] of Object.entries(out))
        if (name.startsWith(MEASURE)) {
          const own = name.slice(MEASURE.length);
          measures[own] = (measures[own] ?? 0) + value! / micros.length;
        }
    }
    return { nats, correct, measures, firstNorm: (await first)?.gradNorm![0] };
  }

  #held(): void {
    if (!this.programs.policy.scaledLoss) return;
    const held = this.lossScale.held + 1;
    const { scale } = this.lossScale;
    const { overflows } = this;
    this.lossScale =
      held >= GROWTH_INTERVAL
        ? { scale: Math.min(LARGEST_LOSS_SCALE, scale * 2), held: 0, overflows }
        : { scale, held, overflows };
  }

  /**
   * Weights to save: parameters, or where an optimizer evaluates others, those. Reading one throws {@link DivergedError} when it holds NaN or
   * an infinity.
   */
  weights(): TensorSource[] {
    return this.#statesOf('parameters').map(({ name, shape }) => ({
      name,
      shape,
      read: async (from: number, into: Float32Array) => {
        await this.#readEvaluated(name, from, into);
        if (!into.every(Number.isFinite)) throw new DivergedError(`${name} is not finite`);
      },
    }));
  }

  async #readEvaluated(name: string, from: number, into: Float32Array): Promise<void> {
    const factors = this.programs.evaluated.get(name);
    if (factors === undefined) return void (await this.session.read(name, from, into));
    const [sum, part] = [new Float64Array(into.length), new Float32Array(into.length)];
    for (const [state, factor] of factors) {
      await this.session.read(state, from, part);
      part.forEach((value, i) => (sum[i]! += factor * value));
    }
    into.set(sum);
  }

  /** What the optimizer keeps, to save; and the parameters that are not the weights that are saved. */
  moments(): TensorSource[] {
    const read = (state: string) => async (from: number, into: Float32Array) => {
      await this.session.read(state, from, into);
    };
    return [
      ...this.#statesOf('optimizer state').map(({ name, shape }) => ({ name, shape, read: read(name) })),
      ...this.#trainedApart().map(({ name, shape }) => ({ name: trainedName(name), shape, read: read(name) })),
    ];
  }

  #statesOf(category: StateSpec['category']): readonly StateSpec[] {
    return this.programs.states.filter((state) => state.category === category);
  }

  #trainedApart(): readonly StateSpec[] {
    return this.#statesOf('parameters').filter(({ name }) => this.programs.evaluated.has(name));
  }

  async restoreWeights(file: SafetensorsFile): Promise<void> {
    await this.#restore(file, this.#statesOf('parameters'), (name, part, from) =>
      this.#writeParameter(name, part, from),
    );
  }

  /** To be called after {@link restoreWeights}: parameters that are trained apart from the weights that are used lie here. */
  async restoreMoments(file: SafetensorsFile): Promise<void> {
    await this.#restore(file, this.#statesOf('optimizer state'), (name, part, from) =>
      this.session.write(name, part, from),
    );
    const write = (name: string, part: Float32Array, from: number) => this.#writeParameter(name, part, from);
    await this.#restore(file, this.#trainedApart(), write, trainedName);
  }

  async #restore(
    file: SafetensorsFile,
    states: readonly StateSpec[],
    write: (name: string, part: Float32Array, from: number) => void,
    named = (name: string): string => name,
  ): Promise<void> {
    const buffer = this.#buffer();
    for (const { name, shape } of states) {
      for (const { from, part } of pieces(sizeOf(shape), buffer))
        write(name, await file.read(named(name), shape, from, part), from);
    }
  }

  /** Bytes by the plans of the programs loaded so far, each state rounded up as executors place it. */
  memory(): MemoryInfo {
    const { total, byCategory } = persistentBytes(this.programs.states, this.#kind.stateBytes);
    let arenaBytes = 0;
    let arenaProgram = '';
    for (const [name, { plan }] of this.#loaded) {
      if (plan.arenaBytes <= arenaBytes) continue;
      arenaBytes = plan.arenaBytes;
      arenaProgram = name;
    }
    return { persistentBytes: total, byCategory, arenaBytes, arenaProgram };
  }

  dispose(): void {
    this.session.dispose();
  }
}
