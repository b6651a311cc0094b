/**
 * Whether a plan fits. What is needed is state + arena + base; beside it a margin is kept for what is not planned: the base is an
 * estimate, other programs move, and executors that allocate tensor by tensor need more than their tensors.
 *
 *   fits          needed + margin ≤ available
 *   tight         needed ≤ available < needed + margin: it may start, with a warning
 *   does not fit  needed > available
 *
 * The margin is 5 % of what is needed, at least 64 MiB on a host and 256 MiB on a GPU, and for executors that do not allocate the
 * plan their slack (see engine/executors) instead of the 5 %.
 */
import type { Fit, Verdict } from '../../../preload/contract/fit.ts';
import type { FitDevice } from './devices.ts';
import { executorKind } from '../../engine/executors/index.ts';

const MIB = 2 ** 20;
const SHARE = 0.05;
const LEAST = { host: 64 * MIB, gpu: 256 * MIB } as const;

export function marginBytes(kind: string, neededBytes: number): number {
  const { slack, memory } = executorKind(kind);
  return Math.ceil(Math.max(LEAST[memory], Math.max(SHARE, slack) * neededBytes));
}

export function judge(kind: string, neededBytes: number, availableBytes: number): Fit {
  if (neededBytes > availableBytes) return 'does not fit';
  return neededBytes + marginBytes(kind, neededBytes) <= availableBytes ? 'fits' : 'tight';
}

/** @param formatBytes writes sizes for people */
export function verdictFor(
  neededBytes: number,
  device: Pick<FitDevice, 'kind' | 'name' | 'availableBytes'>,
  formatBytes: (bytes: number) => string = gibibytes,
): Verdict {
  const { kind, name, availableBytes } = device;
  const fit = judge(kind, neededBytes, availableBytes);
  const spareBytes = availableBytes - neededBytes;
  const margin = marginBytes(kind, neededBytes);
  const sizes = `needs ${formatBytes(neededBytes)} of ${formatBytes(availableBytes)} available on ${name}`;
  const sentence = {
    fits: `Fits: ${sizes}, ${formatBytes(spareBytes)} to spare.`,
    tight: `Tight: ${sizes}; the ${formatBytes(spareBytes)} left are less than the margin of ${formatBytes(margin)}.`,
    'does not fit': `Does not fit: ${sizes}, ${formatBytes(-spareBytes)} too much.`,
  }[fit];
  return { fit, neededBytes, marginBytes: margin, availableBytes, spareBytes, sentence };
}

/** 1.5 GiB, 300 MiB: memory is counted in powers of two, as drivers and system monitors do. */
export function gibibytes(bytes: number): string {
  const size = Math.abs(bytes);
  if (size >= 1024 * MIB)
    return `${(bytes / (1024 * MIB)).toFixed(size >= 102_400 * MIB ? 0 : size >= 10_240 * MIB ? 1 : 2)} GiB`;
  if (size >= MIB) return `${(bytes / MIB).toFixed(size >= 100 * MIB ? 0 : 1)} MiB`;
  if (size >= 1024) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${bytes} B`;
}
