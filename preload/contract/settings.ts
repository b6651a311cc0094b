/**
 * What a setting is. Each setting is declared once with this shape; flags, config files, forms, validation, export
 * columns, grouping keys and the memory estimate follow from the declaration.
 */

/** The six questions a user asks of a run, and where a setting is shown. */
export type Question = 'data' | 'tokenizer' | 'capacity' | 'memory' | 'stability' | 'budget';

export type SettingValue = number | string | boolean;

/** A flat configuration: dotted setting name → value. Complete once resolved: every declared setting is present. */
export type Config = Readonly<Record<string, SettingValue>>;

export type SettingType =
  | { readonly kind: 'int'; readonly min?: number; readonly max?: number; readonly multipleOf?: number }
  | {
      readonly kind: 'float';
      readonly min?: number;
      readonly max?: number;
      /** True when `min` itself is not allowed. */
      readonly exclusiveMin?: boolean;
      /** True when `max` itself is not allowed. */
      readonly exclusiveMax?: boolean;
    }
  | { readonly kind: 'bool' }
  | {
      readonly kind: 'enum';
      readonly values: readonly string[];
      /** Those of {@link values} that a number may follow, for one of several: `cuda:1`. */
      readonly numbered?: readonly string[];
    }
  | {
      readonly kind: 'string';
      readonly pattern?: string;
      readonly patternHelp?: string;
      /** Values that are known to mean something; any other that the pattern allows may be given too. */
      readonly suggestions?: readonly string[];
    };

export interface SettingSpec {
  /** Dotted, `section.name` in lower snake case, for example `schedule.warmup_tokens`. */
  readonly name: string;
  readonly type: SettingType;
  /** True where the value may name files that are read: a page may name only what was opened for it. */
  readonly reads?: true;
  readonly default: SettingValue;
  /** Unit of the value: `tokens`, `steps`, `seconds`, `bytes`, `layers` … */
  readonly unit?: string;
  /** One line, shown beside the field and in `--help`. */
  readonly help: string;
  readonly question: Question;
  /** What changing it affects. */
  readonly touches?: readonly ('memory' | 'time' | 'stability')[];
  /**
   * How it enters the key under which memory plans are remembered. `value` (what is not said is safe): another value, another plan.
   * `switch`: only zero or not matters. `none`: it changes numbers only, never shapes.
   */
  readonly plan?: 'value' | 'switch' | 'none';
  /** Expression over other settings; when false the setting has no effect (and is hidden), for example `optimizer.kind == "sgd"`. */
  readonly when?: string;
  /**
   * What 0 stands for where it leaves the choice to others: an expression over other settings, for example `model.width / model.heads`.
   * Shown beside the 0; what trains follows from the code that reads the setting.
   */
  readonly auto?: string;
}

/** Another setting that would settle a problem too: the value that it has, and the nearest that does. */
export interface OtherChoice {
  readonly setting: string;
  readonly value: SettingValue;
  readonly nearest: SettingValue;
  /** What is allowed for it, where that is said in other words than of the first. */
  readonly allowed?: string;
}

/** One thing wrong with a configuration. Programs look at the fields; only people read the message. */
export interface SettingProblem {
  readonly setting: string;
  readonly value: unknown;
  /** What must hold, for example `an integer from 1 to 512`. Values to take instead are `nearest` and `others`, which are tried before they are named. */
  readonly allowed: string;
  /** All values that keep to it, where they are few; those that are refused for another reason are not named. */
  readonly choices?: readonly SettingValue[];
  /** The nearest valid choice, when there is one. */
  readonly nearest?: SettingValue;
  /** What the setting becomes where it gives way to others, where that is not the nearest valid choice, and why, in words. */
  readonly yielded?: { readonly value: SettingValue; readonly why: string };
  /** What else could be changed instead. */
  readonly others?: readonly OtherChoice[];
  /** The part of a distribution that it is about: `min`, `q`, `distribution` … */
  readonly field?: string;
  /** Why, with the numbers. */
  readonly why?: string;
  /** What is broken, the same for all configurations that break it: `model.width % model.heads`. */
  readonly rule?: string;
  /** The numbers of this configuration: `64 % 7 = 1`. */
  readonly numbers?: string;
  /** The whole message: setting, value, what is allowed, nearest; without its place in a file. */
  readonly message: string;
}

/** A problem with its kind, and where it stands. */
export interface Problem extends SettingProblem {
  /** Stable name of what is wrong: `unknown`, `value`, `duplicate`, `yaml`, `constraint`, or the code of a rule. */
  readonly code: string;
  /** `file.yaml:3:5` when it stands in a file. */
  readonly where?: string;
}

/** Something worth knowing that stops nothing. */
export interface Warning {
  /** Stable name: `no_effect`, `metric`, or the code of a rule. */
  readonly code: string;
  /** What it is about: a setting, or a key of the sweep. */
  readonly setting?: string;
  readonly message: string;
  /** In how many settings of a sweep, where it is more than one; the message says it too. */
  readonly count?: number;
}
