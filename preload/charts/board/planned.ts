/** How far charts of runs that still train will reach, so that their x stands still while points come. */
import type { RunRecord } from '../../contract/runs.ts';

type Planned = Pick<RunRecord, 'state' | 'config' | 'steps' | 'tokens'>;

/** Stop rules that say how far a metric goes. */
const LIMITS: Readonly<Record<string, string>> = {
  step: 'stop.steps',
  tokens: 'stop.tokens',
  epoch: 'stop.epochs',
  seconds: 'stop.seconds',
  flops: 'stop.flops',
};

/**
 * The furthest x that the running ones of these runs are planned to reach: by the rule for this x, or, for steps and tokens, by what a step
 * has been so far. Undefined when none of them trains, or when none says how long.
 *
 * @param x metric on x; undefined for the step
 */
export function plannedEnd(runs: readonly Planned[], x: string | undefined | null): number | undefined {
  if (x === null) return undefined;
  const ends = runs.flatMap((run) => (run.state === 'running' ? (endOf(run, x ?? 'step') ?? []) : []));
  return ends.length === 0 ? undefined : Math.max(...ends);
}

function endOf({ config, steps, tokens }: Planned, x: string): number | undefined {
  const limit = (name: string): number | undefined => {
    const value = config[name];
    return typeof value === 'number' && value > 0 ? value : undefined;
  };
  const name = LIMITS[x];
  if (name === undefined) return undefined;
  const own = limit(name);
  const perStep = steps > 0 ? tokens / steps : Number.NaN;
  const [bySteps, byTokens] = [limit('stop.steps'), limit('stop.tokens')];
  const other =
    x === 'step' && byTokens !== undefined
      ? Math.ceil(byTokens / perStep)
      : x === 'tokens' && bySteps !== undefined
        ? bySteps * perStep
        : undefined;
  // Whatever comes first ends the run.
  const known = [own, other].filter((value): value is number => value !== undefined && Number.isFinite(value));
  return known.length === 0 ? undefined : Math.min(...known);
}
