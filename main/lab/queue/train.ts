/**
 * Trains one claimed run in one engine process and writes down everything that the engine tells but its end, which the queue records.
 *
 * Points are acknowledged after their commit and only then, so a point that the engine believes safe is safe. When the engine
 * begins, the points after `keepUpTo` are removed before anything else is written (see preload/contract/engine.ts).
 */
import type { EngineEnd, EngineMessage, EngineMetrics } from '../../../preload/contract/engine.ts';
import type { RunRecord, RunSummary } from '../../../preload/contract/runs.ts';
import { largestOfPlaces } from '../../../preload/shared/metricPlace.ts';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StoreError } from '../../store/index.ts';
import type { Store } from '../../store/index.ts';
import { reconcileCheckpoints } from './checkpoints.ts';
import { crashReason } from './engine.ts';
import type { EngineExit, LaunchEngine } from './engine.ts';
import type { Ending, Slot, Training } from './place.ts';

export interface TrainFolders {
  /** Parent of the runs' own checkpoint folders. */
  readonly checkpoints: string;
  readonly cache: string;
  /** The data folder. */
  readonly home?: string;
}

export interface TrainOptions {
  readonly store: Store;
  /** Claimed: its state is `running`. */
  readonly run: RunRecord;
  readonly slot: Slot;
  readonly launch: LaunchEngine;
  readonly folders: TrainFolders;
  readonly plugins: readonly string[];
  readonly codeVersion: string;
  readonly onMessage?: (message: EngineMessage) => void;
  /** Milliseconds that an engine gets to stop by itself. */
  readonly patience?: number;
}

/** How often an engine that dies before it listens is started again, and the pause before each further try. */
const STARTS = 3;
const FIRST_PAUSE = 200;
const PATIENCE = 60_000;
/** After its last message an engine should exit at once. */
const EXIT_PATIENCE = 10_000;
/** How long the database is waited for when it takes nothing, once somebody wants the run to end. */
const COMMIT_PATIENCE = 2000;
/** Pause before a message that could not be written down is tried again. */
const RETRY_MS = 500;

export function trainRun(options: TrainOptions): Training {
  const training = new RunTraining(options);
  return { ended: training.run(), conclude: training.conclude, stop: training.stop, kill: training.kill };
}

class RunTraining {
  readonly #options: TrainOptions;
  #engine: ReturnType<LaunchEngine> | undefined;
  #ready = false;
  #exit: EngineExit | undefined;
  #end: EngineEnd | undefined;
  #stopReason: string | undefined;
  #killed = false;
  /** An error of the database that makes going on pointless. */
  #failure: string | undefined;
  #timers: NodeJS.Timeout[] = [];
  /** What the engine said and the database has not taken yet, in order. */
  #inbox: EngineMessage[] = [];
  #draining = false;
  #retry: NodeJS.Timeout | undefined;
  /** Points and log lines on their way into the database. */
  readonly #pending = new Set<Promise<void>>();
  #written = Promise.withResolvers<void>();
  /** Resolved when the database is not waited for any longer. */
  readonly #hurry = Promise.withResolvers<void>();

  constructor(options: TrainOptions) {
    this.#options = options;
  }

  get #folder(): string {
    return join(this.#options.folders.checkpoints, this.#options.run.id);
  }

  readonly stop = (reason: string, urgent = false): void => {
    this.#stopReason ??= reason;
    this.#engine?.send({ type: 'stop', urgent });
    if (this.#exit !== undefined) this.#hurrySoon();
    else this.#after(this.#options.patience ?? PATIENCE, () => this.kill(reason));
  };

  readonly kill = (reason: string): void => {
    this.#stopReason ??= reason;
    this.#killed = true;
    this.#hurry.resolve();
    this.#engine?.kill();
  };

  async run(): Promise<void> {
    for (let start = 1; start <= STARTS; start++) {
      this.#ready = false;
      const exit = await this.#started();
      // An engine that listened once has failed for a reason of its own; one that never did may have met a passing trouble.
      if (this.#ready || this.#stopReason !== undefined || start === STARTS) {
        this.#exit = exit;
        break;
      }
      await Promise.race([delay(FIRST_PAUSE * 4 ** (start - 1)), this.#hurry.promise]);
    }
    for (const timer of this.#timers) clearTimeout(timer);
    if (this.#stopReason !== undefined) this.#hurrySoon();
    await Promise.race([this.#settled(), this.#hurry.promise]);
    clearTimeout(this.#retry);
  }

  /** One engine, to its end. */
  async #started(): Promise<EngineExit> {
    const { launch, run, slot } = this.#options;
    try {
      this.#engine = launch(run.id, (message) => this.#receive(message), slot);
      return await this.#engine.exited;
    } catch (error) {
      return { code: null, signal: null, stderr: [], error: (error as Error).message };
    }
  }

  readonly conclude = (): Ending => {
    while (this.#inbox.length > 0 && this.#failure === undefined) this.#take();
    // Without a last word the records may not agree with what lies on the disk.
    if (this.#failure !== undefined || this.#end === undefined)
      reconcileCheckpoints(this.#options.store, this.#options.run.id, this.#folder);
    return this.#ending();
  };

  /** Everything that was said is written. */
  async #settled(): Promise<void> {
    while (this.#inbox.length > 0) await this.#written.promise;
    await Promise.allSettled(this.#pending);
  }

  #hurrySoon(): void {
    setTimeout(this.#hurry.resolve, COMMIT_PATIENCE).unref();
  }

  #receive(message: EngineMessage): void {
    // What comes after a failure would only be written behind a gap.
    if (this.#failure !== undefined) return;
    this.#inbox.push(message);
    // An engine may answer within the very call that writes to it.
    if (this.#retry === undefined && !this.#draining) this.#drain();
  }

  /** Writes down what waits. While the database takes nothing it is tried again and again, in order; other errors end the run. */
  #drain(): void {
    this.#retry = undefined;
    this.#draining = true;
    try {
      while (this.#inbox.length > 0) this.#take();
    } catch (error) {
      if (error instanceof StoreError && error.retryable) {
        this.#retry = setTimeout(() => this.#drain(), RETRY_MS);
        return;
      }
      this.#fail(error);
    } finally {
      this.#draining = false;
    }
    this.#written.resolve();
    this.#written = Promise.withResolvers();
  }

  #take(): void {
    const [message] = this.#inbox;
    this.#handle(message);
    this.#inbox.shift();
    this.#options.onMessage?.(message);
  }

  #handle(message: EngineMessage): void {
    const { store, run, folders, plugins } = this.#options;
    switch (message.type) {
      case 'ready':
        this.#ready = true;
        this.#engine?.send({
          type: 'start',
          runId: run.id,
          config: run.config,
          paths: { ...folders, checkpoints: this.#folder },
          // A first attempt begins afresh, whatever lies in its folder.
          resume: run.attempt > 1,
          plugins,
        });
        if (this.#stopReason !== undefined) this.#engine?.send({ type: 'stop', urgent: true });
        return;
      case 'begin':
        store.truncateAfter(run.id, message.keepUpTo);
        // The engine goes on from what lies on disk, which a kill may have kept from being recorded.
        reconcileCheckpoints(store, run.id, this.#folder);
        return;
      case 'info':
        store.updateRun(run.id, {
          parameters: message.parameterCount,
          environment: environmentOf(message, this.#options.codeVersion, this.#options.slot),
          codeVersion: this.#options.codeVersion,
        });
        return;
      case 'metrics':
        this.#commit(message);
        return;
      case 'log':
        this.#track(store.appendEvent({ runId: run.id, kind: message.level, message: message.text }));
        return;
      case 'sample':
        this.#track(
          store.appendEvent({
            runId: run.id,
            kind: 'log',
            message: 'sample',
            data: { step: message.step, text: message.text },
          }),
        );
        return;
      case 'checkpoint':
        store.setCheckpoint({
          runId: run.id,
          kind: message.kind,
          step: message.step,
          path: message.path,
          valLoss: message.loss,
          savedAt: Date.now(),
        });
        return;
      case 'end':
        this.#end = message;
        this.#after(EXIT_PATIENCE, () => this.#engine?.kill());
        return;
      case 'phase':
      case 'progress':
        return;
    }
  }

  #commit(message: EngineMetrics): void {
    const { store, run } = this.#options;
    const written = store.appendMetrics(run.id, message.columns, progressOf(message)).then(() => {
      this.#engine?.send({ type: 'ack', seq: message.seq });
    });
    this.#track(written);
  }

  #track(promise: Promise<void>): void {
    const settled = promise
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#pending.delete(settled);
      });
    this.#pending.add(settled);
  }

  #fail(error: unknown): void {
    this.#failure ??= `recording failed: ${(error as Error).message}`;
    this.#inbox = [];
    this.#engine?.kill();
  }

  #after(milliseconds: number, action: () => void): void {
    this.#timers.push(setTimeout(action, milliseconds).unref());
  }

  #ending(): Ending {
    if (this.#failure !== undefined) return { state: 'failed', reason: this.#failure };
    if (this.#end !== undefined) {
      const { state, reason, steps, tokens, summary } = this.#end;
      const stopped = state === 'stopped' && this.#stopReason !== undefined;
      return {
        state,
        reason: stopped ? `${this.#stopReason} at step ${steps}` : reason,
        progress: { steps, tokens, summary },
      };
    }
    if (this.#killed) return { state: 'stopped', reason: `${this.#stopReason} (engine ended at once)` };
    if (this.#stopReason !== undefined && !this.#ready) return { state: 'stopped', reason: this.#stopReason };
    return { state: 'failed', reason: crashReason(this.#exit!) };
  }
}

/** Where the run stands after a batch: the numbers that lists show while it trains. */
function progressOf({ columns }: EngineMetrics): { steps?: number; tokens?: number; summary: RunSummary } {
  const last: (readonly [string, number])[] = [];
  let steps = 0;
  for (const { metric, steps: at, values } of columns) {
    const value = values.at(-1);
    if (value === undefined) continue;
    steps = Math.max(steps, at.at(-1)!);
    last.push([metric, value]);
  }
  const summary: Record<string, number | null> = {};
  for (const [metric, value] of largestOfPlaces(last)) summary[metric] = Number.isFinite(value) ? value : null;
  const { tokens } = summary;
  return { summary, steps: Math.floor(steps), ...(typeof tokens === 'number' ? { tokens: Math.floor(tokens) } : {}) };
}

/** What the run ran on and what it was trained on, in one flat record. */
function environmentOf(
  {
    environment,
    dataset,
    flopsPerToken,
    tokensPerStep,
    plannedSteps,
    memory,
  }: Extract<EngineMessage, { type: 'info' }>,
  codeVersion: string,
  { device }: Slot,
) {
  return {
    ...environment,
    ...(device === null ? {} : { card: device }),
    sweeplab: codeVersion,
    dataset: dataset.hash,
    scoredText: dataset.scoredText,
    tokenizer: dataset.tokenizer,
    trainTokens: dataset.trainTokens,
    trainBytes: dataset.trainBytes,
    validationTokens: dataset.validationTokens,
    validationBytes: dataset.validationBytes,
    vocabulary: dataset.vocabularySize,
    scoredTokens: dataset.scoredTokens ?? dataset.validationTokens,
    scoredBytes: dataset.scoredBytes ?? dataset.validationBytes,
    scoredUnit: dataset.scoredUnit ?? null,
    scoredUnits: dataset.scoredUnits ?? null,
    entropyFloor: dataset.entropyFloor ?? null,
    entropyFloorError: dataset.entropyFloorError ?? null,
    reading: dataset.reading ?? null,
    flopsPerToken,
    tokensPerStep,
    plannedSteps,
    persistentBytes: memory.persistentBytes,
    arenaBytes: memory.arenaBytes,
  };
}
