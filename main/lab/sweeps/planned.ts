/** What a sweep becomes: its settings, its runs, what was left out and why. */
import { createHash } from 'node:crypto';
import type { Config, Problem, Warning } from '../../../preload/contract/settings.ts';
import type { Values } from './combine.ts';
import type { DerivedSettings } from './derived.ts';

export interface PlannedSetting {
  /** Hash of the varied values, the same in every sweep that has this combination. */
  readonly key: string;
  /** Values of the parameters that have an effect here, by name. */
  readonly values: Values;
  /** `width=64 depth=2` */
  readonly label: string;
}

export interface PlannedRun {
  readonly name: string;
  readonly seed: number;
  readonly settingKey: string;
  readonly config: Config;
}

export interface Dropped {
  readonly values: Values;
  readonly label: string;
  /** Why: `value`, the code of a rule, or `constraint` (of the sweep: its setting is `constraints.INDEX`). */
  readonly problem: Problem;
}

export interface SweepPlan {
  readonly settings: readonly PlannedSetting[];
  /** The same for every setting. */
  readonly seeds: readonly number[];
  /** All seeds of the first setting, then of the second, and so on. */
  readonly runs: readonly PlannedRun[];
  readonly dropped: readonly Dropped[];
  /** Combinations left out because they are the same run as an earlier one. */
  readonly duplicates: number;
  /** Combinations looked at: settings + dropped + duplicates. */
  readonly combinations: number;
  /** Values that follow from other settings. */
  readonly derived: DerivedSettings;
  readonly warnings: readonly Warning[];
  /** When not empty nothing may start. */
  readonly problems: readonly Problem[];
}

/** Hash of values by name, sorted: 64 bits, as 16 hexadecimal digits. */
export function settingKey(values: Values): string {
  const sorted = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 16);
}
