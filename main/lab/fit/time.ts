/**
 * How long a run will take, always as a range. `measured`: from the tokens per second of earlier runs with the same model, batch
 * and device. `estimated`: each node of the planned programs takes the longer of its arithmetic and its memory traffic (the
 * roofline model, Williams et al. 2009) and a launch, at a fast and a slow share of what the device can do at its best.
 * Recomputation is part of the programs, so its cost is in the estimate.
 */
import type { Cost, PlannedLength, PlannedStage, Prices, Range, TimeEstimate } from '../../../preload/contract/fit.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { TF32 } from '../../engine/executors/executorKind.ts';
import { executorKind } from '../../engine/executors/index.ts';
import type { ComputeFacts, FitDevice } from './devices.ts';
import { paceOf } from './pace.ts';
import type { Sample } from './pace.ts';
import type { FitPlan, RunUse } from './plan.ts';
import type { Work } from '../../engine/compile/use.ts';
import { precisionOf } from '../../engine/nn/precision.ts';

/** FLOP/s, bytes/s and seconds per operation; null where the device's own are unknown. */
interface DeviceSpeeds {
  readonly single: number | null;
  readonly half: number | null;
  readonly bytes: number | null;
  readonly launch: number;
}

function speedsOf(kind: string, compute: ComputeFacts, policy: string, end: 'fast' | 'slow'): DeviceSpeeds {
  const { speeds } = executorKind(kind);
  if (speeds.basis === 'fixed') return speeds[end];
  const share = speeds[end];
  const scaled = (best: number | null, by: number): number | null => (best === null ? null : best * by);
  const half = policy === 'fp16' ? compute.fp16 : compute.bf16;
  // Every card with tensor cores multiplies in tf32 half as fast as in bf16.
  const single =
    policy === TF32 && compute.bf16 !== null ? Math.max(compute.fp32 ?? 0, compute.bf16 / 2) : compute.fp32;
  return {
    single: scaled(single, share.flops),
    half: scaled(speeds.wide === true ? compute.fp32 : half, share.flops),
    bytes: scaled(compute.bytesPerSecond, share.bytes),
    launch: share.launch,
  };
}

/** Seconds of a program; undefined where a speed that it needs is unknown. */
function programSeconds(work: Work, speeds: DeviceSpeeds): number | undefined {
  let seconds = 0;
  for (let i = 0; i < work.flops.length; i++) {
    if (work.bytes[i] === 0) continue;
    const speed = work.half[i] === 1 ? speeds.half : speeds.single;
    if (speed === null || speeds.bytes === null) return undefined;
    seconds += Math.max(work.flops[i]! / speed, work.bytes[i]! / speeds.bytes) + speeds.launch;
  }
  return seconds;
}

/**
 * Seconds of an optimizer step at both ends, on the average over the stages of the run; undefined where the device's speed is unknown.
 * A stage without an end takes up the whole of such a run.
 */
export function stepSeconds(
  run: RunUse,
  stages: readonly PlannedStage[],
  device: FitDevice,
  policy: string,
): Range | undefined {
  const endless = stages.filter(({ steps }) => steps === null);
  const counted = endless.length > 0 ? endless.map((stage) => ({ ...stage, steps: 1 })) : stages;
  const steps = counted.reduce((sum, stage) => sum + stage.steps!, 0);
  const at = (end: 'fast' | 'slow'): number | undefined => {
    const speeds = speedsOf(device.kind, device.compute, policy, end);
    let total = 0;
    for (const { call, use } of run.programs) {
      const times = counted.reduce((sum, stage) => sum + stage.steps! * call.perStep(stage), 0) / steps;
      if (times === 0) continue;
      const seconds = programSeconds(use.work, speeds);
      if (seconds === undefined) return undefined;
      total += times * seconds;
    }
    return total;
  };
  const [low, high] = [at('fast'), at('slow')];
  return low === undefined || high === undefined ? undefined : { low, high };
}

/** Time of the run by earlier runs where there are any, else by the roofline. */
export function estimateTime(
  config: Config,
  plan: FitPlan,
  run: RunUse,
  device: FitDevice,
  samples: readonly Sample[] = [],
): TimeEstimate {
  const policy = precisionOf(config);
  const { tokensPerStep } = plan.length;
  const roofline = stepSeconds(run, plan.length.stages, device, policy);
  const usual =
    roofline === undefined ? undefined : { low: tokensPerStep / roofline.high, high: tokensPerStep / roofline.low };
  const pace = paceOf(samples, usual);
  let step: Range;
  let explanation: string;
  if (pace !== undefined) {
    step = { low: tokensPerStep / pace.tokensPerSecond.high, high: tokensPerStep / pace.tokensPerSecond.low };
    explanation = pace.explanation;
  } else if (roofline === undefined) {
    const missing =
      device.compute.fp32 === null || policy === 'fp32'
        ? 'its speed at this precision is unknown'
        : `it has no ${policy}`;
    return {
      basis: 'unknown',
      explanation: `no time for ${device.name}: ${missing}`,
      stepSeconds: null,
      tokensPerSecond: null,
      steps: plannedSteps(plan.length),
      seconds: null,
      evaluationSeconds: null,
    };
  } else {
    step = roofline;
    explanation = `arithmetic and memory traffic of the plan at usual shares of the device's best speed; ${device.compute.basis}`;
  }
  const limit = plan.length.seconds;
  const planned = plannedSteps(plan.length);
  const steps = planned ?? (limit === null ? null : stepsWithin(limit, step));
  const evaluation = evaluationSeconds(config, run, { device, plan, step, steps, roofline });
  const training = planned === null ? null : { low: planned.low * step.low, high: planned.high * step.high };
  const bounded = (range: Range | null): Range | null => {
    if (limit === null) return range;
    return range === null
      ? { low: limit, high: limit }
      : { low: Math.min(limit, range.low), high: Math.min(limit, range.high) };
  };
  const bounds = bounded(training);
  return {
    basis: pace !== undefined ? 'measured' : 'estimated',
    explanation,
    stepSeconds: step,
    tokensPerSecond: { low: tokensPerStep / step.high, high: tokensPerStep / step.low },
    steps,
    seconds:
      bounds === null
        ? null
        : { low: bounds.low + (evaluation?.low ?? 0), high: bounds.high + (evaluation?.high ?? 0) },
    evaluationSeconds: evaluation,
  };
}

/** Steps by the plan, as far as it is sure of them. */
function plannedSteps({ steps, uncertain = 0 }: PlannedLength): Range | null {
  return steps === null ? null : { low: steps * (1 - uncertain), high: steps * (1 + uncertain) };
}

/** Steps that begin before the time is up: the last of them is finished. */
const stepsWithin = (seconds: number, step: Range): Range => ({
  low: Math.ceil(seconds / step.high),
  high: Math.ceil(seconds / step.low),
});

interface Pace {
  readonly device: FitDevice;
  readonly plan: FitPlan;
  /** Seconds of a step, and by the roofline. */
  readonly step: Range;
  readonly roofline: Range | undefined;
  readonly steps: Range | null;
}

/** Time of all evaluations, by their share of the arithmetic of a step. */
function evaluationSeconds(config: Config, run: RunUse, { device, plan, step, steps, roofline }: Pace): Range | null {
  const limit = config['eval.tokens'] as number;
  const available = run.dataset?.validationTokens;
  const tokens = limit > 0 ? Math.min(limit, available ?? limit) : available;
  if (tokens === undefined || steps === null) return null;
  const every = config['eval.every_steps'] as number;
  // The faster the steps, the more of them there are in a given time.
  const count = plan.length.steps ?? undefined;
  const times = (end: 'fast' | 'slow'): number =>
    every === 0 ? 1 : Math.ceil((count ?? (end === 'fast' ? steps.high : steps.low)) / every);
  const program = run.programs.find(({ call }) => call.name === 'evaluate');
  if (program === undefined) return { low: 0, high: 0 };
  const batches = Math.ceil(tokens / program.call.length / program.call.rows);
  const at = (end: 'fast' | 'slow'): number => {
    const seconds = programSeconds(program.use.work, speedsOf(device.kind, device.compute, precisionOf(config), end));
    if (seconds !== undefined && roofline !== undefined) {
      // Measured steps calibrate the estimate.
      const scale = end === 'fast' ? step.low / roofline.low : step.high / roofline.high;
      return seconds * scale * batches;
    }
    const perToken = (end === 'fast' ? step.low : step.high) / plan.length.tokensPerStep;
    return (perToken * tokens * plan.flopsPerTokenForward) / plan.flopsPerToken;
  };
  const ends = (['fast', 'slow'] as const).map((end) => times(end) * at(end));
  return { low: Math.min(...ends), high: Math.max(...ends) };
}

/** Cost of a time: hours × price, or kW × hours × tariff, or both added; undefined without prices or time. */
export function costOf(seconds: Range | null, { pricePerHour, kilowatts, tariff }: Prices): Cost | undefined {
  if (seconds === null) return undefined;
  const power = kilowatts !== undefined && tariff !== undefined ? kilowatts * tariff : undefined;
  if (pricePerHour === undefined && power === undefined) return undefined;
  const perHour = (pricePerHour ?? 0) + (power ?? 0);
  const parts = [
    ...(pricePerHour === undefined ? [] : [`${pricePerHour} per hour`]),
    ...(power === undefined ? [] : [`${kilowatts} kW × ${tariff} per kWh`]),
  ];
  return { low: (seconds.low / 3600) * perHour, high: (seconds.high / 3600) * perHour, how: parts.join(' + ') };
}
