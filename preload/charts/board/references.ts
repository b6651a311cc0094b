/** Lines of a chart that are no run: what no model gets below on average, and where gradients are clipped. */
import type { RunRecord } from '../../contract/runs.ts';
import { commonFloor } from '../../shared/results/floor.ts';
import type { Reference } from '../draw/model.ts';

/** Only where all runs share it: a line for some of them would mislead about the others. */
export function referencesOf(runs: readonly RunRecord[], metric: string): Reference[] {
  if (metric === 'grad/norm') return clipOf(runs);
  const floor = commonFloor(runs, metric);
  if (floor === undefined) return [];
  return [{ value: floor, label: `entropy of the text ${floor.toFixed(3)}` }];
}

/** Above it gradients are clipped. */
function clipOf(runs: readonly RunRecord[]): Reference[] {
  const [clip, ...others] = new Set(runs.map(({ config }) => config['optimizer.clip']));
  if (others.length > 0 || typeof clip !== 'number' || clip <= 0) return [];
  return [{ value: clip, label: `clipped above ${clip}` }];
}
