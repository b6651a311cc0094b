/** Memory over every program of a step, with its phases, for the chart of the fit view. */
import type { Config } from '../../../preload/contract/settings.ts';
import type { ProgramOccupancy } from '../../../preload/contract/shapes.ts';
import { compileForCpu } from '../../engine/executors/cpu/target.ts';
import { fuse } from '../../engine/compile/fuse.ts';
import { planMemory } from '../../engine/compile/plan.ts';
import { COMPOSITE_TARGET, lower } from '../../engine/compile/schedule.ts';
import type { Program } from '../../engine/graph/program.ts';
import { KINDS } from '../../lab/fit/index.ts';
import { fitPlan, runUse } from '../../lab/fit/plan.ts';
import type { PlanOptions } from '../../lab/fit/plan.ts';
import { buildProgram } from '../../lab/fit/programs.ts';
import { downsample } from '../../lab/fit/use.ts';

const POINTS = 480;

export function programOccupancy(config: Config, options: PlanOptions): ProgramOccupancy[] {
  const { accumulation } = fitPlan(config, options);
  const { training, programs } = runUse(config, options);
  return programs.map(({ call, use }) => {
    const points = Float64Array.from(downsample(use.occupancy, POINTS));
    const names = phasesOf(buildProgram(training, call), options);
    // Both run over the same instants; the ratio serves where an executor counts them otherwise.
    const scale = points.length / Math.max(1, names.length);
    const phases: { name: string; from: number }[] = [];
    names.forEach((name, i) => {
      if (name !== phases.at(-1)?.name) phases.push({ name, from: Math.floor(i * scale) });
    });
    const repeats = { 'accumulate-first': 1, accumulate: accumulation - 1, update: 1, evaluate: 0, generate: 0 };
    return {
      name: call.name,
      rows: call.rows,
      repeats: repeats[call.name],
      arenaBytes: use.arenaBytes,
      heldBytes: use.heldBytes,
      points,
      phases,
    };
  });
}

/** The phase of every instant. */
function phasesOf(source: Program, { kind }: PlanOptions): readonly string[] {
  if (kind === 'cpu') return compileForCpu(source).plan.order.map(({ phase }) => phase);
  if (KINDS[kind].holds === 'arena')
    return planMemory(lower(fuse(source), COMPOSITE_TARGET), COMPOSITE_TARGET).order.map(({ phase }) => phase);
  return source.graph.nodes.map(({ phase }) => phase);
}
