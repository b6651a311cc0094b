/** What the fit check says: memory plans, verdicts, times and costs. Sizes are bytes, times seconds. */
import type { SettingValue } from './settings.ts';

export interface Range {
  readonly low: number;
  readonly high: number;
}

export type Fit = 'fits' | 'tight' | 'does not fit';

export interface FitDevice {
  readonly kind: string;
  readonly name: string;
  /** `measured`: asked from this machine now. `table`: a what-if for a card that is not here. */
  readonly basis: 'measured' | 'table';
  /** False where the table's memory was never checked on a card. */
  readonly verified: boolean;
  readonly totalBytes: number;
  /** What a run may use: free now, or all of a card that is not here. */
  readonly availableBytes: number;
  /** Limits and doubts, for people. */
  readonly notes: readonly string[];
}

export interface Verdict {
  readonly fit: Fit;
  readonly neededBytes: number;
  readonly marginBytes: number;
  readonly availableBytes: number;
  /** Available − needed: negative when it does not fit. */
  readonly spareBytes: number;
  /** One sentence for people. */
  readonly sentence: string;
}

/** What a change means for the result: nothing, the last digits, the training, or what is learned. */
export type Effect = 'same result' | 'other rounding' | 'other training' | 'other task';

export interface Suggestion {
  /** Settings to change. */
  readonly changes: Readonly<Record<string, SettingValue>>;
  /** `--batch.micro 4 --precision.recompute block` */
  readonly flags: string;
  /** What it does, for people. */
  readonly text: string;
  readonly effect: Effect;
  /** Planned bytes with it, base included, and how many it frees. */
  readonly bytes: number;
  readonly freedBytes: number;
  readonly fit: Fit;
  /** Time of a step with it ÷ without, roughly; null where the device's speed is unknown. */
  readonly timeFactor: number | null;
}

export interface SizedBatch {
  readonly sequences: number;
  readonly bytes: number;
}

export interface LargestBatch {
  /** Null when not even one sequence fits. */
  readonly largest: SizedBatch | null;
  /** The next larger choice, which does not fit; null when there is none. */
  readonly next: SizedBatch | null;
}

/** Steps in which nothing about the batch changes. */
export interface PlannedStage {
  /** Steps and tokens before it. */
  readonly from: number;
  readonly tokens: number;
  /** Null where nobody knows when it ends. */
  readonly steps: number | null;
  /** Tokens of each sequence, and sequences of a batch. */
  readonly length: number;
  readonly sequences: number;
}

/** The memory of such steps. */
export interface FitStage extends PlannedStage {
  /** Sequences at once, and how many times that is done for a batch. */
  readonly microBatch: number;
  readonly accumulation: number;
  /** Training only, by the convention of the plan. */
  readonly flopsPerToken: number;
  /** Bytes of the largest program that these steps run, and those of the whole run with it alone: never more than the plan's. */
  readonly arenaBytes: number;
  readonly totalBytes: number;
}

export interface PlannedLength {
  /** On the average over the run. */
  readonly tokensPerStep: number;
  /** Null when only time, a target loss or unread data can end the run. */
  readonly steps: number | null;
  readonly tokens: number | null;
  /** Training only, by the convention of the plan. */
  readonly flops: number | null;
  /** The limit that ends it, in words: `stop.tokens_per_parameter 20 × 11,534,336 parameters (matrices_and_head)`. Null where a target loss alone does. */
  readonly limit: string | null;
  /** What batches are over the run, one stage where they are always the same. */
  readonly stages: readonly PlannedStage[];
  /** Whether a step may take several batches: it then takes at least as long as planned, and a limit in tokens is reached earlier. */
  readonly varies: boolean;
  /** True when the number of steps rests on a guess of the dataset's size. */
  readonly estimated: boolean;
  /** By which share the steps may be more or fewer, where only the beginning of the text was read. */
  readonly uncertain?: number;
  /** Limits in time, which may end the run earlier. Null when off. */
  readonly seconds: number | null;
}

export interface PlannedProgram {
  readonly name: string;
  /** Sequences at once; 0 for the update. */
  readonly rows: number;
  /** Tokens of each; 0 for the update. */
  readonly length: number;
  readonly arenaBytes: number;
  /** Most bytes held at once. */
  readonly heldBytes: number;
}

export interface FitPeak {
  /** Bytes of temporaries held at that instant. */
  readonly bytes: number;
  readonly program: string;
  /** Position in the program's order, counted from 0, of `instants`. */
  readonly instant: number;
  readonly instants: number;
  readonly op: string;
  readonly scope: string;
  readonly phase: string;
  /** "in the backward pass of block 11's MLP, mostly saved activations (82 %)" */
  readonly sentence: string;
}

export interface LayerBytes {
  readonly layer: string;
  readonly persistentBytes: number;
  /** Held at the peak. */
  readonly temporaryBytes: number;
}

export interface BaseBytes {
  readonly bytes: number;
  readonly basis: 'measured' | 'estimated';
  /** What it is for, part by part. */
  readonly parts: readonly { readonly what: string; readonly bytes: number }[];
}

export interface FitPlan {
  /** Executor that would train: `cpu`, `cuda`, `tfjs-wasm` … */
  readonly kind: string;
  /** True when state and arena are allocated as planned; else they are counted tensor by tensor. */
  readonly exact: boolean;
  /** Where the planned bytes lie: in the engine's process, or on a GPU. */
  readonly memory: 'host' | 'gpu';
  readonly vocabularySize: number;
  /** Shared parameters counted once. */
  readonly parameterCount: number;
  /** How many count for the length of a run, by the values of `stop.counted_parameters`. */
  readonly parameterCounts: Readonly<Record<string, number>>;
  readonly flopsPerToken: number;
  readonly flopsPerTokenForward: number;
  readonly flopsConvention: string;
  /** Bytes of each token in a cache of keys and values, over all layers: what writing long texts with the model takes. */
  readonly cacheBytesPerToken: number;
  /** What is to be known of the attention, for people: its density, what reaches what. */
  readonly notes: readonly string[];
  /** Tokens of the sequences that need the most memory; how many of them a batch has, how many are computed at once, how many times that is. */
  readonly sequences: number;
  readonly microBatch: number;
  readonly accumulation: number;
  readonly context: number;
  readonly length: PlannedLength;
  /** Memory over the run, stage by stage. */
  readonly stages: readonly FitStage[];
  readonly persistent: {
    readonly bytes: number;
    readonly byCategory: Readonly<Record<string, number>>;
  };
  readonly arena: { readonly bytes: number; readonly program: string };
  readonly programs: readonly PlannedProgram[];
  readonly peak: FitPeak;
  /** Bytes at the peak, base included; adds up to `totalBytes`. */
  readonly byCategory: Readonly<Record<string, number>>;
  /** State and temporaries at the peak by layer; adds up to `plannedBytes` with the gaps of the arena. */
  readonly byLayer: readonly LayerBytes[];
  /** Temporaries held over the program of the peak, at most 240 points. */
  readonly occupancy: readonly number[];
  readonly base: BaseBytes;
  /** State and arena, as the device gives them away. */
  readonly plannedBytes: number;
  /** State, arena and base. */
  readonly totalBytes: number;
}

export type TimeBasis = 'measured' | 'estimated' | 'unknown';

export interface TimeEstimate {
  readonly basis: TimeBasis;
  /** Where the numbers come from, for people. */
  readonly explanation: string;
  /** Seconds of one optimizer step. */
  readonly stepSeconds: Range | null;
  readonly tokensPerSecond: Range | null;
  /** How many that are: those planned, or as many as a limit in seconds leaves time for. Null where nothing says when the run ends. */
  readonly steps: Range | null;
  /** Of the whole run, evaluations included where their size is known. Null without a planned end. */
  readonly seconds: Range | null;
  /** Seconds that evaluations add; null when the size of the validation split is unknown. */
  readonly evaluationSeconds: Range | null;
}

export interface Prices {
  /** Currency per GPU-hour (or machine-hour). */
  readonly pricePerHour?: number;
  /** Power drawn while training, and currency per kWh. */
  readonly kilowatts?: number;
  readonly tariff?: number;
}

export interface Cost extends Range {
  /** `2.5 per hour + 0.35 kW × 0.3 per kWh` */
  readonly how: string;
}

/** What a fit check says about one configuration. */
export interface FitChecks {
  readonly verdict: Verdict;
  /** The largest micro-batches: at this effective batch with margin and without, and whatever the effective batch. */
  readonly largest: {
    readonly atThisBatch: LargestBatch;
    readonly atThisBatchWithoutMargin: LargestBatch;
    readonly overall: LargestBatch;
  };
  readonly suggestions: readonly Suggestion[];
  readonly time: TimeEstimate;
  readonly cost: Cost | null;
  readonly warnings: readonly string[];
}
