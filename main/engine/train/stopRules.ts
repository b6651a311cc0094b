/**
 * When a run ends. Rules are looked at after every update (`stop.loss` after an evaluation), so a run makes at least one
 * update and `stop.steps: 10` makes exactly 10. The first rule reached ends the run; 0 switches a rule off.
 *
 *   stop.steps                 updates made
 *   stop.epochs                passes over the training data: sequences drawn ÷ sequences of their length in an epoch
 *   stop.tokens                training tokens (scored targets)
 *   stop.seconds               seconds spent in training steps, without evaluations, checkpoints and samples; kept over a resume
 *   stop.loss                  val/loss of an evaluation, in nats per token
 *   stop.tokens_per_parameter  training tokens ÷ parameters, of which stop.counted_parameters says which count
 *   stop.flops                 floating-point operations of training, padding included
 */
import type { Config } from '../../../preload/contract/settings.ts';
import { formatInteger } from '../../../preload/shared/format.ts';
import type { ParameterCounts } from '../nn/parameterCounts.ts';
import type { CountedParameters } from '../settings/stop.ts';

/** What a run has done so far. */
export interface Counters {
  readonly steps: number;
  readonly tokens: number;
  readonly sequences: number;
  /** Passes over the training data. */
  readonly epochs: number;
  readonly seconds: number;
  readonly flops: number;
}

/** What each of some steps amounts to, as planned, and how many steps that are: infinitely many of the last ones. */
export interface PlannedSteps {
  readonly steps: number;
  readonly tokens: number;
  readonly epochs: number;
  readonly flops: number;
}

export interface PlannedRun {
  /** In their order, the steps of a run of which nobody knows the end. */
  readonly stages: readonly PlannedSteps[];
  readonly parameterCounts: ParameterCounts;
  /** Whether steps may take more than planned: only a limit in steps then says how many there will be. */
  readonly varies?: boolean;
}

type Amount = Exclude<keyof PlannedSteps, 'steps'>;

/** What so many steps amount to. */
export function plannedAfter(stages: readonly PlannedSteps[], count: number, of: Amount): number {
  let left = count;
  let amount = 0;
  for (const { steps, [of]: perStep } of stages) {
    const made = Math.min(left, steps);
    if (made <= 0) break;
    amount += made * perStep;
    left -= made;
  }
  return amount;
}

/** No rule would ever end the run. */
export class StopRuleError extends Error {
  override readonly name = 'StopRuleError';
}

interface Rule {
  readonly setting: string;
  readonly limit: number;
  readonly unit: string;
  /** Share of the way to the limit; reached at 1. */
  readonly done: (counters: Counters) => number;
  /** Share of the way in time, where steps do not all take the same. */
  readonly share: (counters: Counters) => number;
  /** Steps at which the rule is reached, when that can be known. */
  readonly steps: number | undefined;
  /** The limit as it was set, with what it counts where that is a choice. */
  readonly words: string;
}

/** Whole steps that cover `amount`; a quotient that is whole but for rounding is not rounded up. */
function stepsFor(stages: readonly PlannedSteps[], amount: number, of: Amount): number {
  let left = amount;
  let made = 0;
  for (const { steps, [of]: perStep } of stages) {
    const needed = Math.ceil(left / perStep - 1e-9);
    if (needed <= steps) return Math.max(1, made + needed);
    left -= steps * perStep;
    made += steps;
  }
  return Math.max(1, made);
}

export class StopRules {
  readonly #rules: readonly Rule[];
  readonly #targetLoss: number;

  constructor(config: Config, { stages, parameterCounts, varies = false }: PlannedRun) {
    const counted = config['stop.counted_parameters'] as CountedParameters;
    const parameters = parameterCounts[counted];
    const limit = (name: string): number => config[`stop.${name}`] as number;
    const rule = (
      name: string,
      unit: string,
      done: (counters: Counters) => number,
      steps: (limit: number) => number | undefined,
      share = done,
    ): Rule => ({
      setting: `stop.${name}`,
      limit: limit(name),
      unit,
      done,
      share,
      words: `stop.${name} ${limit(name)}`,
      steps: varies && name !== 'steps' ? undefined : steps(limit(name)),
    });
    const work = (steps: number): number => plannedAfter(stages, steps, 'flops');
    const allWork = work(limit('steps'));
    this.#rules = [
      rule(
        'steps',
        'steps',
        (c) => c.steps / limit('steps'),
        (n) => n,
        // Long sequences and large batches take longer.
        (c) => work(c.steps) / allWork,
      ),
      rule(
        'epochs',
        'epochs',
        (c) => c.epochs / limit('epochs'),
        (n) => stepsFor(stages, n, 'epochs'),
      ),
      rule(
        'tokens',
        'tokens',
        (c) => c.tokens / limit('tokens'),
        (n) => stepsFor(stages, n, 'tokens'),
      ),
      rule(
        'seconds',
        'seconds of training',
        (c) => c.seconds / limit('seconds'),
        () => undefined,
      ),
      {
        ...rule(
          'tokens_per_parameter',
          'tokens per parameter',
          (c) => c.tokens / (limit('tokens_per_parameter') * parameters),
          (n) => stepsFor(stages, n * parameters, 'tokens'),
        ),
        words: `stop.tokens_per_parameter ${limit('tokens_per_parameter')} × ${formatInteger(parameters)} parameters (${counted})`,
      },
      rule(
        'flops',
        'FLOPs',
        (c) => c.flops / limit('flops'),
        (n) => stepsFor(stages, n, 'flops'),
      ),
    ].filter((each) => each.limit > 0);
    this.#targetLoss = limit('loss');
    if (this.#rules.length === 0 && this.#targetLoss === 0)
      throw new StopRuleError(
        'no stop rule is on: set at least one of stop.steps, stop.epochs, stop.tokens, stop.seconds, stop.loss, ' +
          'stop.tokens_per_parameter and stop.flops above 0',
      );
  }

  /** Steps after which the run is expected to end; undefined when only time or a target loss can end it. */
  get plannedSteps(): number | undefined {
    const known = this.#rules.map((rule) => rule.steps).filter((steps) => steps !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  /** The limit that is expected to end the run, in words: the first of those whose step is known, else whichever counts something. */
  get limit(): string | undefined {
    const first = this.#rules.find(({ steps }) => steps !== undefined && steps === this.plannedSteps);
    return (first ?? this.#rules[0])?.words;
  }

  /** Why the run ends now, or undefined. The rules that count something are looked at in the order listed above. */
  reached(counters: Counters): string | undefined {
    if (counters.steps === 0) return undefined;
    const rule = this.#rules.find((each) => each.done(counters) >= 1 - 1e-12);
    return rule === undefined ? undefined : `${rule.setting} reached (${rule.limit} ${rule.unit})`;
  }

  /** Why an evaluation with this `val/loss` ends the run, or undefined. An evaluation before the first update never does. */
  reachedLoss(valLoss: number, steps: number): string | undefined {
    if (steps === 0 || this.#targetLoss === 0 || !(valLoss <= this.#targetLoss)) return undefined;
    return `stop.loss reached (val/loss ${valLoss.toPrecision(6)} ≤ ${this.#targetLoss} nats/token)`;
  }

  /** Share of the run that is done, 0 … 1, by the rule nearest to its limit; undefined when only a target loss is set. */
  fraction(counters: Counters): number | undefined {
    if (this.#rules.length === 0) return undefined;
    return Math.min(1, Math.max(...this.#rules.map((rule) => rule.done(counters))));
  }

  /**
   * Seconds of training left, from the seconds that this process needed for the share it has done since `since`. Undefined
   * until that is known.
   */
  secondsLeft(counters: Counters, since: Counters): number | undefined {
    const elapsed = counters.seconds - since.seconds;
    let left: number | undefined;
    for (const rule of this.#rules) {
      const done = rule.share(counters);
      const rate = (done - rule.share(since)) / elapsed;
      if (!(rate > 0) || !Number.isFinite(rate)) continue;
      const seconds = Math.max(0, 1 - done) / rate;
      if (left === undefined || seconds < left) left = seconds;
    }
    return left;
  }
}
