/** What a sweep is: the W&B sweep schema, and Sweeplab's extensions (seeds, constraints, when, recipe, settings, sweep_seed). */
import type { DraftEarlyTerminate, DraftMetric } from '../../../preload/contract/shapes.ts';
import type { SettingValue } from '../../../preload/contract/settings.ts';
import type { Distribution } from '../../../preload/shared/sweeps/distributions.ts';

export const METHODS = ['grid', 'random', 'bayes', 'custom'] as const;
export type Method = (typeof METHODS)[number];

export interface Parameter {
  /** Dotted name of a setting. */
  readonly name: string;
  readonly distribution: Distribution;
  /** Varied only where this expression holds; elsewhere the base value stays. */
  readonly when?: string;
  /** `file.yaml:3:5` */
  readonly where?: string;
}

export type Metric = DraftMetric;
export type EarlyTerminate = DraftEarlyTerminate;

export interface SweepSpec {
  readonly method: Method;
  readonly name?: string;
  readonly description?: string;
  readonly metric?: Metric;
  readonly metrics?: readonly Metric[];
  readonly earlyTerminate?: EarlyTerminate;
  /** Most runs, seeds counted; settings are never left with some of their seeds. */
  readonly runCap?: number;
  readonly parameters: readonly Parameter[];
  /** Keys that only W&B acts on (program, command, project …), kept for the way back. */
  readonly wandb: Readonly<Record<string, unknown>>;
  /** The same seeds for every setting: how many (from the base seed on), or which. */
  readonly seeds?: number | readonly number[];
  /** Expressions that every run must satisfy. */
  readonly constraints: readonly string[];
  readonly recipe?: string;
  /** Settings that all runs share. */
  readonly settings: Readonly<Record<string, SettingValue>>;
  /** Seed of the random method. */
  readonly sweepSeed: number;
}

/** Top-level keys that are Sweeplab's and that W&B would refuse. */
export const EXTENSION_KEYS = ['seeds', 'constraints', 'recipe', 'settings', 'sweep_seed'] as const;

/** An empty sweep to build on. */
export const EMPTY_SWEEP: SweepSpec = {
  method: 'grid',
  parameters: [],
  wandb: {},
  constraints: [],
  settings: {},
  sweepSeed: 0,
};
