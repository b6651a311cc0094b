/** Runs, sweeps, their events and checkpoints, as every part of Sweeplab sees them. Times are milliseconds since 1970. */

import type { Config, SettingValue } from './settings.ts';

export const RUN_STATES = ['queued', 'running', 'finished', 'failed', 'stopped'] as const;

/**
 * `queued` waits for its turn (also: to be resumed), `running` is being trained, `finished` reached a stop rule,
 * `failed` ended by an error (its reason says which), `stopped` was ended or cancelled by the user.
 */
export type RunState = (typeof RUN_STATES)[number];

export const RUN_ORIGINS = ['sweeplab', 'program', 'wandb', 'import'] as const;

/**
 * Where a run comes from: `sweeplab` trains it itself, `program` is a command that Sweeplab starts, `wandb` is a script that reports
 * through the W&B endpoint, `import` was read from a file. The queue takes only what its places can train: a run of `wandb` or `import` is
 * never started, and never queued again when a host finds it unfinished.
 */
export type RunOrigin = (typeof RUN_ORIGINS)[number];

const STOP_CAUSES = ['cancelled', 'sweep', 'interrupted', 'killed', 'pruned'] as const;

/**
 * Why a run is `stopped`. `cancelled`: the user does not want this run. `sweep`: stopped together with its sweep. `interrupted`:
 * Sweeplab was told to end (Ctrl-C). `killed`: its process is gone without a word; the app goes on with it at its next start. `pruned`: the
 * search method saw no promise in it. Resuming a sweep takes up what was stopped with it, interrupted or killed; never what was cancelled or
 * pruned.
 */
export type StopCause = (typeof STOP_CAUSES)[number];

/**
 * What the run ran on, and what it was trained and scored on. Further entries are kept and shown. Runs of earlier versions lack
 * `scoredText` and `tokenizer` (see DatasetInfo in engine.ts).
 */
export interface RunEnvironment {
  readonly node?: string;
  readonly platform?: string;
  readonly cpu?: string;
  readonly executor?: string;
  readonly sweeplab?: string;
  readonly dataset?: string;
  readonly scoredText?: string;
  readonly tokenizer?: string;
  readonly [name: string]: string | number | boolean | null | undefined;
}

/** Final or latest numbers by metric name. Null stands for NaN or an infinity; the series keep the exact value. */
export type RunSummary = Readonly<Record<string, number | null>>;

/** What is started for a run of origin `program`: a person at this machine has asked for it. */
export interface ProgramCommand {
  /** The program and its arguments, as the system gets them, without a shell. `${envvar:NAME}` in them is read at the start. */
  readonly command: readonly string[];
  /** Where it starts. */
  readonly folder: string;
  /** Arguments with which it goes on from where it ended; null: it begins anew. */
  readonly resume: readonly string[] | null;
}

export interface RunRecord {
  /** Short; ids created later sort later. */
  readonly id: string;
  readonly name: string;
  readonly sweepId: string | null;
  /** Canonical hash of the varied settings without the seed: equal for the seeds of one setting. */
  readonly settingKey: string;
  readonly seed: number;
  readonly config: Config;
  readonly state: RunState;
  /** Why it ended, for example `stop.steps reached`, `diverged: loss is NaN at step 37`, `engine crashed: SIGKILL`. */
  readonly endReason: string | null;
  /** Only of stopped runs; null for those stopped by an older Sweeplab for a reason of its own. */
  readonly stopCause: StopCause | null;
  readonly origin: RunOrigin;
  /** Where it was last begun, for example `local`; null before. */
  readonly place: string | null;
  readonly tags: readonly string[];
  readonly note: string;
  readonly createdAt: number;
  /** Start of the first attempt. */
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** Milliseconds of the sessions of training that have ended: from each start to its end, without the time between them. */
  readonly trained: number;
  /** Begin of the session that trains now; null while none does. */
  readonly sessionAt: number | null;
  /** Optimizer steps done. */
  readonly steps: number;
  /** Training tokens seen. */
  readonly tokens: number;
  readonly summary: RunSummary;
  /** Trainable parameters; null until the model was built. */
  readonly parameters: number | null;
  readonly environment: RunEnvironment;
  readonly codeVersion: string;
  /** How often it was started: 0 before the first start. */
  readonly attempt: number;
  /** Path of the latest checkpoint. */
  readonly checkpoint: string | null;
  /** Index into the palette; equal for the seeds of one setting of a sweep. */
  readonly color: number;
  /** Set while the run is in the bin, from which it can be restored. */
  readonly deletedAt: number | null;
}

/** What the creator of a run decides; the rest has defaults. */
export interface NewRun {
  readonly name: string;
  readonly config: Config;
  readonly seed: number;
  readonly settingKey: string;
  readonly sweepId?: string | null;
  /** Default `sweeplab`. */
  readonly origin?: RunOrigin;
  /** Of origin `program`: what is started. */
  readonly program?: ProgramCommand;
  readonly tags?: readonly string[];
  readonly note?: string;
  /** Default `queued`. Imports create runs that have already ended; only runs of other origins may be created `running`. */
  readonly state?: RunState;
  readonly endReason?: string | null;
  readonly stopCause?: StopCause | null;
  readonly createdAt?: number;
  readonly startedAt?: number | null;
  readonly endedAt?: number | null;
  readonly steps?: number;
  readonly tokens?: number;
  readonly summary?: RunSummary;
  readonly parameters?: number | null;
  readonly environment?: RunEnvironment;
  readonly codeVersion?: string;
  readonly color?: number;
}

/** Numbers that move while a run trains; committed together with the points they belong to. */
export interface RunProgress {
  readonly steps?: number;
  readonly tokens?: number;
  /** Merged into the summary, entry by entry. */
  readonly summary?: RunSummary;
}

/** Changes to a run that are always allowed. The state has its own, guarded function. */
export interface RunPatch extends RunProgress {
  readonly name?: string;
  readonly note?: string;
  readonly parameters?: number | null;
  readonly environment?: RunEnvironment;
  readonly codeVersion?: string;
  readonly color?: number;
}

export const SWEEP_STATES = ['queued', 'running', 'paused', 'finished', 'stopped'] as const;
export type SweepState = (typeof SWEEP_STATES)[number];

export interface SweepRecord {
  readonly id: string;
  readonly name: string;
  /** The parsed sweep definition. */
  readonly spec: unknown;
  /** The definition as a sweep file: as the user wrote it, or written from flags or a form. */
  readonly yaml: string;
  /** What the planner decided: counts, dropped combinations with reasons, varied settings. */
  readonly plan: unknown;
  /**
   * How many runs may train side by side on a device while one of this sweep does: more do not fit into its memory, or are not wanted.
   * Null: no limit.
   */
  readonly concurrencyLimit: number | null;
  readonly origin: RunOrigin;
  readonly createdAt: number;
  readonly state: SweepState;
  /** Runs of the sweep by state, without deleted ones. */
  readonly counts: Readonly<Record<RunState, number>>;
}

export interface NewSweep {
  readonly name: string;
  readonly spec: unknown;
  readonly yaml?: string;
  readonly plan?: unknown;
  readonly concurrencyLimit?: number | null;
  /** Default `sweeplab`. */
  readonly origin?: RunOrigin;
  readonly state?: SweepState;
  readonly createdAt?: number;
}

export const RUN_EVENT_KINDS = ['state', 'log', 'warning', 'error'] as const;
export type RunEventKind = (typeof RUN_EVENT_KINDS)[number];

export interface RunEvent {
  /** Increases over the whole database: a reader that saw `seq` continues after it. */
  readonly seq: number;
  readonly runId: string | null;
  readonly at: number;
  readonly kind: RunEventKind;
  readonly message: string;
  /** For `state` events: `{ from, to }`, and the `cause` of a stop. */
  readonly data: unknown;
}

export interface NewRunEvent {
  readonly runId: string | null;
  readonly kind: Exclude<RunEventKind, 'state'>;
  readonly message: string;
  readonly at?: number;
  readonly data?: unknown;
}

export type CheckpointKind = 'last' | 'best';

/** A run keeps one checkpoint of each kind; a new one replaces the record of the old one. */
export interface CheckpointRecord {
  readonly runId: string;
  readonly kind: CheckpointKind;
  readonly step: number;
  readonly path: string;
  readonly valLoss: number | null;
  readonly savedAt: number;
}

/** `:` is "contains" for text, and `=` for everything else. */
export const COMPARISONS = ['=', '!=', '<', '<=', '>', '>=', ':'] as const;

/**
 * A condition on a run. `field` is a column (RUN_COLUMNS in preload/shared/runFilter.ts), a metric (`summary.val/loss`, or plainly
 * `val/loss`: it has a slash) or a setting (`config.model.depth`, or plainly `model.depth`). A value that is not there satisfies no
 * condition; one of another type is different, and in no order.
 */
export interface RunComparison {
  readonly field: string;
  readonly op: (typeof COMPARISONS)[number];
  readonly value: SettingValue;
}

export interface RunOrder {
  /** As in RunComparison. Runs without a value come last. */
  readonly field: string;
  readonly descending?: boolean;
}

export interface RunFilter {
  readonly ids?: readonly string[];
  readonly state?: RunState | readonly RunState[];
  readonly sweepId?: string;
  readonly settingKey?: string;
  /** Runs that carry all of these tags. */
  readonly tags?: readonly string[];
  readonly where?: readonly RunComparison[];
  /**
   * Words, parted by spaces, that must all occur in the id, name, note, state, reason, a tag, or the name of the sweep. Case does not
   * matter.
   */
  readonly search?: string;
  /** Further such words, which may hold spaces. */
  readonly words?: readonly string[];
  /** Default `no`. */
  readonly deleted?: 'no' | 'only' | 'any';
  /** Default: the oldest first. */
  readonly order?: RunOrder;
  readonly limit?: number;
  readonly offset?: number;
}
