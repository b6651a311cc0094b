/** The batches of a run as its settings plan them. */
import type { Config } from '../../../preload/contract/settings.ts';
import { BUILT_IN } from '../kind.ts';
import type { Kinds } from '../kind.ts';
import { accumulationFamily } from './accumulation/index.ts';
import type { AccumulationKind } from './accumulation/accumulation.ts';
import { lengthFamily } from './lengths/index.ts';
import { along, reachedAt } from './milestones.ts';
import type { Milestone, Milestones, Position, Unit } from './milestones.ts';
import { batchFamily } from './sizes/index.ts';

/** What one batch of a step is. */
export interface BatchShape {
  /** Tokens of each sequence. */
  readonly length: number;
  readonly sequences: number;
}

/** Steps in which nothing about the batch changes. */
export interface Stage extends BatchShape {
  /** Where it begins, with one batch in every step. */
  readonly from: Position;
  /** Infinite for the last one. */
  readonly steps: number;
}

/** How many tokens of a batch are scored; all of them unless padding is known. */
export type TokensOf = (shape: BatchShape) => number;

const everyToken: TokensOf = ({ length, sequences }) => length * sequences;
/** Far more stages than anybody draws: a list of milestones that long is not planned to its end. */
const MOST_STAGES = 10_000;

/** What of a growth a run ends before. */
export interface Unreached {
  readonly unit: Unit;
  /** What is not reached, and where each begins. */
  readonly list: readonly Milestone[];
  /** Where the run ends, in the same unit. */
  readonly end: number;
}

export class BatchPlan {
  /** How many batches a step takes. */
  readonly accumulation: AccumulationKind;
  /** What it reads. */
  readonly accumulationSettings: Config;
  /** Tokens of the sequences that evaluation and sampling take. */
  readonly context: number;
  readonly #lengths: Milestones;
  readonly #sizes: Milestones;
  readonly #counts: 'sequences' | 'tokens';
  readonly #config: Config;

  constructor(config: Config, kinds: Kinds = BUILT_IN) {
    const length = kinds.of(lengthFamily, config);
    const size = kinds.of(batchFamily, config);
    this.#config = config;
    this.context = config['model.context'] as number;
    this.#lengths = length.lengths(kinds.view(length, config), this.context);
    this.#sizes = size.sizes(kinds.view(size, config));
    this.#counts = size.counts;
    this.accumulation = kinds.of(accumulationFamily, config);
    this.accumulationSettings = kinds.view(this.accumulation, config);
  }

  /** Whether steps may take different numbers of batches. */
  get varies(): boolean {
    return this.accumulation.batches !== undefined;
  }

  /** Whether any step may have another batch than the first. */
  get changes(): boolean {
    return this.varies || this.#lengths.list.length > 1 || this.#sizes.list.length > 1;
  }

  #shape(length: number, size: number): BatchShape {
    return { length, sequences: this.#counts === 'tokens' ? Math.max(1, Math.floor(size / length)) : size };
  }

  /** One batch of the step that begins at `position`. */
  at(position: Position): BatchShape {
    return this.#shape(reachedAt(this.#lengths, position).value, reachedAt(this.#sizes, position).value);
  }

  /**
   * Sequences of each micro-batch that a batch is computed in, as even as they can be, the larger ones first.
   * At once are at most `batch.micro` sequences, or `batch.micro_tokens` tokens of them.
   */
  micros({ length, sequences }: BatchShape): readonly number[] {
    const [rows, tokens] = [this.#config['batch.micro'] as number, this.#config['batch.micro_tokens'] as number];
    const most = rows > 0 ? rows : tokens > 0 ? Math.max(1, Math.floor(tokens / length)) : sequences;
    const count = Math.ceil(sequences / most);
    const [least, larger] = [Math.floor(sequences / count), sequences % count];
    return Array.from({ length: count }, (_, i) => (i < larger ? least + 1 : least));
  }

  /** How a run goes through its shapes. @param tokensOf scored tokens of a batch, where not all of them are */
  stages(tokensOf: TokensOf = everyToken): Stage[] {
    const stages: Stage[] = [];
    let from: Position = { step: 0, tokens: 0 };
    while (stages.length < MOST_STAGES) {
      const shape = this.at(from);
      const tokens = tokensOf(shape);
      const steps = Math.min(
        ...[this.#lengths, this.#sizes].map(({ unit, list }) => {
          const next = list.find((each) => each.from > along(from, unit))?.from ?? Infinity;
          return unit === 'steps' ? next - from.step : Math.ceil((next - from.tokens) / tokens);
        }),
      );
      const last = stages.at(-1);
      // A milestone may change nothing, as where tokens hold no further sequence.
      if (last !== undefined && last.length === shape.length && last.sequences === shape.sequences)
        stages[stages.length - 1] = { ...last, steps: last.steps + steps };
      else stages.push({ ...shape, from, steps });
      if (steps === Infinity) break;
      from = { step: from.step + steps, tokens: from.tokens + steps * tokens };
    }
    return stages;
  }

  /** Every shape that a step of the run can have. Those that begin after its end in steps or tokens are left out. */
  shapes(): readonly BatchShape[] {
    const found = new Map<string, BatchShape>();
    const reached = ({ unit, list }: Milestones) => {
      const end = this.#config[`stop.${unit}`] as number;
      return list.filter(({ from }) => from === 0 || end === 0 || from < end);
    };
    const [lengths, sizes] = [reached(this.#lengths), reached(this.#sizes)];
    const add = (length: number, size: number): void => {
      const shape = this.#shape(length, size);
      found.set(`${shape.length} ${shape.sequences}`, shape);
    };
    if (this.#lengths.unit === this.#sizes.unit) {
      for (const { from } of [...lengths, ...sizes]) {
        const position = { step: from, tokens: from };
        add(reachedAt(this.#lengths, position).value, reachedAt(this.#sizes, position).value);
      }
    } else {
      // Which of the two changes first depends on how much a token takes, which padding and the number of batches decide.
      for (const { value: length } of lengths) for (const { value: size } of sizes) add(length, size);
    }
    return [...found.values()];
  }

  /** Where the settings end the run, in steps or tokens; undefined where other limits do, or the other unit does and its steps differ. */
  #endIn(unit: Unit): number | undefined {
    const limit = { steps: this.#config['stop.steps'] as number, tokens: this.#config['stop.tokens'] as number };
    if (this.varies || limit[unit === 'steps' ? 'tokens' : 'steps'] === 0) return limit[unit] || undefined;
    const left = (most: number, made: number): number => (most > 0 ? most - made : Infinity);
    for (const { from, length, sequences, steps } of this.stages()) {
      const tokens = length * sequences;
      const made = Math.min(left(limit.steps, from.step), Math.ceil(left(limit.tokens, from.tokens) / tokens));
      if (made <= steps) return unit === 'steps' ? from.step + made : from.tokens + made * tokens;
    }
    return undefined;
  }

  /** Lengths, or sizes, that begin where the run has ended, as far as settings say where that is. */
  unreached(of: 'lengths' | 'sizes'): Unreached | undefined {
    const { unit, list } = of === 'lengths' ? this.#lengths : this.#sizes;
    const end = list.length > 1 ? this.#endIn(unit) : undefined;
    const later = list.filter(({ from }) => end !== undefined && from >= end);
    return end === undefined || later.length === 0 ? undefined : { unit, list: later, end };
  }

  /** The shape whose micro-batches have the most tokens, and how many: what decides the memory. */
  largest(): BatchShape & { readonly micro: number } {
    const sized = this.shapes().map((shape) => ({ ...shape, micro: this.micros(shape)[0]! }));
    return sized.reduce((a, b) => (b.micro * b.length > a.micro * a.length ? b : a));
  }
}

/** @throws Error where the configuration names a kind that does not exist */
export const batchPlan = (config: Config, kinds?: Kinds): BatchPlan => new BatchPlan(config, kinds);
