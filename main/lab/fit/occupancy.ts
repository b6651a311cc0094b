/** Memory over every program of a step, with its phases, for the chart of the fit view. */
import type { Config } from '../../../preload/contract/settings.ts';
import type { ProgramOccupancy } from '../../../preload/contract/shapes.ts';
import { batchPlan } from '../../engine/batch/plan.ts';
import { runUse } from './plan.ts';
import type { PlanOptions } from './plan.ts';
import { downsample } from './downsample.ts';

/** More points than a chart has pixels are no use. */
const POINTS = 480;

export function programOccupancy(config: Config, options: PlanOptions): ProgramOccupancy[] {
  const largest = batchPlan(config, options.catalog).largest();
  // Of batches that change, those that need the most memory.
  const shown = runUse(config, options).programs.filter(
    ({ call }) => !call.name.startsWith('accumulate') || call.perStep(largest) > 0,
  );
  return shown.map(({ call, use }) => {
    const points = Float64Array.from(downsample(use.occupancy, POINTS));
    const scale = points.length / Math.max(1, use.occupancy.length);
    return {
      name: call.name,
      rows: call.rows,
      repeats: call.perStep(largest),
      arenaBytes: use.arenaBytes,
      heldBytes: use.heldBytes,
      points,
      phases: use.phases.map(({ name, from }) => ({ name, from: Math.floor(from * scale) })),
    };
  });
}
