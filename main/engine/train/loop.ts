/**
 * The training loop: steps, evaluations, checkpoints and the end of a run.
 *
 * Nothing that is only looked at changes training: evaluation and sampling draw no number of the training streams, and every random
 * number depends on (seed, stream, step, position) alone. That is why a run that is interrupted anywhere continues bit for bit.
 *
 * Order within step S: update · points of S · evaluation when due · best checkpoint · last checkpoint. A stop between two
 * regular evaluations saves first and evaluates then, and the checkpoint carries the points of its own step only up to
 * there, so that the extra evaluation disappears when the run continues.
 *
 * A device may be given the next step while it computes one (stepsAhead). Before anything looks at the state, and before the run may end, the
 * loop waits for all of them, so that what happens in which order does not depend on it.
 */
import { setImmediate } from 'node:timers/promises';
import type { EngineEnd, EngineMessage } from '../../../preload/contract/engine.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import type { Kinds } from '../kind.ts';
import { evaluationBatchOf } from '../nn/programs.ts';
import { hyperParameters } from '../optim/hyper.ts';
import { isDiagnosed } from '../settings/diagnostics.ts';
import type { Hyper } from '../optim/hyper.ts';
import type { Schedules } from '../optim/schedule.ts';
import type { Checkpoint, CheckpointStore } from './checkpoint.ts';
import { OPTIMIZER, WEIGHTS } from './checkpoint.ts';
import type { TrainingControl } from './control.ts';
import type { PreparedData } from './data.ts';
import { Diagnosis } from './diagnostics.ts';
import { evaluate } from './evaluate.ts';
import { measureAll } from './measures/index.ts';
import type { Metric, StepMoment } from './measures/index.ts';
import type { EvaluationResult } from './evaluate.ts';
import type { MetricRecorder } from './recorder.ts';
import { DivergedError } from './runtime.ts';
import type { Runtime, StepResult } from './runtime.ts';
import { SafetensorsFile } from './safetensors.ts';
import type { BestLoss, RunState } from './state.ts';
import type { Place, StepBatch, StepBatches } from './batches.ts';
import type { Counters, StopRules } from './stopRules.ts';
import { measuresUpdate, UpdateRatios } from './updates.ts';
import { join } from 'node:path';
import { Unsaved } from './unsaved.ts';

export interface LoopParts {
  readonly config: Config;
  /** What is measured and logged. */
  readonly metrics: readonly Metric[];
  readonly kinds: Kinds;
  readonly runtime: Runtime;
  readonly data: PreparedData;
  readonly schedules: Schedules;
  readonly rules: StopRules;
  readonly batches: StepBatches;
  readonly checkpoints: CheckpointStore<RunState>;
  readonly recorder: MetricRecorder;
  readonly control: TrainingControl;
  readonly emit: (message: EngineMessage) => void;
  /** Text written by the model, for `log.sample_tokens`. */
  readonly sample: (tokens: number, step: number) => Promise<string>;
}

export type Ending = Pick<EngineEnd, 'state' | 'reason'>;

/** A checkpoint is saved at the latest after so many milliseconds. */
const CHECKPOINT_INTERVAL = 600_000;
const PROGRESS_INTERVAL = 100;

/** A step that the device has been given and that is not counted yet. */
interface GivenStep {
  readonly result: Promise<StepResult>;
  readonly hyper: Hyper;
  readonly batch: StepBatch;
  readonly begin: number;
  /** Whether it is measured how far it moves the weights. */
  readonly measured: boolean;
  /** What diagnostics found before it; undefined where they did not look. */
  readonly seen: Readonly<Record<string, number>> | undefined;
}

export class TrainingLoop {
  readonly #parts: LoopParts;
  #counters: Counters = { steps: 0, tokens: 0, sequences: 0, epochs: 0, seconds: 0, flops: 0 };
  /** Where the step after those that are counted begins in the data, and what its number of batches depends on. */
  #place: Place;
  #carried = 0;
  /** Loss of the latest step. */
  #loss: number | undefined;
  /** Counters when this process began, for the time left. */
  #since: Counters = this.#counters;
  #begun = performance.now();
  #evaluatedStep = -1;
  #validationLoss: number | null = null;
  #best: BestLoss | null = null;
  #savedStep = -1;
  readonly #unsaved = new Unsaved();
  #savedAt = performance.now();
  #lastCheckpoint: Checkpoint<RunState> | undefined;
  #bestCheckpoint: Checkpoint<RunState> | undefined;
  #progressAt = -Infinity;
  /** Counters at the latest training point, for the speed. */
  #logged: Counters = this.#counters;
  readonly #updates: UpdateRatios;
  readonly #diagnosis: Diagnosis;
  /** In their order. */
  readonly #given: GivenStep[] = [];
  /** When the latest step was counted. */
  #countedAt = -Infinity;

  constructor(parts: LoopParts) {
    this.#parts = parts;
    this.#place = parts.batches.first;
    const { session, programs } = parts.runtime;
    this.#updates = new UpdateRatios(session, programs.parameters);
    this.#diagnosis = new Diagnosis(parts.config, parts.kinds, parts.runtime, parts.data);
  }

  get counters(): Counters {
    return this.#counters;
  }

  /** Latest metrics and the best validation loss, as the run's summary shows them. */
  get summary(): Record<string, number | null> {
    const summary = finiteOrNull(this.#parts.recorder.latest);
    if (this.#best !== null) {
      summary['val/best_loss'] = this.#best.loss;
      summary['val/best_step'] = this.#best.step;
    }
    return summary;
  }

  /** Puts everything where the checkpoint left it. The recorder then holds the points that it carried. */
  async restore(checkpoint: Checkpoint<RunState>): Promise<void> {
    const { runtime, recorder, batches } = this.#parts;
    const { state, path } = checkpoint;
    for (const [name, restore] of [
      [WEIGHTS, (file: SafetensorsFile) => runtime.restoreWeights(file)],
      [OPTIMIZER, (file: SafetensorsFile) => runtime.restoreMoments(file)],
    ] as const) {
      const file = await SafetensorsFile.open(join(path, name));
      try {
        await restore(file);
      } finally {
        await file.close();
      }
    }
    recorder.restore(state.points);
    for (const [metric, value] of Object.entries(state.latest)) recorder.latest.set(metric, value ?? NaN);
    runtime.lossScale = state.lossScale;
    this.#diagnosis.noise = state.noise ?? this.#diagnosis.noise;
    this.#loss = state.loss ?? undefined;
    // Runs of earlier versions had one length.
    this.#place = state.place ?? { length: batches.plan.context, row: state.counters.sequences };
    this.#carried = state.carried ?? 0;
    this.#counters = { ...state.counters, epochs: batches.epochsAt(this.#place) };
    this.#since = this.#counters;
    this.#logged = this.#counters;
    this.#evaluatedStep = state.evaluatedStep;
    this.#validationLoss = state.validationLoss;
    this.#best = state.best;
    this.#savedStep = checkpoint.step;
    this.#lastCheckpoint = checkpoint;
  }

  /** Trains until a rule, a stop or a divergence ends the run. */
  async run(): Promise<Ending> {
    this.#begun = performance.now();
    try {
      return await this.#run();
    } catch (error) {
      if (!(error instanceof DivergedError)) throw error;
      return { state: 'failed', reason: `diverged: ${error.message} at step ${this.#counters.steps}` };
    } finally {
      // Whatever ended the run: nobody frees the device's memory while it still computes.
      await Promise.allSettled(this.#given.map(({ result }) => result));
      this.#parts.recorder.flush();
      this.#progress(true);
    }
  }

  async #run(): Promise<Ending> {
    const { control, rules, recorder, runtime } = this.#parts;
    const failed = (reason: string): Ending => ({ state: 'failed', reason });
    for (;;) {
      if (this.#mustCatchUp()) {
        const diverged = await this.#catchUp(0);
        if (diverged !== undefined) return failed(diverged);
        await this.#evaluateIfDue();
        const { steps } = this.#counters;
        const current = this.#evaluatedStep === steps && this.#validationLoss !== null;
        const reason =
          rules.reached(this.#counters) ?? (current ? rules.reachedLoss(this.#validationLoss!, steps) : undefined);
        if (reason !== undefined) return await this.#finish(reason);
        if (control.stopping) return await this.#stop();
        await this.#saveIfDue();
      }
      const { measured, seen } = await this.#give();
      const diverged = await this.#catchUp(measured || seen !== undefined ? 0 : runtime.stepsAhead);
      if (diverged !== undefined) return failed(diverged);
      await recorder.room();
      await this.#breathe();
    }
  }

  /** Counters when all steps that were given are done; their seconds are not known yet. */
  #reachedByGiven(): Counters {
    // One after the other, as they are added when the steps are counted.
    return this.#given.reduce((counters, { batch }) => withStep(counters, batch), this.#counters);
  }

  /** Whether anything happens after the latest step that was given: something reads the state, or the run may end. */
  #mustCatchUp(): boolean {
    if (this.#given.length === 0) return true;
    const { control, rules, schedules, batches } = this.#parts;
    // The next step depends on how this one went.
    if (schedules.followsLoss === true) return true;
    if (this.#given.some((_, i) => batches.looksAt(this.#counters.steps + i))) return true;
    const reached = this.#reachedByGiven();
    return (
      control.stopping ||
      this.#due(reached.steps) ||
      this.#saveDue(reached.steps) ||
      this.#isMeasured(reached.steps + 1) ||
      isDiagnosed(this.#parts.config, reached.steps + 1) ||
      rules.reached(reached) !== undefined
    );
  }

  /** Counts steps until only so many are pending. Returns why the run ends when the numbers of one are no longer finite. */
  async #catchUp(pending: number): Promise<string | undefined> {
    while (this.#given.length > pending) {
      const diverged = await this.#count(this.#given[0]!);
      this.#given.shift();
      if (diverged !== undefined) return diverged;
    }
    return undefined;
  }

  #isMeasured(step: number): boolean {
    const { config } = this.#parts;
    return measuresUpdate(step, config['log.every_steps'] as number, config['eval.every_steps'] as number);
  }

  /** Lets messages in and out. */
  async #breathe(): Promise<void> {
    this.#parts.recorder.tick();
    this.#progress(false);
    await setImmediate();
  }

  /** Where the next step that is given begins in the data. */
  #nextPlace(): Place {
    return this.#given.at(-1)?.batch.after ?? this.#place;
  }

  /** Gives the device the next step. */
  async #give(): Promise<GivenStep> {
    const { config, runtime, batches, schedules } = this.#parts;
    const before = this.#reachedByGiven();
    const measured = this.#isMeasured(before.steps + 1);
    if (measured) await this.#updates.begin();
    const diagnosed = isDiagnosed(config, before.steps + 1);
    const seen = diagnosed ? await this.#diagnosis.look(batches.rowOfContext(this.#nextPlace())) : undefined;
    const begin = performance.now();
    // The place in the data is a number, the rows taken so far: nothing else to save.
    const { steps: step, tokens, seconds } = before;
    const batch = batches.take({ step, tokens }, this.#nextPlace(), this.#carried);
    const hyper = hyperParameters(config, runtime.programs, schedules, { step, tokens, seconds }, this.#loss);
    const result = runtime.step(step, config.seed as number, batch.micros, hyper, diagnosed);
    // Its error is met when it is counted, or never where an earlier one ended the run.
    result.catch(() => {});
    const given = { result, hyper, batch, begin, measured, seen };
    this.#given.push(given);
    return given;
  }

  /** Waits for the oldest step and counts it. Returns why the run ends when its numbers are no longer finite. */
  async #count(given: GivenStep): Promise<string | undefined> {
    const { config, batches } = this.#parts;
    const { begin, hyper, measured, seen, batch } = given;
    const before = this.#counters;
    const result = await given.result;
    const now = performance.now();
    const after: Counters = {
      ...withStep(before, batch),
      // A step that waited for the one before it took the time since that one was done.
      seconds: before.seconds + (now - Math.max(begin, this.#countedAt)) / 1000,
    };
    this.#countedAt = now;
    const bad = notFinite(result);
    if (bad === undefined) {
      this.#counters = after;
      this.#place = batch.after;
      this.#carried = batches.carry(this.#carried, before.steps, result.gradNorm);
      this.#loss = result.loss;
    }
    if (after.steps % (config['log.every_steps'] as number) === 0 || after.steps === 1 || bad !== undefined) {
      const updates = measured && bad === undefined ? await this.#updates.end() : {};
      this.#record({ result, counters: after, ...hyper, updates, batch: batches.plan.changes ? batch : null });
    }
    if (seen !== undefined && result.watched !== undefined)
      this.#parts.recorder.record(after.steps, { ...seen, ...this.#diagnosis.ofStep(result.watched) });
    return bad === undefined ? undefined : `diverged: ${bad} at step ${after.steps}`;
  }

  #record(step: Omit<StepMoment, 'config' | 'before'>): void {
    const { config, metrics, recorder, runtime } = this.#parts;
    const { counters, result } = step;
    recorder.record(counters.steps, {
      ...measureAll(metrics, 'ofStep', { ...step, config, before: this.#logged }),
      ...this.#axes(counters),
      ...(runtime.programs.policy.scaledLoss
        ? { loss_scale: result.lossScale, loss_scale_overflows: runtime.overflows }
        : {}),
    });
    this.#logged = counters;
  }

  /** The other x-axes of a step. */
  #axes(counters: Counters): Record<string, number> {
    const { config, metrics, data } = this.#parts;
    const epochsOfTexts = data.epochsOfTexts?.(Math.round(counters.epochs * data.rowsPerEpoch)) ?? {};
    return measureAll(metrics, 'ofProgress', { config, counters, epochsOfTexts });
  }

  #due(steps: number): boolean {
    const every = this.#parts.config['eval.every_steps'] as number;
    return every > 0 && steps % every === 0 && this.#evaluatedStep !== steps;
  }

  async #evaluateIfDue(): Promise<void> {
    if (!this.#due(this.#counters.steps) || this.#parts.control.urgent) return;
    const result = await this.#evaluate();
    if (result === undefined) return;
    this.#regular(result);
    await this.#saveBest(result.loss);
    await this.#sample();
  }

  /** Remembers an evaluation that belongs to the run itself. */
  #regular(result: EvaluationResult): void {
    this.#evaluatedStep = this.#counters.steps;
    this.#validationLoss = result.loss;
  }

  /** Scores the validation rows and records the result. Undefined when interrupted. */
  async #evaluate(): Promise<EvaluationResult | undefined> {
    const { runtime, config, recorder, emit, metrics } = this.#parts;
    const { steps } = this.#counters;
    const result = await this.#score('evaluate');
    // Before the first step there is nothing to average.
    const averaged = runtime.programs.average !== undefined && steps > 0;
    const average = result !== undefined && averaged ? await this.#score('evaluate-average') : undefined;
    if (averaged && average === undefined) return undefined;
    if (result === undefined) return undefined;
    const every = config['log.every_steps'] as number;
    const unlogged = steps % every !== 0 && steps !== 1;
    recorder.record(steps, {
      ...(steps === 0 || unlogged ? this.#axes(this.#counters) : {}),
      ...measureAll(metrics, 'ofEvaluation', { config, result, average, counters: this.#counters }),
    });
    recorder.tick();
    emit({ type: 'phase', name: 'train' });
    if (!Number.isFinite(result.loss)) throw new DivergedError(`val/loss is ${result.loss}`);
    return result;
  }

  /** Scores the validation rows with a program. Undefined when interrupted. */
  async #score(name: 'evaluate' | 'evaluate-average'): Promise<EvaluationResult | undefined> {
    const { runtime, data, config, control, emit } = this.#parts;
    const rows = evaluationBatchOf(config, data, this.#parts.kinds);
    let phaseAt = -Infinity;
    return await evaluate({
      session: runtime.session,
      loaded: runtime.program({ name, rows, length: config['model.context'] as number }),
      data: data.validation(rows),
      onBatch: async (fraction) => {
        const now = performance.now();
        if (now - phaseAt >= PROGRESS_INTERVAL) {
          phaseAt = now;
          emit({ type: 'phase', name: 'evaluate', fraction });
        }
        await this.#breathe();
        return !control.urgent;
      },
    });
  }

  async #sample(): Promise<void> {
    const { config, sample, emit, control } = this.#parts;
    const tokens = config['log.sample_tokens'] as number;
    if (tokens === 0 || control.urgent) return;
    const step = this.#counters.steps;
    emit({ type: 'sample', step, text: await sample(tokens, step) });
  }

  /** A rule was reached: the last evaluation, the last checkpoint. */
  async #finish(reason: string): Promise<Ending> {
    const { control } = this.#parts;
    await this.#saveLast();
    if (this.#evaluatedStep !== this.#counters.steps) {
      const result = control.urgent ? undefined : await this.#evaluate();
      if (result === undefined) return this.#stopped();
      this.#regular(result);
      await this.#saveBest(result.loss);
      // Now its loss is known.
      if (this.#lastCheckpoint?.step === this.#counters.steps) this.#announce(this.#lastCheckpoint);
      await this.#sample();
    }
    this.#say('warning', this.#unsaved.ended());
    return { state: 'finished', reason };
  }

  async #stop(): Promise<Ending> {
    await this.#saveLast();
    if (!this.#parts.control.urgent && this.#evaluatedStep !== this.#counters.steps) await this.#evaluate();
    return this.#stopped();
  }

  #stopped(): Ending {
    this.#say('warning', this.#unsaved.ended());
    const { steps } = this.#counters;
    const why = this.#parts.control.abandoned ? 'its host went away' : 'a stop was asked for';
    return { state: 'stopped', reason: `stopped at step ${steps}: ${why}` };
  }

  async #saveIfDue(): Promise<void> {
    if (this.#saveDue(this.#counters.steps)) await this.#saveLast();
  }

  #saveDue(steps: number): boolean {
    if (steps === 0 || steps === this.#savedStep) return false;
    const every = this.#parts.config['log.checkpoint_steps'] as number;
    const evalEvery = this.#parts.config['eval.every_steps'] as number;
    const regular = every > 0 ? steps % every === 0 : evalEvery > 0 && steps % evalEvery === 0;
    return regular || performance.now() - this.#savedAt > CHECKPOINT_INTERVAL;
  }

  async #saveBest(loss: number): Promise<void> {
    const step = this.#counters.steps;
    if (this.#best !== null && loss >= this.#best.loss) return;
    this.#best = { loss, step };
    if (this.#parts.config['log.keep_best'] !== true || step === 0) return;
    this.#bestCheckpoint = await this.#save('best');
  }

  async #saveLast(): Promise<void> {
    if (this.#savedStep === this.#counters.steps) return;
    const saved = await this.#save('last');
    this.#savedAt = performance.now();
    if (saved === undefined) return;
    this.#savedStep = saved.step;
    this.#lastCheckpoint = saved;
  }

  /** A checkpoint, or a warning when it cannot be written: the run goes on and the previous checkpoint stays. */
  async #save(kind: 'last' | 'best'): Promise<Checkpoint<RunState> | undefined> {
    const { runtime, checkpoints, recorder, emit } = this.#parts;
    const step = this.#counters.steps;
    emit({ type: 'phase', name: 'checkpoint' });
    recorder.flush();
    try {
      const shared = this.#bestCheckpoint?.step === step ? this.#bestCheckpoint : undefined;
      const saved = await checkpoints.save({
        kind,
        step,
        weights: shared ?? runtime.weights(),
        optimizer: kind === 'last' ? runtime.moments() : undefined,
        state: this.#state(step),
      });
      this.#announce(saved);
      this.#say('log', this.#unsaved.saved());
      return saved;
    } catch (error) {
      if (error instanceof DivergedError) throw error;
      this.#say('warning', this.#unsaved.failed(step, (error as Error).message));
      return undefined;
    } finally {
      emit({ type: 'phase', name: 'train' });
    }
  }

  #say(level: 'log' | 'warning', text: string | undefined): void {
    if (text !== undefined) this.#parts.emit({ type: 'log', level, text });
  }

  #announce({ kind, step, path }: Checkpoint<RunState>): void {
    const loss = this.#evaluatedStep === step ? this.#validationLoss : null;
    this.#parts.emit({ type: 'checkpoint', kind, step, path, loss });
  }

  #state(step: number): RunState {
    const { config, runtime, recorder, data } = this.#parts;
    return {
      counters: this.#counters,
      place: this.#place,
      carried: this.#carried,
      loss: this.#loss ?? null,
      evaluatedStep: this.#evaluatedStep,
      validationLoss: this.#validationLoss,
      best: this.#best,
      lossScale: runtime.lossScale,
      executor: runtime.executor,
      decisions: runtime.decisions(),
      noise: this.#diagnosis.noise,
      latest: finiteOrNull(recorder.latest),
      points: recorder.carry(step),
      config,
      dataset: data.info.hash,
    };
  }

  #progress(now: boolean): void {
    const { emit, rules } = this.#parts;
    const time = performance.now();
    if (!now && time - this.#progressAt < PROGRESS_INTERVAL) return;
    this.#progressAt = time;
    const left = rules.secondsLeft(this.#counters, this.#since);
    const trained = this.#counters.seconds - this.#since.seconds;
    // Evaluations and checkpoints take their share of the time left, as they have so far.
    const overhead = trained > 0 ? Math.max(1, (time - this.#begun) / 1000 / trained) : 1;
    emit({
      type: 'progress',
      step: this.#counters.steps,
      plannedSteps: rules.plannedSteps ?? null,
      tokens: this.#counters.tokens,
      fraction: rules.fraction(this.#counters) ?? null,
      eta: left === undefined ? null : left * overhead,
    });
  }
}

/** Counters with one more step; its seconds are not known yet. */
function withStep(counters: Counters, { tokens, sequences, epochs, flops }: StepBatch): Counters {
  return {
    steps: counters.steps + 1,
    tokens: counters.tokens + tokens,
    sequences: counters.sequences + sequences,
    epochs,
    seconds: counters.seconds,
    flops: counters.flops + flops,
  };
}

/** Name and value of the first number of a step that is not finite. */
function notFinite(result: StepResult): string | undefined {
  if (!Number.isFinite(result.loss)) return `train/loss is ${result.loss}`;
  if (!Number.isFinite(result.gradNorm)) return `grad/norm is ${result.gradNorm}`;
  return undefined;
}

function finiteOrNull(latest: ReadonlyMap<string, number>): Record<string, number | null> {
  return Object.fromEntries([...latest].map(([metric, value]) => [metric, Number.isFinite(value) ? value : null]));
}
