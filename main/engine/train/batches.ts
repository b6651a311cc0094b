/** The batches of a run's steps: which rows each takes, and what a run has to remember to go on with the next. */
import type { BatchPlan, BatchShape } from '../batch/plan.ts';
import type { Position } from '../batch/milestones.ts';
import type { Batch } from '../data/index.ts';
import type { PreparedData } from './data.ts';
import type { PlannedSteps } from './stopRules.ts';
import type { TrainingPrograms } from '../nn/training.ts';

/** Where the next step begins in the data. */
export interface Place {
  /** Tokens of the rows that were taken last. */
  readonly length: number;
  /** Rows of that length taken so far: the same share of an epoch as all rows taken, of whatever length. */
  readonly row: number;
}

/** What a step is computed from. */
export interface StepBatch {
  readonly length: number;
  /** Of all its micro-batches. */
  readonly sequences: number;
  readonly micros: readonly Batch[];
  /** Scored tokens. */
  readonly tokens: number;
  readonly flops: number;
  /** Where the step after it begins. */
  readonly after: Place;
  /** Passes over the training data, with it. */
  readonly epochs: number;
}

export class StepBatches {
  readonly plan: BatchPlan;
  readonly #data: PreparedData;
  readonly #programs: TrainingPrograms;
  readonly #seed: number;
  readonly #flops = new Map<number, number>();

  constructor(plan: BatchPlan, data: PreparedData, programs: TrainingPrograms, seed: number) {
    this.plan = plan;
    this.#data = data;
    this.#programs = programs;
    this.#seed = seed;
  }

  /** Padding is computed like everything else. */
  #flopsOf({ length, sequences }: BatchShape): number {
    let perToken = this.#flops.get(length);
    if (perToken === undefined) this.#flops.set(length, (perToken = this.#programs.flopsPerTokenAt(length)));
    return perToken * sequences * length;
  }

  /** What steps of one batch amount to over the run, as planned. */
  planned(): PlannedSteps[] {
    const tokensOf = ({ length, sequences }: BatchShape) => sequences * this.#data.atLength(length).tokensPerRow;
    return this.plan.stages(tokensOf).map((stage) => ({
      steps: stage.steps,
      tokens: tokensOf(stage),
      epochs: stage.sequences / this.#data.atLength(stage.length).rowsPerEpoch,
      flops: this.#flopsOf(stage),
    }));
  }

  get first(): Place {
    return { length: this.plan.at({ step: 0, tokens: 0 }).length, row: 0 };
  }

  /** Passes over the training data when the rows before `place` have been taken. */
  epochsAt({ length, row }: Place): number {
    return row / this.#data.atLength(length).rowsPerEpoch;
  }

  /** The row of the whole context that is as far in the data. */
  rowOfContext(place: Place): number {
    const { context } = this.plan;
    return place.length === context ? place.row : Math.floor(this.epochsAt(place) * this.#data.rowsPerEpoch);
  }

  /** The batch of the step at `position`, from `place` on. @param carried by the accumulation */
  take(position: Position, place: Place, carried: number): StepBatch {
    const { accumulation, accumulationSettings } = this.plan;
    const shape = this.plan.at(position);
    const { length } = shape;
    const rows = this.#data.atLength(length);
    const at = { step: position.step, seed: this.#seed };
    const batches = accumulation.batches?.(accumulationSettings, carried, at) ?? 1;
    let next = length === place.length ? place.row : Math.ceil(this.epochsAt(place) * rows.rowsPerEpoch);
    const micros: Batch[] = [];
    for (let batch = 0; batch < batches; batch++) {
      for (const count of this.plan.micros(shape)) {
        micros.push(rows.rows(next, count));
        next += count;
      }
    }
    const after = { length, row: next };
    return {
      length,
      sequences: batches * shape.sequences,
      micros,
      tokens: micros.reduce((total, { scored }) => total + scored, 0),
      flops: batches * this.#flopsOf(shape),
      after,
      epochs: this.epochsAt(after),
    };
  }

  /** Whether the number of batches in later steps depends on the gradient of the step that `step` updates come before. */
  looksAt(step: number): boolean {
    const { accumulation, accumulationSettings } = this.plan;
    if (accumulation.after === undefined) return false;
    return accumulation.looksAt?.(accumulationSettings, step) ?? true;
  }

  /** What the accumulation carries on from a step. */
  carry(carried: number, step: number, gradNorm: number): number {
    if (!this.looksAt(step)) return carried;
    const { accumulation, accumulationSettings } = this.plan;
    const parameters = this.#programs.parameterCount;
    return accumulation.after!(accumulationSettings, carried, { step, gradNorm, parameters });
  }
}
