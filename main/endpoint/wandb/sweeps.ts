/** Sweeps as the client asks of them: `wandb sweep`, `wandb agent`. */
import { randomBytes } from 'node:crypto';
import type { SweepRecord } from '../../../preload/contract/runs.ts';
import type { OutsideRuns } from '../../lab/outside/outsideRuns.ts';
import type { OutsideSweeps } from '../../lab/outside/outsideSweeps.ts';
import { STOP_WORDS } from '../../lab/queue/resume.ts';
import { scriptSweepProblems } from '../../lab/outside/sweepPlan.ts';
import { parseSweep } from '../../lab/sweeps/index.ts';
import { Refusal } from './body.ts';
import { projectOf } from './graphql.ts';
import type { Operations } from './graphql.ts';
import { WandbRuns } from './runs.ts';
import { type Fields, isFields, nameOf, textOf } from './values.ts';

/** The client's words for states of sweeps. */
const STATES: Readonly<Record<SweepRecord['state'], string>> = {
  queued: 'PENDING',
  running: 'RUNNING',
  paused: 'PAUSED',
  finished: 'FINISHED',
  stopped: 'CANCELED',
};

interface Parts {
  readonly sweeps: OutsideSweeps;
  readonly runs: OutsideRuns;
  readonly update: (id: string, state: SweepRecord['state']) => void;
}

export function sweepOperations({ sweeps, runs, update }: Parts): Operations {
  const find = (given: unknown): SweepRecord => {
    const found = sweeps.get(textOf(given, 64) ?? '');
    if (found === undefined) throw new Refusal(404, `there is no sweep ${textOf(given, 64) ?? ''}`);
    return found;
  };
  /** Runs that agents were told to end. */
  const told = new Map<string, Set<string>>();
  return {
    UpsertSweep: (given) => {
      const project = nameOf(given.projectName ?? 'uncategorized', 'project');
      const id = given.id ? changed(sweeps, update, find(given.id), given) : created(sweeps, given, project);
      const sweep = { id, name: id, project: projectOf(project, given.entityName) };
      return { upsertSweep: { sweep, configValidationWarnings: [] } };
    },
    SweepWithRuns: ({ project, entity, sweep }) => ({
      project: { sweep: sweepOf(find(sweep), projectOf(textOf(project, 128) ?? '', entity)) },
    }),
    GetSweep: ({ project, entity, name }) => ({
      project: { sweep: sweepOf(find(name), projectOf(textOf(project, 128) ?? '', entity)) },
    }),
    GetSweepState: ({ sweep }) => ({ project: { sweep: { state: STATES[find(sweep).state] } } }),
    CreateAgent: ({ sweep, projectName }) => {
      const { id } = find(sweep);
      // It says all that must be known of it, so that it lives on when the lab is started anew.
      const agent = `${id}:${encodeURIComponent(nameOf(projectName ?? 'uncategorized', 'project'))}:${randomBytes(6).toString('hex')}`;
      return { createAgent: { agent: { id: agent } } };
    },
    Heartbeat: ({ id, runState }) => {
      const agent = textOf(id, 500) ?? '';
      return { agentHeartbeat: { agent: { id: agent }, commands: JSON.stringify(commandsFor(agent, runState)) } };
    },
  };

  /** An agent ends a script without a last word of it: that it has none at work any more is the word. */
  function endStopped(agent: string, busy: readonly string[], sourceOf: (name: string) => string): void {
    const names = told.get(agent) ?? new Set();
    for (const name of names) {
      if (busy.includes(name)) continue;
      names.delete(name);
      const run = runs.find(sourceOf(name), [name]);
      if (run?.stopWanted === true)
        runs.end(run, { state: 'stopped', reason: STOP_WORDS.cancelled, cause: 'cancelled' });
    }
    if (names.size === 0) told.delete(agent);
  }

  /** What an agent is to do next. */
  function commandsFor(agent: string, runState: unknown): Fields[] {
    const [sweepId = '', encoded = ''] = agent.split(':');
    const sweep = find(sweepId);
    const project = nameOf(decodeURIComponent(encoded), 'project');
    const sourceOf = (runId: string): string => WandbRuns.source(project, runId);
    const busy = runsOf(runState);
    for (const name of busy) {
      const run = runs.find(sourceOf(name), [name]);
      if (run !== undefined) run.heardAt = Date.now();
    }
    endStopped(agent, busy, sourceOf);
    const unwanted = busy.filter((name) => runs.find(sourceOf(name), [name])?.stopWanted === true);
    if (unwanted.length > 0) told.set(agent, new Set([...(told.get(agent) ?? []), ...unwanted]));
    if (unwanted.length > 0) return unwanted.map((name) => ({ type: 'stop', run_id: name }));
    if (busy.length > 0 || sweep.state === 'paused') return [];
    const next = sweeps.handOut(sweepId, sourceOf);
    if (next === undefined) return [{ type: 'exit' }];
    const args = Object.fromEntries(Object.entries(next.values).map(([name, value]) => [name, { value }]));
    return [{ type: 'run', run_id: next.run.id, program: programOf(sweep), args }];
  }
}

/** @throws Refusal with all that is wrong */
function created(sweeps: OutsideSweeps, given: Fields, project: string): string {
  const yaml = textOf(given.config, 1_000_000) ?? '';
  const { sweep, problems } = parseSweep(yaml, 'sweep');
  const words = [...problems.map(({ message }) => message), ...(sweep === undefined ? [] : scriptSweepProblems(sweep))];
  if (sweep === undefined || words.length > 0) throw new Refusal(400, words.slice(0, 5).join('; '));
  return sweeps.create(sweep, yaml, textOf(given.displayName, 200) || project);
}

/** `wandb sweep --pause`, `--resume`, `--stop`, `--cancel` */
function changed(sweeps: OutsideSweeps, update: Parts['update'], { id }: SweepRecord, { state }: Fields): string {
  if (state === 'PAUSED') update(id, 'paused');
  else if (state === 'RUNNING') sweeps.requeue(id, false);
  else if (state === 'FINISHED') update(id, 'stopped');
  else if (state === 'CANCELED') sweeps.stopSweep(id);
  return id;
}

/** Ids of the runs that an agent has at work. */
function runsOf(given: unknown): string[] {
  try {
    const states: unknown = typeof given === 'string' ? JSON.parse(given) : given;
    if (!isFields(states)) return [];
    return Object.entries(states).flatMap(([name, state]) =>
      state === false || state === 'FINISHED' ? [] : [nameOf(name, 'run')],
    );
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(400, 'runState is not JSON');
  }
}

const programOf = ({ spec }: SweepRecord): string | null => textOf((spec as Fields | null)?.program, 4096) ?? null;

function sweepOf(sweep: SweepRecord, project: Fields): Fields {
  const { id, name, yaml, spec, state, createdAt } = sweep;
  const at = new Date(createdAt).toISOString();
  return {
    id,
    name: id,
    displayName: name,
    method: (spec as Fields).method,
    state: STATES[state],
    description: null,
    config: yaml,
    createdAt: at,
    heartbeatAt: at,
    updatedAt: at,
    earlyStopJobRunning: false,
    bestLoss: null,
    controller: null,
    scheduler: null,
    runCount: Object.values(sweep.counts).reduce((sum, n) => sum + n, 0),
    project,
    runs: { edges: [] },
  };
}
