/** How long a run trained. Lists, rankings, filters and exports all show this; the store asks SQL for the same (main/store/filter.ts). */
import type { RunRecord } from '../contract/runs.ts';

/**
 * Seconds from the start to the end of each session of training, summed: without the time that the run waited in the queue, paused or
 * interrupted. A run that trains counts up to now. Evaluations, checkpoints and the preparation of data by its engine are in it; the metric
 * `seconds` is that of the steps alone.
 *
 * @param now milliseconds since 1970
 * @returns null for a run that has never begun
 */
export function secondsOf(
  { startedAt, trained, sessionAt }: Pick<RunRecord, 'startedAt' | 'trained' | 'sessionAt'>,
  now: number = Date.now(),
): number | null {
  if (startedAt === null && sessionAt === null) return null;
  return (trained + (sessionAt === null ? 0 : Math.max(0, now - sessionAt))) / 1000;
}
