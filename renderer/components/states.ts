import type { RunState, SweepState } from '../../preload/contract/runs.ts';
import type { Fit } from '../stores/contract.ts';
import type { IconName } from './icons.ts';

export interface Look {
  readonly label: string;
  readonly tone: 'neutral' | 'accent' | 'good' | 'warn' | 'bad';
  readonly icon: IconName;
}

/** State is never colour alone: each has its word and its icon. */
export const STATE_LOOKS: Readonly<Record<RunState | SweepState, Look>> = {
  queued: { label: 'queued', tone: 'neutral', icon: 'clock' },
  running: { label: 'running', tone: 'accent', icon: 'play' },
  finished: { label: 'finished', tone: 'good', icon: 'check' },
  failed: { label: 'failed', tone: 'bad', icon: 'error' },
  stopped: { label: 'stopped', tone: 'warn', icon: 'stop' },
  paused: { label: 'paused', tone: 'warn', icon: 'pause' },
};

export const FIT_LOOKS: Readonly<Record<Fit, Look>> = {
  fits: { label: 'fits', tone: 'good', icon: 'check' },
  tight: { label: 'tight', tone: 'warn', icon: 'warning' },
  'does not fit': { label: 'does not fit', tone: 'bad', icon: 'error' },
};

/** A run of more than a week is no answer today, however well it fits. */
const TOO_LONG = 7 * 86_400;

/** @param seconds of training at least; null or undefined where it is not known */
export function fitLook(fit: Fit, seconds: number | null | undefined): Look {
  const slow = fit === 'fits' && (seconds ?? 0) > TOO_LONG;
  return slow ? { label: 'fits, too slow here', tone: 'warn', icon: 'clock' } : FIT_LOOKS[fit];
}
