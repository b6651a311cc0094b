/** How fast a model trains with each micro-batch, up to the largest that fits: found by planning, verified by running. */
import { performance } from 'node:perf_hooks';
import type { Config } from '../../../preload/contract/settings.ts';
import { csvTable } from '../../../preload/shared/csv.ts';
import { counted, formatDuration, formatInteger } from '../../../preload/shared/format.ts';
import { median } from '../../../preload/shared/statistics/describe.ts';
import { fitPlan, gibibytes, largestOverall } from '../fit/index.ts';
import type { FitDevice } from '../fit/index.ts';
import { planBasis } from '../fit/devices.ts';
import { fixedBatch } from '../../engine/batch/fixedBatch.ts';
import { OutOfMemoryError } from '../../engine/executors/executor.ts';
import type { Executor } from '../../engine/executors/executor.ts';
import type { Catalog } from '../../engine/catalog.ts';
import type { Kinds } from '../../engine/kind.ts';
import { probe } from '../../engine/train/probe.ts';
import type { PreparedData } from '../../engine/train/data.ts';
import { prepareProbe } from './prepare.ts';
import type { ProbeRequest } from './prepare.ts';
import { givenTo } from './reader.ts';
import type { Reader } from './reader.ts';

export interface FrontierRequest extends ProbeRequest {
  readonly kinds: Catalog;
  readonly device: FitDevice;
  /** No size is tried whose step would take longer, in seconds. */
  readonly longest: number;
}

export interface FrontierPoint {
  /** Sequences at once. */
  readonly micro: number;
  /** Of the whole process (or device), as planned. */
  readonly plannedBytes: number;
  /** State and temporaries: planned, and taken. */
  readonly arenaBytes: number;
  readonly takenBytes: number;
  /** Seconds of a step of one micro-batch, the median of those measured. */
  readonly seconds: number;
  readonly tokensPerSecond: number;
}

export interface Frontier {
  readonly points: readonly FrontierPoint[];
  /** By plan; null: not even one sequence fits. */
  readonly largest: { readonly sequences: number; readonly bytes: number } | null;
  readonly next: { readonly sequences: number; readonly bytes: number } | null;
  /** The smallest micro-batch within 5 % of the best pace. */
  readonly enough: number | undefined;
  /** Sizes before the largest that were left out: they take long, and no size before them had gained anything for a while. */
  readonly skipped: readonly number[];
  /** Why the largest was not run; undefined where it was. */
  readonly stopped: string | undefined;
}

/** Of the best pace, with which there is nothing more to gain. */
const NEAR = 0.95;
/** Sizes without a gain after which none is expected of those up to the largest, where their steps take longer than this. */
const FLAT = 4;
const LONG_SECONDS = 0.5;

/** 1, 2, 4, … and the largest. */
export function sizesUpTo(largest: number): number[] {
  const sizes: number[] = [];
  for (let size = 1; size < largest; size *= 2) sizes.push(size);
  return [...sizes, largest];
}

export const withOnly = (config: Config, micro: number): Config => ({
  ...config,
  'batch.sequences': micro,
  'batch.micro': 0,
  'log.diagnostics': 'off',
});

export function enoughOf(points: readonly FrontierPoint[]): number | undefined {
  const best = Math.max(...points.map(({ tokensPerSecond }) => tokensPerSecond));
  return points.find(({ tokensPerSecond }) => tokensPerSecond >= NEAR * best)?.micro;
}

/** Whether the last sizes gained nothing, so that a size whose steps take this long is not worth its time. */
export function isFlat(points: readonly FrontierPoint[], expectedSeconds: number): boolean {
  const enough = points.findIndex(({ micro }) => micro === enoughOf(points));
  return expectedSeconds > LONG_SECONDS && points.length - 1 - enough >= FLAT;
}

interface Measured {
  readonly seconds: number;
  readonly takenBytes: number;
}

/** Seconds that are measured at least, and the steps that are made for them at most: the pace of a few short steps is chance. */
const LEAST_SECONDS = 0.1;
const MOST_STEPS = 100;

/** The first step warms up and does not count. */
async function measure(
  config: Config,
  steps: number,
  { kinds, data, executor }: { readonly kinds: Kinds; readonly data: PreparedData; readonly executor: Executor },
  onStep: () => boolean,
): Promise<Measured> {
  const seconds: number[] = [];
  let begun = performance.now();
  let measured = 0;
  const { takenBytes } = await probe({
    config,
    kinds,
    data,
    executor,
    steps: Math.max(steps, MOST_STEPS) + 1,
    batch: (step) => step,
    rate: () => config['optimizer.lr'] as number,
    onStep: () => {
      const now = performance.now();
      seconds.push((now - begun) / 1000);
      begun = now;
      if (seconds.length > 1) measured += seconds.at(-1)!;
      const done = seconds.length - 1;
      if (done > steps) return measured < LEAST_SECONDS;
      return onStep() && (done < steps || measured < LEAST_SECONDS);
    },
  });
  return { seconds: median(seconds.slice(1)), takenBytes };
}

/** Undefined when it was ended. @throws DataError, ExecutorUnavailableError */
export async function checkFrontier(request: FrontierRequest): Promise<Frontier | undefined> {
  const { kinds, device, steps, longest } = request;
  const config = fixedBatch(request.config, kinds);
  const options = { ...planBasis(device), catalog: kinds };
  const { largest, next } = largestOverall({ ...config, 'log.diagnostics': 'off' }, device, options, 'margin');
  if (largest === null) return { points: [], largest, next, enough: undefined, skipped: [], stopped: undefined };
  const { data, executor } = await prepareProbe(request);
  const points: FrontierPoint[] = [];
  const sizes = sizesUpTo(largest.sequences);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  // A step takes about as long as it has sequences: the sizes before are a small part of the work.
  let behind = 0;
  const skipped: number[] = [];
  let stopped: string | undefined;
  for (const micro of sizes) {
    const before = points.at(-1);
    const expected = before === undefined ? 0 : (before.seconds * micro) / before.micro;
    // The largest is run all the same: it verifies the plan.
    if (micro < largest.sequences && isFlat(points, expected)) {
      skipped.push(micro);
      behind += micro;
      continue;
    }
    if (expected > longest) {
      stopped = `a step of ${formatInteger(micro)} sequences would take about ${formatDuration(expected)}, more than ${formatDuration(longest)}`;
      break;
    }
    const own = withOnly(config, micro);
    let ended = false;
    let done = 0;
    const tell = (): boolean => {
      const share = (behind + (micro * done) / (steps + 1)) / all;
      ended = !(
        request.onProgress?.(`micro-batch ${formatInteger(micro)} of ${formatInteger(largest.sequences)}`, share) ??
        true
      );
      return !ended;
    };
    const onStep = (): boolean => {
      done += 1;
      return tell();
    };
    if (!tell()) return undefined;
    try {
      const plan = fitPlan(own, options);
      const { seconds, takenBytes } = await measure(own, steps, { kinds, data, executor }, onStep);
      if (ended) return undefined;
      points.push({
        micro,
        plannedBytes: plan.totalBytes,
        arenaBytes: plan.persistent.bytes + plan.arena.bytes,
        takenBytes,
        seconds,
        tokensPerSecond: (micro * data.tokensPerRow) / seconds,
      });
      behind += micro;
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
      stopped = `${micro} sequences ran out of memory although the plan says that they fit: ${error.message}`;
      break;
    }
  }
  return { points, largest, next, enough: enoughOf(points), skipped, stopped };
}

/** For people, below the table. */
export function frontierWords(found: Frontier, reader: Reader): string[] {
  const { points, largest, next, enough, skipped, stopped } = found;
  if (largest === null)
    return [
      `Not even one sequence fits: it takes ${gibibytes(next?.bytes ?? 0)}. Lower model.context, model.width or model.depth.`,
    ];
  const beyond =
    next === null
      ? ''
      : `; ${formatInteger(next.sequences)} would take ${gibibytes(next.bytes)} and do not fit with their margin`;
  const ran = points.at(-1)?.micro === largest.sequences ? ', and it ran' : '';
  return [
    `Largest micro-batch by plan: ${formatInteger(largest.sequences)} (${gibibytes(largest.bytes)})${ran}${beyond}.`,
    ...(stopped === undefined ? [] : [`Not tried up to there: ${stopped}.`]),
    ...(enough === undefined
      ? []
      : [
          `A micro-batch of ${enough} is within 5 % of the best pace: ${givenTo(reader, 'batch.micro', [enough])}, and batch.sequences as training needs it.`,
        ]),
    ...(skipped.length === 0
      ? []
      : [
          `Not measured: ${counted(skipped.length, 'size')} from ${formatInteger(skipped[0]!)} on. Their steps take long, and sizes above ${formatInteger(enough!)} gained less than 5 %.`,
        ]),
  ];
}

export const frontierCsv = ({ points }: Frontier): string =>
  csvTable(
    ['batch.micro', 'tokens_per_second', 'seconds', 'planned_bytes', 'plan_of_state_and_temporaries', 'taken_bytes'],
    points.map((each) => [
      each.micro,
      each.tokensPerSecond,
      each.seconds,
      each.plannedBytes,
      each.arenaBytes,
      each.takenBytes,
    ]),
  );

const SIZE = { width: 560, height: 320, left: 64, right: 64, top: 40, bottom: 44 };

/** Pace (left) and planned memory (right) over the micro-batch. */
export function frontierSvg({ points }: Frontier): string {
  const { width, height, left, right, top, bottom } = SIZE;
  const most = (of: (point: FrontierPoint) => number): number => Math.max(...points.map(of), 1e-9);
  const last = Math.log2(Math.max(2, points.at(-1)?.micro ?? 2));
  const x = ({ micro }: FrontierPoint): number => left + (Math.log2(micro) / last) * (width - left - right);
  const [pace, memory] = [most((each) => each.tokensPerSecond), most((each) => each.plannedBytes)];
  const y = (share: number): number => height - bottom - share * (height - top - bottom);
  const line = (of: (point: FrontierPoint) => number, color: string): string =>
    `<polyline fill="none" stroke="${color}" stroke-width="2" points="${points.map((each) => `${x(each).toFixed(1)},${y(of(each)).toFixed(1)}`).join(' ')}"/>`;
  const ticks = points.map(
    (each) => `<text x="${x(each).toFixed(1)}" y="${height - 24}" text-anchor="middle">${each.micro}</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="11">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    `<text x="${left}" y="18" font-size="13">Pace and memory over the micro-batch</text>`,
    `<path d="M${left} ${top}V${height - bottom}H${width - right}V${top}" fill="none" stroke="#999"/>`,
    line((each) => each.tokensPerSecond / pace, '#017aa7'),
    line((each) => each.plannedBytes / memory, '#d67158'),
    ...ticks,
    `<text x="${(left + width - right) / 2}" y="${height - 6}" text-anchor="middle">batch.micro</text>`,
    `<text x="${left - 6}" y="${top + 4}" text-anchor="end" fill="#017aa7">${Math.round(pace)}</text>`,
    `<text x="${left - 6}" y="${top + 18}" text-anchor="end" fill="#017aa7">tokens/s</text>`,
    `<text x="${width - right + 6}" y="${top + 4}" fill="#d67158">${gibibytes(memory)}</text>`,
    '</svg>',
    '',
  ].join('\n');
}
