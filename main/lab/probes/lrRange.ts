/** The loss while the learning rate grows from step to step (Smith 2015), and the rates that it suggests. */
import { probe } from '../../engine/train/probe.ts';
import { prepareProbe } from './prepare.ts';
import type { ProbeRequest } from './prepare.ts';
import { givenTo, MORE_STEPS } from './reader.ts';
import type { Reader } from './reader.ts';

export interface RateRequest extends ProbeRequest {
  /** First and last rate; they grow by the same factor at each step. */
  readonly from: number;
  readonly to: number;
}

export interface RatePoint {
  readonly lr: number;
  /** Before the update at this rate. */
  readonly loss: number;
  /** Running mean over about ten steps, corrected for its start. */
  readonly smooth: number;
}

export interface RateRange {
  readonly points: readonly RatePoint[];
  /** Peak rates to try, from cautious to bold; undefined where the loss never fell. */
  readonly suggested: readonly [number, number] | undefined;
  /** Whether the loss rose again or ceased to be a number: otherwise larger rates might still be good. */
  readonly roseAt: number | undefined;
}

const SMOOTHING = 0.9;
/** Share of what was gained by which the loss must rise again for the rate to be too high. */
const RISEN = 0.5;
/** Share of it by which the running mean may rise by the chance of the batches alone. */
const CHANCE = 0.1;

export function smoothed(losses: readonly number[]): number[] {
  let mean = 0;
  return losses.map((loss, i) => {
    mean = SMOOTHING * mean + (1 - SMOOTHING) * loss;
    return mean / (1 - SMOOTHING ** (i + 1));
  });
}

/** The nearest of 1, 2, 3, 5 times a power of ten. */
export function roundRate(rate: number): number {
  const power = Math.floor(Math.log10(rate));
  const steps = [1, 2, 3, 5, 10];
  const part = rate / 10 ** power;
  const nearest = steps.reduce((a, b) => (Math.abs(Math.log(b / part)) < Math.abs(Math.log(a / part)) ? b : a));
  return Number(`${nearest}e${power}`);
}

/** From a third of the rate at which the loss was lowest down to where it fell fastest, or to a tenth of that where it is lower. */
export function suggest(points: readonly RatePoint[]): readonly [number, number] | undefined {
  const finite = points.filter(({ smooth }) => Number.isFinite(smooth));
  if (finite.length < 3) return undefined;
  const lowest = finite.reduce((best, each) => (each.smooth < best.smooth ? each : best));
  if (!(lowest.smooth < finite[0]!.smooth * 0.98)) return undefined;
  const until = finite.indexOf(lowest);
  let steepest = finite[0]!;
  let slope = 0;
  for (let i = 1; i <= until; i++) {
    const own = (finite[i]!.smooth - finite[i - 1]!.smooth) / Math.log(finite[i]!.lr / finite[i - 1]!.lr);
    if (own < slope) [steepest, slope] = [finite[i]!, own];
  }
  const high = roundRate(lowest.lr / 3);
  return [Math.min(roundRate(steepest.lr / 3), roundRate(lowest.lr / 10)), high];
}

/** Least that a loss is taken to gain, so that one that hardly fell is not at once called risen. */
const LEAST_GAIN = 0.1;
const gainOf = (smooth: readonly number[]): number => Math.max(LEAST_GAIN, smooth[0]! - Math.min(...smooth));

/** Losses that are worth a look: all that was gained, and as far above as tells that it rises. Undefined without a finite loss. */
export function rateFrame(points: readonly RatePoint[]): readonly [number, number] | undefined {
  const smooth = points.map((each) => each.smooth).filter(Number.isFinite);
  if (smooth.length === 0) return undefined;
  const [least, gain] = [Math.min(...smooth), gainOf(smooth)];
  return [Math.max(0, least - 0.15 * gain), least + (1 + RISEN) * gain];
}

/** Undefined when it was ended. @throws DataError, ExecutorUnavailableError, OutOfMemoryError */
export async function checkRates(request: RateRequest): Promise<RateRange | undefined> {
  const { config, kinds, steps, from, to } = request;
  const { data, executor } = await prepareProbe(request);
  const rate = (step: number): number => from * (to / from) ** (step / Math.max(1, steps - 1));
  const losses: number[] = [];
  let roseAt: number | undefined;
  let ended = false;
  await probe({
    config,
    kinds,
    data,
    executor,
    steps,
    batch: (step) => step,
    rate,
    onStep: (step, { loss }) => {
      losses.push(loss);
      const smooth = smoothed(losses);
      const [last, least] = [smooth.at(-1)!, Math.min(...smooth)];
      if (!Number.isFinite(loss) || last - least > RISEN * gainOf(smooth)) roseAt = rate(step);
      ended = !(
        request.onProgress?.(`rate ${rate(step).toPrecision(2)}, loss ${loss.toFixed(3)}`, step / steps) ?? true
      );
      return !ended && roseAt === undefined;
    },
  });
  if (ended) return undefined;
  const smooth = smoothed(losses);
  const points = losses.map((loss, i): RatePoint => ({ lr: rate(i), loss, smooth: smooth[i]! }));
  return { points, suggested: suggest(points), roseAt };
}

function roseWords(points: readonly RatePoint[], roseAt: number | undefined, to: number): string {
  if (roseAt !== undefined) return `The loss rises from ${roseAt.toPrecision(2)} on.`;
  const smooth = points.map((each) => each.smooth);
  const least = Math.min(...smooth);
  if (smooth.at(-1)! - least <= CHANCE * gainOf(smooth))
    return `The loss did not rise up to ${to}: larger rates may be good too.`;
  return `The loss is lowest near ${Number(points[smooth.indexOf(least)]!.lr.toPrecision(2))}; towards ${to} it begins to rise.`;
}

/** For people. @param to the last rate that was asked for */
export function rateWords({ points, suggested, roseAt }: RateRange, to: number, reader: Reader): string[] {
  const rise = roseWords(points, roseAt, to);
  if (suggested === undefined)
    return [
      rise,
      `It never fell: nothing can be suggested.${reader === 'terminal' ? ' Begin with a smaller rate (--from).' : ''} It may need ${MORE_STEPS[reader]}.`,
    ];
  const middle = Math.sqrt(suggested[0] * suggested[1]);
  const values = [...new Set([suggested[0], Number(middle.toPrecision(1)), suggested[1]])];
  return [rise, `Peak rates to try: ${givenTo(reader, 'optimizer.lr', values)}.`];
}
