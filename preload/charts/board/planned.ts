/** How far charts of runs that still train will reach, so that their x stands still while points come. */
import type { RunRecord } from '../../contract/runs.ts';
import type { RunProgress } from '../../contract/shapes.ts';

type Planned = Pick<RunRecord, 'id' | 'state' | 'config' | 'steps' | 'tokens' | 'summary'>;

/** What is known of a run that trains. */
export type ProgressOf = (runId: string) => Pick<RunProgress, 'plannedSteps'> | undefined;

/** Stop rules that say how far a metric goes. */
const LIMITS: Readonly<Record<string, string>> = {
  step: 'stop.steps',
  tokens: 'stop.tokens',
  epoch: 'stop.epochs',
  seconds: 'stop.seconds',
  flops: 'stop.flops',
};

/**
 * The furthest x that the running ones of these runs are planned to reach: by the steps that are planned and the rule for this x, else by the
 * rules for others and how far the run has come by them. Undefined when none of them trains, or when none says how long.
 *
 * @param x metric on x; undefined for the step
 */
export function plannedEnd(
  runs: readonly Planned[],
  x: string | undefined | null,
  progressOf: ProgressOf = () => undefined,
): number | undefined {
  if (x === null) return undefined;
  const ends = runs.flatMap((run) => (run.state === 'running' ? (endOf(run, x ?? 'step', progressOf) ?? []) : []));
  return ends.length === 0 ? undefined : Math.max(...ends);
}

function endOf(run: Planned, x: string, progressOf: ProgressOf): number | undefined {
  if (LIMITS[x] === undefined) return undefined;
  const limit = (name: string): number | undefined => {
    const value = run.config[LIMITS[name]!];
    return typeof value === 'number' && value > 0 ? value : undefined;
  };
  const planned = progressOf(run.id)?.plannedSteps ?? undefined;
  // What the engine has planned is exact, and knows of limits that no metric counts.
  if (planned !== undefined && x === 'step') return planned;
  const now = (name: string): number =>
    name === 'step' ? run.steps : name === 'tokens' ? run.tokens : (run.summary[name] ?? Number.NaN);
  const others = planned === undefined ? Object.keys(LIMITS).filter((name) => name !== x) : ['step'];
  const ends = others.map((name) => {
    const end = planned ?? limit(name);
    return end === undefined ? Number.NaN : (now(x) * end) / now(name);
  });
  const by = ends.map((end) => (x === 'step' ? Math.ceil(end) : end));
  // Whatever comes first ends the run.
  const known = [limit(x) ?? Number.NaN, ...by].filter(Number.isFinite);
  return known.length === 0 ? undefined : Math.min(...known);
}
