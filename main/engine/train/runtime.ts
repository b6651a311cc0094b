/** The model on a device: its state, its compiled programs, and one optimizer step. */
import type { Executor, LoadedProgram, Session } from '../executors/executor.ts';
import type { Program, StateSpec } from '../graph/program.ts';
import { aligned } from '../compile/plan.ts';
import { bytesOf, sizeOf } from '../graph/value.ts';
import type { Batch } from '../data/index.ts';
import type { TrainingPrograms } from '../nn/training.ts';
import { seedKey } from '../random/philox.ts';
import type { MemoryInfo } from '../../../preload/contract/engine.ts';
import type { Hyper } from '../optim/hyper.ts';
import { inputsOf } from './evaluate.ts';
import { initialValues } from './initialize.ts';
import { PIECE, pieces } from './safetensors.ts';
import type { SafetensorsFile, TensorSource } from './safetensors.ts';

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
}

/** Dynamic loss scaling (Micikevicius et al. 2018): the factor and how many updates in a row it has held. */
export interface LossScale {
  readonly scale: number;
  readonly held: number;
}

const FIRST_SCALE = 2 ** 16;
const LARGEST_SCALE = 2 ** 24;
/** The update program changes nothing at or above this norm, half of the largest f32: it counts as infinite. */
const LARGEST_NORM = 1.7e38;
/** Updates without overflow after which the factor doubles. */
const GROWTH_INTERVAL = 2000;

export class Runtime {
  readonly programs: TrainingPrograms;
  readonly session: Session;
  /** Tokens per row. */
  readonly context: number;
  readonly #loaded = new Map<string, LoadedProgram>();
  lossScale: LossScale;

  /** Allocates the state. Throws OutOfMemoryError where it does not fit. */
  constructor(executor: Executor, programs: TrainingPrograms, context: number) {
    this.programs = programs;
    this.context = context;
    this.session = executor.open(programs.states);
    this.lossScale = { scale: programs.policy.scaledLoss ? FIRST_SCALE : 1, held: 0 };
  }

  accumulate(rows: number, first: boolean): LoadedProgram {
    return this.#load(`accumulate ${rows}${first ? ' first' : ''}`, () => this.programs.accumulate(rows, first));
  }
  update(): LoadedProgram {
    return this.#load('update', () => this.programs.update());
  }
  evaluate(rows: number): LoadedProgram {
    return this.#load(`evaluate ${rows}`, () => this.programs.evaluate(rows));
  }
  generate(): LoadedProgram {
    return this.#load('generate', () => this.programs.generate());
  }

  #load(key: string, build: () => Program): LoadedProgram {
    let loaded = this.#loaded.get(key);
    if (loaded === undefined) {
      loaded = this.session.load(build());
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
   * norm that is not finite is returned as it is; the state is then that before the step.
   */
  async step(step: number, seed: number, micros: readonly Batch[], hyper: Hyper): Promise<StepResult> {
    const scored = micros.reduce((total, batch) => total + batch.scored, 0);
    if (scored === 0) throw new Error(`the batch of step ${step + 1} has no target`);
    for (;;) {
      const { scale } = this.lossScale;
      const { nats, correct } = await this.#accumulateAll(step, seed, micros, scale / scored);
      const loss = nats / scored;
      const result = { loss, accuracy: correct / scored, scored };
      if (!Number.isFinite(loss)) return { ...result, gradNorm: NaN };
      const out = await this.session.run(this.update(), { ...hyper.inputs, gradientScale: Float32Array.of(1 / scale) });
      const norm = out.gradNorm![0]!;
      const gradNorm = norm < LARGEST_NORM ? norm : norm * Infinity;
      if (Number.isFinite(gradNorm)) {
        this.#held();
        return { ...result, gradNorm };
      }
      if (scale <= 1) return { ...result, gradNorm };
      this.lossScale = { scale: scale / 2, held: 0 };
    }
  }

  async #accumulateAll(step: number, seed: number, micros: readonly Batch[], lossScale: number) {
    const { seedLo, seedHi } = seedKey(seed);
    let nats = 0;
    let correct = 0;
    for (const [micro, batch] of micros.entries()) {
      const rows = batch.inputs.length / this.context;
      const out = await this.session.run(this.accumulate(rows, micro === 0), {
        ...inputsOf(batch),
        key: Int32Array.of(seedLo, seedHi, step, micro),
        lossScale: Float32Array.of(lossScale),
      });
      nats += out.lossSum![0]!;
      correct += out.correct![0]!;
    }
    return { nats, correct };
  }

  #held(): void {
    if (!this.programs.policy.scaledLoss) return;
    const held = this.lossScale.held + 1;
    const { scale } = this.lossScale;
    this.lossScale = held >= GROWTH_INTERVAL ? { scale: Math.min(LARGEST_SCALE, scale * 2), held: 0 } : { scale, held };
  }

  /** Parameters to save. Reading one throws {@link DivergedError} when it holds NaN or an infinity. */
  weights(): TensorSource[] {
    return this.#tensors('parameters');
  }

  /** Moments to save. */
  moments(): TensorSource[] {
    return this.#tensors('optimizer state');
  }

  #statesOf(category: StateSpec['category']): readonly StateSpec[] {
    return this.programs.states.filter((state) => state.category === category);
  }

  #tensors(category: 'parameters' | 'optimizer state'): TensorSource[] {
    return this.#statesOf(category).map(({ name, shape }) => ({
      name,
      shape,
      read: async (from: number, into: Float32Array) => {
        await this.session.read(name, from, into);
        if (category === 'parameters' && !into.every(Number.isFinite)) throw new DivergedError(`${name} is not finite`);
      },
    }));
  }

  async restoreWeights(file: SafetensorsFile): Promise<void> {
    await this.#restore(file, 'parameters', (name, part, from) => this.#writeParameter(name, part, from));
  }

  async restoreMoments(file: SafetensorsFile): Promise<void> {
    await this.#restore(file, 'optimizer state', (name, part, from) => this.session.write(name, part, from));
  }

  async #restore(
    file: SafetensorsFile,
    category: StateSpec['category'],
    write: (name: string, part: Float32Array, from: number) => void,
  ): Promise<void> {
    const buffer = this.#buffer();
    for (const { name, shape } of this.#statesOf(category)) {
      for (const { from, part } of pieces(sizeOf(shape), buffer))
        write(name, await file.read(name, shape, from, part), from);
    }
  }

  /** Bytes by the plans of the programs loaded so far, each state rounded up as executors place it. */
  memory(): MemoryInfo {
    const byCategory: Record<string, number> = {};
    let persistentBytes = 0;
    for (const state of this.programs.states) {
      const bytes = aligned(bytesOf(state));
      byCategory[state.category] = (byCategory[state.category] ?? 0) + bytes;
      persistentBytes += bytes;
    }
    let arenaBytes = 0;
    let arenaProgram = '';
    for (const [name, { plan }] of this.#loaded) {
      if (plan.arenaBytes <= arenaBytes) continue;
      arenaBytes = plan.arenaBytes;
      arenaProgram = name;
    }
    return { persistentBytes, byCategory, arenaBytes, arenaProgram };
  }

  dispose(): void {
    this.session.dispose();
  }
}
