/** What the recorded steps say about how a run trained: verdicts with the numbers behind them. */
import { median, quantileSorted, sortedFinite } from '../../../preload/shared/statistics/describe.ts';
import {
  formatMemory,
  formatCount,
  formatInteger,
  formatPercent,
  formatValue,
  plural,
} from '../../../preload/shared/format.ts';

/** Points of one metric as logged, one per recorded step. */
export interface Logged {
  readonly step: ArrayLike<number>;
  readonly value: ArrayLike<number>;
}

export interface HealthInput {
  /** Before clipping. */
  readonly gradNorm?: Logged;
  readonly trainLoss?: Logged;
  readonly tokensPerSecond?: Logged;
  readonly memory?: Logged;
  readonly validationLoss?: Logged;
  /** ‖Δw‖ ÷ ‖w‖ at single steps, by role of the parameters: matrix, embedding, head, vector. */
  readonly updates?: Readonly<Record<string, Logged>>;
  /** `optimizer.clip`; 0 is off. */
  readonly clip: number;
}

export type Tone = 'good' | 'warn' | 'bad' | 'info';

export interface Verdict {
  readonly about: string;
  readonly tone: Tone;
  readonly text: string;
  /** Numbers and rules behind it. */
  readonly detail: string;
}

/** A step stands out when it lies this many robust standard deviations (1.4826 × median distance) above the steps before it. */
const SPIKE = 6;
/** Steps before, that a step is compared with. */
const WINDOW = 50;
/** Fewer recorded steps say nothing about pace and memory. */
const FEW = 20;
/** Normally distributed values: standard deviation ÷ median distance from the median. */
const ROBUST = 1.4826;

const notFinite = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((count, value) => count + (Number.isFinite(value) ? 0 : 1), 0);

export interface Spike {
  readonly step: number;
  readonly value: number;
  /** Median of the steps before. */
  readonly usual: number;
}

/**
 * Steps whose value lies far above that of the 50 recorded steps before. Neighbours count once, with their highest value. The first 50 steps are
 * never compared: the loss falls too fast there.
 */
export function spikesOf({ step, value }: Logged): Spike[] {
  const found: Spike[] = [];
  let lastAt = -Infinity;
  for (let i = WINDOW; i < value.length; i++) {
    if (!Number.isFinite(value[i])) continue;
    const before = Float64Array.from({ length: WINDOW }, (_, k) => value[i - WINDOW + k]);
    const usual = median(before);
    // Cheap to exclude, and nearly all steps are: what is not above the middle cannot stand out.
    if (!(value[i] > usual)) continue;
    const spread = ROBUST * median(before.map((each) => Math.abs(each - usual)));
    // Equal values have no spread; rounding must not make spikes of them.
    if (!(value[i] - usual > SPIKE * Math.max(spread, 1e-3 * Math.abs(usual)))) continue;
    const previous = found.at(-1);
    if (previous !== undefined && i - lastAt <= 3) {
      if (value[i] > previous.value) found[found.length - 1] = { ...previous, step: step[i], value: value[i] };
    } else found.push({ step: step[i], value: value[i], usual });
    lastAt = i;
  }
  return found;
}

export interface Clipping {
  readonly steps: number;
  readonly clipped: number;
}

/** A gradient is clipped when its norm is above the threshold; norms are recorded before clipping. */
export function clippingOf({ value }: Logged, clip: number): Clipping {
  let steps = 0;
  let clipped = 0;
  for (let i = 0; i < value.length; i++) {
    if (!Number.isFinite(value[i])) continue;
    steps++;
    if (clip > 0 && value[i] > clip) clipped++;
  }
  return { steps, clipped };
}

export function healthOf(input: HealthInput): Verdict[] {
  const verdicts: Verdict[] = [];
  const { gradNorm, trainLoss, tokensPerSecond, memory, validationLoss, clip } = input;
  const bad = [
    ['train/loss', trainLoss],
    ['grad/norm', gradNorm],
  ] as const;
  if (trainLoss !== undefined && trainLoss.value.length > 0) {
    const counts = bad.map(([name, logged]) => [name, logged === undefined ? 0 : notFinite(logged.value)] as const);
    const wrong = counts.filter(([, count]) => count > 0);
    verdicts.push(
      wrong.length === 0
        ? {
            about: 'Finite numbers',
            tone: 'good',
            text: `Loss and gradient norm were finite in all ${plural(trainLoss.value.length, 'recorded step')}`,
            detail: 'A step with NaN or an infinity leaves the weights as they were and ends the run.',
          }
        : {
            about: 'Finite numbers',
            tone: 'bad',
            text: wrong.map(([name, count]) => `${name} was NaN or infinite in ${plural(count, 'step')}`).join(', '),
            detail:
              'The weights are those before that step. A lower learning rate, clipping or a longer warm-up mostly help.',
          },
    );
  }
  if (gradNorm !== undefined && gradNorm.value.length > 0) verdicts.push(clippingVerdict(gradNorm, clip));
  if (input.updates !== undefined) verdicts.push(...updateVerdict(input.updates));
  if (trainLoss !== undefined && trainLoss.value.length > WINDOW) {
    const spikes = spikesOf(trainLoss);
    const worst = spikes.reduce<Spike | undefined>(
      (most, spike) => (most === undefined || spike.value - spike.usual > most.value - most.usual ? spike : most),
      undefined,
    );
    verdicts.push({
      about: 'Loss spikes',
      tone: spikes.length === 0 ? 'good' : 'warn',
      text:
        worst === undefined
          ? 'The training loss has no spikes'
          : `${plural(spikes.length, 'spike')} of the training loss; the highest at step ${formatInteger(worst.step)}: ${formatValue(worst.value)} where ${formatValue(worst.usual)} was usual`,
      detail: `A spike lies more than ${SPIKE} robust standard deviations above the median of the ${WINDOW} recorded steps before it.`,
    });
  }
  if (validationLoss !== undefined && validationLoss.value.length > 2) verdicts.push(overfitting(validationLoss));
  if (tokensPerSecond !== undefined && tokensPerSecond.value.length >= FEW) verdicts.push(pace(tokensPerSecond));
  if (memory !== undefined && memory.value.length >= FEW) verdicts.push(growth(memory));
  return verdicts;
}

function clippingVerdict(gradNorm: Logged, clip: number): Verdict {
  const { steps, clipped } = clippingOf(gradNorm, clip);
  const all = sortedFinite(gradNorm.value);
  const numbers = `Norm before clipping: median ${formatValue(quantileSorted(all, 0.5))}, 95th percentile ${formatValue(quantileSorted(all, 0.95))}, largest ${formatValue(all.at(-1))}, ${plural(steps, 'recorded step')}.`;
  if (!(clip > 0))
    return {
      about: 'Gradient clipping',
      tone: 'info',
      text: 'Gradients were not clipped (optimizer.clip is 0)',
      detail: numbers,
    };
  const share = clipped / Math.max(1, steps);
  return {
    about: 'Gradient clipping',
    tone: share > 0.5 ? 'warn' : 'good',
    text:
      clipped === 0
        ? `No gradient was clipped: all norms are below ${formatValue(clip)}`
        : `Gradients were clipped to ${formatValue(clip)} in ${formatPercent(share)} of the steps (${formatInteger(clipped)} of ${formatInteger(steps)})`,
    detail:
      share > 0.5 ? `${numbers} Clipped this often, the threshold sets the step size, not the gradient.` : numbers,
  };
}

/** Between these a step is of the usual size; 1e-3 is the rule of thumb. */
const USUAL_RATIO = { low: 1e-4, high: 1e-2 } as const;
const ROLES: Readonly<Record<string, string>> = {
  matrix: 'weights of layers',
  embedding: 'embeddings',
  head: 'output layer',
  vector: 'gains and biases',
};

/** Judged by the weights of layers: the first steps are large and the last ones small, so it is the middle that counts. */
function updateVerdict(updates: Readonly<Record<string, Logged>>): Verdict[] {
  const middles = Object.entries(updates).flatMap(([role, { value }]) => {
    const all = sortedFinite(value);
    return all.length === 0 ? [] : [{ role, usual: quantileSorted(all, 0.5), count: all.length }];
  });
  const main = middles.find(({ role }) => role === 'matrix') ?? middles[0];
  if (main === undefined) return [];
  const { usual, role } = main;
  const what = ROLES[role] ?? role;
  const side = usual > USUAL_RATIO.high ? 'long' : usual < USUAL_RATIO.low ? 'short' : 'usual';
  const numbers = middles.map((each) => `${ROLES[each.role] ?? each.role} ${formatValue(each.usual, 2)}`).join(', ');
  const advice = {
    usual: '',
    long: ' Small models in short runs may do well with more; if the loss is restless, lower the learning rate or warm up longer.',
    short: ' The weights hardly move: a higher learning rate may learn faster.',
  }[side];
  return [
    {
      about: 'Update sizes',
      tone: side === 'usual' ? 'good' : 'info',
      text: `A step moves the ${what} by ${formatValue(usual, 2)} of their length${side === 'usual' ? ', as is usual' : `, a ${side} step`}`,
      detail: `Median of ‖Δw‖ ÷ ‖w‖ over ${plural(main.count, 'measured step')}: ${numbers}. About 1e-3 is usual, and 1e-4 to 1e-2 in order.${advice}`,
    },
  ];
}

function overfitting({ step, value }: Logged): Verdict {
  let best = 0;
  for (let i = 1; i < value.length; i++) if (!(value[i] >= value[best])) best = i;
  const last = value.length - 1;
  const behind = value[last] - value[best];
  const worse = behind > 0.01 * Math.abs(value[best]);
  return {
    about: 'Validation',
    tone: worse ? 'warn' : 'good',
    text: worse
      ? `val/loss ends ${formatValue(behind)} above its best, ${formatValue(value[best])} at step ${formatInteger(step[best])}`
      : best === last
        ? `val/loss is at its best at the end: ${formatValue(value[last])}`
        : `val/loss ends within 1 % of its best (${formatValue(value[best])} at step ${formatInteger(step[best])})`,
    detail: `${plural(value.length, 'evaluation')}. The checkpoint of the best one is kept while log.keep_best is on.`,
  };
}

function pace({ value }: Logged): Verdict {
  const all = sortedFinite(value);
  const usual = quantileSorted(all, 0.5);
  const slow = all.filter((each) => each < usual / 2).length / all.length;
  return {
    about: 'Pace',
    tone: slow > 0.05 ? 'warn' : 'good',
    text: `${formatCount(usual)} tokens/s in the middle${slow > 0 ? `; ${formatPercent(slow)} of the steps took more than twice as long` : ''}`,
    detail: `5th to 95th percentile: ${formatCount(quantileSorted(all, 0.05))} to ${formatCount(quantileSorted(all, 0.95))} tokens/s over ${plural(all.length, 'recorded step')}. Other work on the machine slows steps down.`,
  };
}

/** The first half warms caches and pools up; what is held should not grow in the second. */
function growth({ value }: Logged): Verdict {
  const half = Math.floor(value.length / 2);
  const middle = median(Array.from(value).slice(half, half + Math.max(1, Math.floor(value.length / 10))));
  const end = median(Array.from(value).slice(-Math.max(1, Math.floor(value.length / 10))));
  const grown = end - middle;
  const leaks = grown > Math.max(0.05 * middle, 32 * 2 ** 20);
  return {
    about: 'Memory',
    tone: leaks ? 'warn' : 'good',
    text: leaks
      ? `The engine's memory grew by ${formatMemory(grown)} in the second half of the run`
      : `The engine's memory is steady: ${formatMemory(end)} at the end`,
    detail: `Resident memory of the engine's process; the largest was ${formatMemory(sortedFinite(value).at(-1))}.`,
  };
}
