/**
 * Messages between the host and the engine process of one training run, over the child-process channel with `advanced`
 * serialization (typed arrays travel as they are).
 *
 * The database and the checkpoint together always hold every point of the run, whatever is killed and when:
 *
 * - A checkpoint of step S carries the points with `keepUpTo` < step ≤ S: those of its own step and every one that the host had not
 *   acknowledged. Points up to `keepUpTo` were acknowledged, which means committed.
 * - A start begins with `begin {step: S, keepUpTo}`. The host must delete the run's points after `keepUpTo` in every series before
 *   it commits anything else; the engine then sends the carried points again, and goes on at step S + 1. A run that starts
 *   afresh says `begin {step: 0, keepUpTo: −1}`.
 * - `checkpoint` is sent after the points up to its step, and the channel keeps order.
 *
 * The host acknowledges each `metrics` message once it is committed. An engine that loses its host saves a checkpoint within a
 * step and exits.
 */
import type { CheckpointKind, RunEnvironment, RunSummary } from './runs.ts';
import type { MetricColumn } from './metrics.ts';
import type { Config } from './settings.ts';

export interface EnginePaths {
  /** The run's own folder for checkpoints. */
  readonly checkpoints: string;
  /** Shared by all runs: prepared datasets, tokenizers, downloads. */
  readonly cache: string;
  /** The data folder that holds them: what executors find and keep there. */
  readonly home?: string;
}

/** Begins training. The first message, once per process. */
export interface EngineStart {
  readonly type: 'start';
  readonly runId: string;
  /** Complete: every setting is present. */
  readonly config: Config;
  readonly paths: EnginePaths;
  /** True continues from the last checkpoint, if there is one; false removes the run's checkpoints. */
  readonly resume: boolean;
  /** Absolute paths of plug-in files. */
  readonly plugins: readonly string[];
}

/** Ends training after the step in progress, with a last evaluation (unless `urgent`) and a checkpoint. */
export interface EngineStop {
  readonly type: 'stop';
  readonly urgent?: boolean;
}

/** All points up to and including message `seq` are committed. */
export interface EngineAcknowledge {
  readonly type: 'ack';
  readonly seq: number;
}

export type HostMessage = EngineStart | EngineStop | EngineAcknowledge;

/** Sent once the process listens. */
export interface EngineReady {
  readonly type: 'ready';
  readonly pid: number;
}

/** Where the run begins; see above for what the host must do. */
export interface EngineBegin {
  readonly type: 'begin';
  readonly step: number;
  readonly keepUpTo: number;
}

/** What the engine is busy with; `fraction` of it is done (0 … 1) and about `eta` seconds of it are left, when known. */
export interface EnginePhase {
  readonly type: 'phase';
  readonly name: string;
  readonly fraction?: number;
  readonly eta?: number;
}

export interface EngineLog {
  readonly type: 'log';
  readonly level: 'log' | 'warning' | 'error';
  readonly text: string;
}

/** The training data, in numbers. */
export interface DatasetInfo {
  readonly trainTokens: number;
  readonly trainBytes: number;
  readonly validationTokens: number;
  readonly validationBytes: number;
  readonly vocabularySize: number;
  readonly sequencesPerEpoch: number;
  /** Of the validation text, what is scored (`eval.tokens`). */
  readonly scoredTokens?: number;
  readonly scoredBytes?: number;
  /** Over what the standard errors of `val/loss` and `val/bpb` are taken, and how many there are. */
  readonly scoredUnit?: 'document' | 'piece' | 'token';
  readonly scoredUnits?: number;
  /** Bits per byte of the scored text below which no model can get on average; only for generated text. */
  readonly entropyFloor?: number;
  /** Standard error of it: how far so much text may be from its source. */
  readonly entropyFloorError?: number;
  /** What was read, in words (see preload/shared/reading.ts). */
  readonly reading?: string;
  /** Content hash of what is trained and evaluated on. */
  readonly hash: string;
  /** Content hash of the validation text that evaluations score, whatever its tokens. */
  readonly scoredText: string;
  /** Names the tokenizer by content: losses per token compare only where it is the same. */
  readonly tokenizer: string;
}

/** Bytes of memory by the plan that the executor follows. */
export interface MemoryInfo {
  readonly persistentBytes: number;
  readonly byCategory: Readonly<Record<string, number>>;
  /** Largest arena of all programs, and the program that needs it. */
  readonly arenaBytes: number;
  readonly arenaProgram: string;
}

/** What was built; sent once before the first step. */
export interface EngineInfo {
  readonly type: 'info';
  readonly parameterCount: number;
  /** Training FLOPs per token, forward and backward. */
  readonly flopsPerToken: number;
  readonly tokensPerStep: number;
  readonly plannedSteps: number | null;
  /** Of as many steps. */
  readonly plannedFlops: number | null;
  /** Whether steps may take more than planned. */
  readonly varies: boolean;
  /** The limit that ends it, in words; null where a target loss alone does. */
  readonly limit: string | null;
  readonly dataset: DatasetInfo;
  readonly environment: RunEnvironment;
  readonly memory: MemoryInfo;
}

/** Points in the order of `seq`, which counts from 1 in each process. */
export interface EngineMetrics {
  readonly type: 'metrics';
  readonly seq: number;
  readonly columns: readonly MetricColumn[];
}

export interface EngineProgress {
  readonly type: 'progress';
  readonly step: number;
  readonly plannedSteps: number | null;
  readonly tokens: number;
  /** Share of the run that is done, 0 … 1. */
  readonly fraction: number | null;
  /** Seconds until the run ends, evaluations included. */
  readonly eta: number | null;
}

/**
 * A complete checkpoint is on disk and older ones of its kind are gone. Sent again with its loss when the model is evaluated only
 * after it was saved.
 */
export interface EngineCheckpoint {
  readonly type: 'checkpoint';
  readonly kind: CheckpointKind;
  readonly step: number;
  readonly path: string;
  /** `val/loss` at this step, where it was measured. */
  readonly loss: number | null;
}

/** Text that the model wrote after an evaluation. */
export interface EngineSample {
  readonly type: 'sample';
  readonly step: number;
  readonly text: string;
}

/** The last message. Every point was sent before it. */
export interface EngineEnd {
  readonly type: 'end';
  /** `stopped` runs can be resumed. */
  readonly state: 'finished' | 'failed' | 'stopped';
  /** For people, for example `stop.steps reached (500 steps)` or `diverged: train/loss is NaN at step 37`. */
  readonly reason: string;
  readonly steps: number;
  readonly tokens: number;
  /** Latest value of every metric, and the best `val/loss` with its step. Null stands for NaN or an infinity. */
  readonly summary: RunSummary;
}

export type EngineMessage =
  | EngineReady
  | EngineBegin
  | EnginePhase
  | EngineLog
  | EngineInfo
  | EngineMetrics
  | EngineProgress
  | EngineCheckpoint
  | EngineSample
  | EngineEnd;
