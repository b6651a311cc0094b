/**
 * Trains one claimed run in one engine process and records everything that the engine tells.
 *
 * Points are acknowledged after their commit and only then, so a point that the engine believes safe is safe. When the engine
 * begins, the points after `keepUpTo` are removed before anything else is written (see preload/contract/engine.ts).
 */
import type { EngineEnd, EngineMessage, EngineMetrics } from '../../../preload/contract/engine.ts';
import type { RunRecord, RunState, RunSummary } from '../../../preload/contract/runs.ts';
import { join } from 'node:path';
import type { Store } from '../../store/index.ts';
import { reconcileCheckpoints } from './checkpoints.ts';
import { crashReason } from './engine.ts';
import type { EngineExit, LaunchEngine } from './engine.ts';

export interface TrainFolders {
  /** Parent of the runs' own checkpoint folders. */
  readonly checkpoints: string;
  readonly cache: string;
}

export interface TrainOptions {
  readonly store: Store;
  /** Claimed: its state is `running`. */
  readonly run: RunRecord;
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

/** A run in training. `stop` ends it after the step in progress; the promise resolves when its end is in the database. */
export interface Training {
  readonly runId: string;
  readonly done: Promise<RunRecord>;
  /** `reason` is recorded. `urgent` leaves the last evaluation out. Safe to call again, to make it urgent. */
  stop(reason: string, urgent?: boolean): void;
  /** Ends the engine at once; the run is recorded as stopped and continues from its last checkpoint. */
  kill(reason: string): void;
}

export function trainRun(options: TrainOptions): Training {
  const training = new RunTraining(options);
  return { runId: options.run.id, done: training.run(), stop: training.stop, kill: training.kill };
}

class RunTraining {
  readonly #options: TrainOptions;
  #engine: ReturnType<LaunchEngine> | undefined;
  #ready = false;
  #end: EngineEnd | undefined;
  #stopReason: string | undefined;
  #killed = false;
  /** An error of the database that makes going on pointless. */
  #failure: string | undefined;
  #timers: NodeJS.Timeout[] = [];
  readonly #pending = new Set<Promise<void>>();

  constructor(options: TrainOptions) {
    this.#options = options;
  }

  get #folder(): string {
    return join(this.#options.folders.checkpoints, this.#options.run.id);
  }

  readonly stop = (reason: string, urgent = false): void => {
    this.#stopReason ??= reason;
    this.#engine?.send({ type: 'stop', urgent });
    const patience = this.#options.patience ?? PATIENCE;
    this.#after(patience, () => this.kill(reason));
  };

  readonly kill = (reason: string): void => {
    this.#stopReason ??= reason;
    this.#killed = true;
    this.#engine?.kill();
  };

  async run(): Promise<RunRecord> {
    let exit: EngineExit | undefined;
    for (let start = 1; start <= STARTS; start++) {
      this.#ready = false;
      this.#engine = this.#options.launch(this.#options.run.id, (message) => this.#receive(message));
      exit = await this.#engine.exited;
      // An engine that listened once has failed for a reason of its own; one that never did may have met a passing trouble.
      if (this.#ready || this.#stopReason !== undefined || start === STARTS) break;
      await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE * 4 ** (start - 1)));
    }
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.allSettled(this.#pending);
    return this.#record(exit!);
  }

  #receive(message: EngineMessage): void {
    // What comes after a failure would only be written behind a gap.
    if (this.#failure !== undefined) return;
    try {
      this.#handle(message);
      this.#options.onMessage?.(message);
    } catch (error) {
      this.#fail(error);
    }
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
          paths: { checkpoints: this.#folder, cache: folders.cache },
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
          environment: environmentOf(message, this.#options.codeVersion),
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
    this.#engine?.kill();
  }

  #after(milliseconds: number, action: () => void): void {
    this.#timers.push(setTimeout(action, milliseconds).unref());
  }

  #record(exit: EngineExit): RunRecord {
    const { store, run } = this.#options;
    const end = this.#failure === undefined ? this.#end : undefined;
    if (end !== undefined) store.updateRun(run.id, { steps: end.steps, tokens: end.tokens, summary: end.summary });
    else reconcileCheckpoints(store, run.id, this.#folder);
    const { state, reason } = this.#ending(exit, end);
    return store.setRunState(run.id, state, { reason });
  }

  #ending(exit: EngineExit, end: EngineEnd | undefined): { state: RunState; reason: string } {
    if (this.#failure !== undefined) return { state: 'failed', reason: this.#failure };
    if (end !== undefined) {
      const stopped = end.state === 'stopped' && this.#stopReason !== undefined;
      return { state: end.state, reason: stopped ? `${this.#stopReason} at step ${end.steps}` : end.reason };
    }
    if (this.#killed) return { state: 'stopped', reason: `${this.#stopReason} (engine ended at once)` };
    if (this.#stopReason !== undefined && !this.#ready) return { state: 'stopped', reason: this.#stopReason };
    return { state: 'failed', reason: crashReason(exit) };
  }
}

/** Where the run stands after a batch: the numbers that lists show while it trains. */
function progressOf({ columns }: EngineMetrics): { steps?: number; tokens?: number; summary: RunSummary } {
  const summary: Record<string, number | null> = {};
  let steps = 0;
  for (const { metric, steps: at, values } of columns) {
    const last = values.at(-1);
    if (last === undefined) continue;
    summary[metric] = Number.isFinite(last) ? last : null;
    steps = Math.max(steps, at.at(-1)!);
  }
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
) {
  return {
    ...environment,
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
