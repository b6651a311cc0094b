/** What the routes answer with, where it is not a run, a sweep or a series (those have files of their own). */
import type { ImportFormat } from './imports.ts';
import type { Draft } from './draft.ts';
import type { Cost, Fit, FitChecks, FitDevice, FitPlan, Range, Suggestion, TimeBasis, Verdict } from './fit.ts';
import type { ReadingSummary } from './reading.ts';
import type { CheckpointKind, SweepRecord } from './runs.ts';
import type { Config, Problem, Question, SettingSpec, SettingValue, Warning } from './settings.ts';

export type * from './fit.ts';
export type { Problem } from './settings.ts';

export interface AppInfo {
  readonly version: string;
  readonly codeVersion: string;
  readonly dataDir: string;
  readonly node: string;
  readonly platform: string;
  /** Another one than before: the lab was started anew. */
  readonly instance: string;
}

/** The endpoint for scripts that report through the W&B client. */
export interface WandbState {
  /** As the person at the machine wants it. */
  readonly on: boolean;
  /** Value of WANDB_BASE_URL; null while it is shut. */
  readonly url: string | null;
  /** Value of WANDB_API_KEY; null before the first. */
  readonly key: string | null;
  /** Why it is shut although it should be open. */
  readonly problem: string | null;
}

export interface Finding {
  readonly name: string;
  /** `missing` is an optional part that is not there; `problem` keeps something from working. */
  readonly state: 'ok' | 'missing' | 'problem';
  readonly detail: string;
  /** What to do, where something can be done. */
  readonly advice?: string;
  /** What else was looked at and passed over, a line each. */
  readonly more?: readonly string[];
  /** What the lab can do about it by itself, when it is asked to: the steps of `setup.fetch`. */
  readonly action?: 'setup-cuda';
}

/** Looking for newer versions of Sweeplab. */
export interface UpdateState {
  /** Who is asked; null: nobody, this was not made as a package. */
  readonly feed: string | null;
  /** As the user wants it. Off: nobody is asked. */
  readonly on: boolean;
  readonly askedAt: number | null;
  readonly newer: { readonly version: string; readonly page: string } | null;
  /** Why the last question had no answer. */
  readonly problem: string | null;
}

/** Fetching NVIDIA's cuBLASLt. */
export interface CudaSetup {
  readonly phase: 'idle' | 'fetching' | 'licence' | 'keeping' | 'ready';
  /** Null until it is known which suits this machine. */
  readonly what: { readonly version: string; readonly major: number; readonly bytes: number } | null;
  readonly progress: DataProgress | null;
  /** The whole text, where it is to be accepted. */
  readonly licence: string | null;
  /** Why the last try ended. */
  readonly problem: string | null;
}

/** Live numbers of a device; null where nobody can tell. */
export interface DeviceReading {
  readonly memoryUsedBytes: number | null;
  readonly memoryTotalBytes: number | null;
  /** 0 … 1 */
  readonly utilization: number | null;
  readonly temperatureC: number | null;
  readonly powerW: number | null;
}

export interface DeviceInfo {
  /** Value of the setting `device`: with its number for one of several cards, `cuda:1`. */
  readonly id: string;
  readonly name: string;
  /** Kind of executor: `cpu`, `cuda`, `tfjs-wasm` … */
  readonly kind: string;
  /** Where it computes and holds its memory: on the processor, or on a GPU. */
  readonly memory: 'host' | 'gpu';
  /** Number of the card, as `nvidia-smi` counts; null: none, or not a certain one. */
  readonly card: number | null;
  readonly available: boolean;
  /** Why not, when it is not available. */
  readonly reason: string | null;
  /** What to know of it before trusting it; null: nothing. */
  readonly note: string | null;
  /** What `auto` selects; cards that are alike take runs by turns. */
  readonly isDefault: boolean;
  readonly policies: readonly string[];
  readonly reading: DeviceReading;
}

export interface RecipeCard {
  readonly name: string;
  readonly title: string;
  readonly teaches: string;
  readonly about: { readonly size: string; readonly data: string; readonly minutes: number; readonly machine: string };
  /** True when the data must be fetched from the network (and may lie in the cache already). */
  readonly download: boolean;
  /** What a click trains; absent: one run. */
  readonly sweep?: { readonly seeds: number } & Pick<Draft, 'parameters'> & Partial<Pick<Draft, 'method' | 'runCap'>>;
}

/** What the fit check says of all runs of a recipe on this machine. */
export interface RecipeCheck {
  /** Of the largest. */
  readonly fit: Fit;
  readonly sentence: string;
  readonly neededBytes: number;
  readonly availableBytes: number;
  readonly parameters: number;
  /** Seconds of all runs, one after the other, low to high; null: not known. */
  readonly time: readonly [number, number] | null;
  readonly measured: boolean;
  /** What a click trains. */
  readonly runs: number;
  readonly settings: number;
  readonly seeds: number;
}

export interface SettingsList {
  readonly specs: readonly SettingSpec[];
  readonly questions: readonly { readonly question: Question; readonly names: readonly string[] }[];
  readonly sections: readonly { readonly name: string; readonly names: readonly string[] }[];
  readonly defaults: Config;
}

/** What an export can be asked for: some metrics only, a column for every setting, text as it is. */
export type ExportOption = 'metrics' | 'settings' | 'exact';

export interface ExportFormat {
  readonly name: string;
  /** What people choose. */
  readonly label: string;
  readonly help: string;
  /** Endings of its files, without a dot; the first is that of new ones. */
  readonly extensions: readonly string[];
  /** The options that it heeds. */
  readonly options: readonly ExportOption[];
}

export interface MethodInfo {
  readonly name: string;
  /** What people choose. */
  readonly label: string;
  readonly help: string;
  /** It draws: any distribution will do, and the run cap says how many runs there are. */
  readonly draws: boolean;
}

export interface KindsList {
  readonly methods: readonly MethodInfo[];
  readonly formats: readonly ExportFormat[];
  /** What runs are read from. */
  readonly imports: readonly ImportFormat[];
}

export interface CheckedSettings {
  /** Complete. Wrong values are replaced by defaults. */
  readonly config: Config;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** Settings that differ from their default. */
  readonly changed: readonly string[];
  /** Settings that have an effect in this configuration. */
  readonly applies: readonly string[];
  /** Settings that the values or the recipe set. */
  readonly given: readonly string[];
}

/** Settings of a sweep with one memory plan. */
export interface PlanGroup {
  /** Of the first. */
  readonly label: string;
  readonly labels: readonly string[];
  /** Varied values of the first. */
  readonly values: Readonly<Record<string, SettingValue>>;
  /** Seeds counted. */
  readonly runs: number;
  readonly verdict: Verdict;
  readonly fit: Fit;
  readonly bytes: number;
  readonly parameters: number;
  /** Steps of one run; a range where a limit in seconds leaves time for as many. Null when unknown before it. */
  readonly steps: Range | null;
  /** Training tokens of one run; null when unknown before it. */
  readonly tokens: number | null;
  /** Seconds of one run. */
  readonly seconds: Range | null;
  readonly basis: TimeBasis;
}

/** How a learning rate moves over a run. */
export interface DrawnSchedule {
  /** Of the first setting that has it, and of the group of parameters where it is one's own. */
  readonly label: string;
  readonly steps: number;
  /** Of training, where the schedule follows the clock: then its steps are an estimate. */
  readonly seconds?: number;
  /** Multiples of the peak at even distances from the first step to the last. */
  readonly values: readonly number[];
  /** The largest of them. */
  readonly most: number;
}

/** A setting whose value follows from others. */
export interface DerivedSetting {
  /** How, in words; several where it follows in several ways. */
  readonly rules: readonly string[];
  /** What it is in the runs, each once; of many only the first. */
  readonly values: readonly SettingValue[];
  /** Values that are not listed. */
  readonly more: number;
  /** Whether draft or recipe set it: then `values` are what it would be otherwise. */
  readonly replaced: boolean;
}

export interface SweepPlan {
  readonly runs: number;
  readonly settings: readonly {
    readonly key: string;
    readonly label: string;
    readonly values: Readonly<Record<string, SettingValue>>;
  }[];
  readonly seeds: readonly number[];
  readonly dropped: readonly {
    readonly label: string;
    readonly values: Readonly<Record<string, SettingValue>>;
    readonly problem: Problem;
  }[];
  readonly duplicates: number;
  readonly combinations: number;
  /** Settings with values that follow from others, by name. */
  readonly derived: Readonly<Record<string, DerivedSetting>>;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Warning[];
  /** Different memory plans, the largest first. */
  readonly groups: readonly PlanGroup[];
  /** Settings that the fit check has not come to within the budget of the call: ask again, what is done is remembered. */
  readonly pending: number;
  /** Null when there is nothing to check, or no such device. */
  readonly device: FitDevice | null;
  /** Why there is no device. */
  readonly deviceProblem: string | null;
  /** Of all runs, one after the other. */
  readonly seconds: Range | null;
  readonly basis: TimeBasis;
  readonly cost: Cost | null;
  /** For the largest plan. */
  readonly suggestions: readonly Suggestion[];
  /** The different schedules, where the steps of a run are known. */
  readonly schedules: readonly DrawnSchedule[];
}

/** Memory over one program of the step. */
export interface ProgramOccupancy {
  readonly name: string;
  readonly rows: number;
  /** How often it runs in one optimizer step; 0 for evaluation and sampling. */
  readonly repeats: number;
  readonly arenaBytes: number;
  readonly heldBytes: number;
  /** Most bytes of temporaries held in each stretch of the program. */
  readonly points: Float64Array;
  /** Where the phases begin, as indices into `points`, in order. */
  readonly phases: readonly { readonly name: string; readonly from: number }[];
}

export interface FitReport extends FitChecks {
  readonly config: Config;
  readonly device: FitDevice;
  readonly plan: FitPlan;
  /** Every program of the step in its order; empty unless asked for. */
  readonly programs: readonly ProgramOccupancy[];
}

export interface GpuInfo {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly memoryBytes: number | null;
  /** In this machine. */
  readonly installed: boolean;
  readonly verified: boolean;
}

/** A sweep as lists show it. */
export interface ListedSweep extends SweepRecord {
  /** Set while all of its runs are in the bin. */
  readonly deletedAt: number | null;
}

export interface QueueState {
  /** No further run is begun, because the user wants so. */
  readonly paused: boolean;
  /** Why the database takes nothing, so that training waits and runs can neither be begun nor ended; null: it does. Tried again by itself. */
  readonly trouble: string | null;
  readonly concurrency: number;
  /** Ids of the runs in training. */
  readonly running: readonly string[];
  /** Ids of the runs that wait, in their order. */
  readonly waiting: readonly string[];
}

/** Where a running run stands. */
export interface RunProgress {
  readonly runId: string;
  readonly step: number;
  readonly plannedSteps: number | null;
  readonly tokens: number;
  /** 0 … 1 */
  readonly fraction: number | null;
  /** Seconds. */
  readonly eta: number | null;
  /** `starting`, `preparing data`, `building`, `training`, `evaluating` … */
  readonly phase: string;
  readonly tokensPerSecond: number | null;
}

/** Of the dataset that a corpus and a tokenizer make. */
export interface DataStats {
  readonly trainBytes: number;
  readonly validationBytes: number;
  /** EOS included. */
  readonly trainTokens: number;
  readonly validationTokens: number;
  readonly trainDocuments: number;
  readonly validationDocuments: number;
  /** Training text bytes per training token (EOS included). */
  readonly bytesPerToken: number;
  /** Fraction of validation tokens whose id never occurs in training. */
  readonly unseenTokenFraction: number;
  /** Fraction of validation documents that occur word for word in training. */
  readonly duplicateFraction: number;
  /** Different token ids in training. */
  readonly usedVocabulary: number;
  /** Tokens of the longest document of either side, its EOS included. */
  readonly longestDocument: number;
}

export interface TokenizerInfo {
  readonly kind: string;
  readonly vocabularySize: number;
}

export interface DataSummary {
  readonly contentHash: string;
  readonly stats: DataStats;
  readonly tokenizer: TokenizerInfo;
}

/** What is known of a corpus beside its tokens: it depends on where the text is from, not on the text alone. */
export interface DataFacts extends DataSummary {
  /** Bits per byte of the validation text that no model can get below on average; null where it is unknown. */
  readonly entropyFloor: number | null;
  /** Standard error of it. */
  readonly entropyFloorError: number | null;
  readonly reading: ReadingSummary;
}

export interface PreparedData extends DataSummary {
  /** Null where it was prepared by something that did not say. */
  readonly corpus: string | null;
  readonly bytesOnDisk: number;
}

/** A preparation of a large text that was begun and is not finished: one with the same settings goes on from there. */
export interface UnfinishedData {
  readonly id: string;
  /** What it is of; null where an earlier version has begun it. */
  readonly corpus: string | null;
  readonly tokenizer: TokenizerInfo | null;
  /** Settings of the text and the tokenizer. */
  readonly settings: Config | null;
  /** Bytes of text whose tokens are kept, and of the whole text; null until it was read once. */
  readonly doneBytes: number;
  readonly totalBytes: number | null;
  readonly bytesOnDisk: number;
  /** Milliseconds since 1970. */
  readonly touchedAt: number;
  /** Whether a process works on it now. */
  readonly working: boolean;
}

/** Progress of a preparation, for a progress bar. */
export interface DataProgress {
  readonly phase: 'download' | 'unpack' | 'read' | 'tokenizer' | 'encode' | 'save';
  /** 0 … 1, or null while the total is unknown. */
  readonly fraction: number | null;
  readonly etaSeconds: number | null;
  /** What is being worked on, for example a file name. */
  readonly detail?: string;
  readonly bytes?: number;
  readonly totalBytes?: number;
  readonly bytesPerSecond?: number;
}

export interface Token {
  readonly id: number;
  /** Empty for special tokens. */
  readonly bytes: Uint8Array;
}

export interface SampleText {
  readonly text: string;
  readonly tokens: number;
}

/** Short trainings before a long run; see main/lab/probes. */
export const CHECK_NAMES = ['preflight', 'overfit', 'lr-range', 'batch-frontier', 'noise-scale'] as const;
export type CheckName = (typeof CHECK_NAMES)[number];
/** Most that a page may ask for. */
export const MOST_CHECK_STEPS = 50_000;

/** How far a check is. */
export interface CheckProgress {
  readonly check: CheckName;
  /** What is being done. */
  readonly what: string;
  /** 0 … 1, or null while nobody knows. */
  readonly share: number | null;
}

export interface CheckAnswer {
  /** Whether all is well. */
  readonly ok: boolean;
  /** For people. */
  readonly lines: readonly string[];
  /** What is drawn of it, where there is anything. */
  readonly plot: CheckPlot | null;
  /** Steps that may tell what these did not; null where more would tell nothing. */
  readonly moreSteps: number | null;
}

export interface CheckAxis {
  readonly name: string;
  /** As of a metric; `at`: ticks stand where the values are. */
  readonly unit: string;
  readonly log: boolean;
  /** First and last value that is shown, instead of all of them. */
  readonly frame?: readonly [number, number];
}

/** What a check measured, as curves over one axis. */
export interface CheckPlot {
  readonly title: string;
  readonly x: CheckAxis;
  readonly y: CheckAxis;
  /** A second one, at the right. */
  readonly right: CheckAxis | null;
  readonly lines: readonly {
    readonly name: string;
    readonly x: readonly number[];
    /** Null: a gap. */
    readonly y: readonly (number | null)[];
    readonly right?: boolean;
    /** What another line smooths. */
    readonly faint?: boolean;
    /** Few points, each of which was measured by itself. */
    readonly dots?: boolean;
  }[];
  /** Shaded from and to, along both axes; null reaches the frame. */
  readonly bands: readonly {
    readonly name: string;
    readonly x: readonly [number, number | null] | null;
    readonly y: readonly [number, number | null] | null;
  }[];
  readonly marks: readonly { readonly name: string; readonly axis: 'x' | 'y'; readonly at: number }[];
}

/** The sequences of a step as text. */
export interface BatchText {
  /** The first of them. */
  readonly rows: readonly string[];
  readonly sequences: number;
}

/** Text that a run wrote after an evaluation. */
export interface RunSample {
  readonly step: number;
  readonly text: string;
  readonly at: number;
}

export interface Checkpoint {
  readonly runId: string;
  readonly kind: CheckpointKind;
  readonly step: number;
  readonly path: string;
  readonly valLoss: number | null;
  readonly savedAt: number;
  readonly bytes: number | null;
}

/** A file ready to be fetched. */
export interface Download {
  /** Relative to the page, where the lab is served over http; null where it is not. */
  readonly url: string | null;
  readonly name: string;
  readonly bytes: number;
}

export interface Notice {
  readonly level: 'info' | 'good' | 'warn' | 'bad';
  readonly message: string;
  readonly details?: string;
  /** Of a view, for example `/run/ID`. */
  readonly path?: string;
  /** What it is about, for example the path of a sweep: a later notice about the same replaces it. */
  readonly about?: string;
}

/** A sweep over a program, before anything is started. */
export interface ProgramPlan {
  /** What is wrong, in words; then nothing can be started. */
  readonly problems: readonly string[];
  /** What keeps it from being handed out to agents. */
  readonly agentProblems: readonly string[];
  readonly runs: number;
  readonly settings: number;
  /** As the system knows it. */
  readonly folder: string;
  /** The first of them, as one would type them. */
  readonly commands: readonly string[];
  /** Why a page cannot have it started here; null: it can. */
  readonly denied: string | null;
  /** What earlier runs of the script needed; null: none was measured. */
  readonly memory: EarlierMemory | null;
  /** Bytes of the smallest card, null without one, and of this machine. */
  readonly cardBytes: number | null;
  readonly hostBytes: number;
}

/** The most memory that earlier runs of a script took, as measured. */
export interface EarlierMemory {
  readonly script: string;
  /** That were measured. */
  readonly runs: number;
  readonly card: MeasuredMemory | null;
  readonly host: MeasuredMemory | null;
}

export interface MeasuredMemory {
  readonly bytes: number;
  /** The run that took the most, and its name. */
  readonly run: string;
  readonly name: string;
}
