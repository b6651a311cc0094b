import { LabError } from '../../../../preload/contract/rpc.ts';
import type { ListedSweep, SweepPlan } from '../../../../preload/contract/shapes.ts';
import { isStartedHere } from '../../../../preload/shared/origin.ts';
import { createSweep, LaunchRefused, prepareLaunch } from '../../../lab/launch.ts';
import type { LaunchTools } from '../../../lab/launch.ts';
import { requeueSweep } from '../../../lab/queue/resume.ts';
import { methodNames, searchFamily } from '../../../lab/search/index.ts';
import { storedSweep } from '../../../lab/sweeps/index.ts';
import { refuse, toLabError } from '../errors.ts';
import { listed } from '../hub.ts';
import type { Handlers, Hub } from '../hub.ts';

const NOTHING: SweepPlan = {
  runs: 0,
  settings: [],
  seeds: [],
  dropped: [],
  duplicates: 0,
  combinations: 0,
  derived: {},
  problems: [],
  warnings: [],
  groups: [],
  pending: 0,
  device: null,
  deviceProblem: null,
  seconds: null,
  basis: 'unknown',
  cost: null,
  suggestions: [],
  schedules: [],
};

export function sweepRoutes(hub: Hub): Handlers<'sweeps'> {
  const { lab, queue, changed, planner } = hub;
  const { store } = lab;

  const find = (id: string): ListedSweep => {
    const sweep = listed(hub, id);
    if (sweep === undefined) throw new LabError('not-found', `There is no sweep ${id}.`);
    return sweep;
  };
  const tell = (id: string): { sweep: ListedSweep } => {
    const runs = store.listRuns({ sweepId: id, deleted: 'any' }).map((run) => run.id);
    changed({ runs, sweeps: [id] });
    return { sweep: find(id) };
  };
  const goOn = (id: string, states: readonly ('stopped' | 'failed')[]): { sweep: ListedSweep; queued: number } => {
    const sweep = find(id);
    const { name, yaml } = sweep;
    const own = isStartedHere(sweep);
    if (!own && yaml === '')
      throw new LabError('state', `The runs of ${name} are begun by scripts; only those can go on with them.`);
    if (own) requeueSweep(store, id, states);
    else hub.wandb.sweeps.requeue(id, states.includes('failed'));
    const queued = store.countRuns({ sweepId: id, state: 'queued' });
    queue.added();
    return { ...tell(id), queued };
  };

  const tools: LaunchTools = {
    check: (configs, options, signal) => planner.ask('launch', { configs, ...options }, signal!),
    prepare: (configs, _, signal) => hub.datasets.ready(configs, signal!),
  };

  return {
    'sweeps.plan': async ({ draft, prices, budget, ...where }, { signal }) => {
      const chosen = await planner.chosen(where);
      const { summary, first } = await planner.ask('draft', { draft, chosen }, signal);
      const answer: SweepPlan = { ...NOTHING, ...summary };
      if (first === null) return answer;
      try {
        const device = await planner.device(first, where);
        const { warnings, ...fit } = await planner.ask(
          'sweep',
          { draft, device, chosen, prices: prices ?? {}, budget },
          signal,
        );
        return { ...answer, ...fit, device, warnings: [...answer.warnings, ...warnings] };
      } catch (error) {
        const { code, message } = toLabError(error);
        if (code !== 'device' && code !== 'invalid') throw error;
        return { ...answer, deviceProblem: message };
      }
    },
    'sweeps.fromYaml': ({ yaml }, { signal }) =>
      hub.texts.ask('fromYaml', { yaml, methods: methodNames(lab.registry.catalog.all(searchFamily)) }, signal),
    'sweeps.toYaml': ({ draft }, { signal }) => hub.texts.ask('toYaml', { draft }, signal),
    'sweeps.launch': async ({ draft, force = false }, { signal }) => {
      const plan = await planner.ask('runs', { draft }, signal);
      refuse(plan.problems);
      const configs = plan.runs.map(({ config }) => config);
      const { concurrency: places } = queue;
      const ready = (await prepareLaunch(tools, configs, { places, force, signal }).catch(refusedAsError))!;
      const { sweep, runs } = createSweep(store, ready, { spec: draft, plan, codeVersion: lab.codeVersion });
      queue.added();
      const runIds = runs.map(({ id }) => id);
      changed({ runs: runIds, sweeps: [sweep.id] });
      return {
        sweepId: sweep.id,
        runIds,
        warnings: [...plan.warnings, ...ready.warnings.map((message) => ({ code: 'fit', message }))],
      };
    },
    'sweeps.list': () => ({
      sweeps: store.listSweeps().flatMap(({ id }) => {
        const sweep = find(id);
        return sweep.deletedAt === null ? [sweep] : [];
      }),
    }),
    'sweeps.get': ({ id }) => {
      const sweep = find(id);
      return { sweep, draft: storedSweep(sweep.spec) };
    },
    'sweeps.rename': ({ id, name }) => {
      find(id);
      store.updateSweep(id, { name });
      return tell(id);
    },
    'sweeps.limit': ({ id, limit }) => {
      find(id);
      store.updateSweep(id, { concurrencyLimit: limit });
      queue.added();
      return tell(id);
    },
    'sweeps.stop': async ({ id }) => {
      if (isStartedHere(find(id))) await queue.stopSweep(id);
      else hub.wandb.sweeps.stopSweep(id);
      return tell(id);
    },
    'sweeps.resume': ({ id }) => goOn(id, ['stopped']),
    'sweeps.retryFailed': ({ id }) => goOn(id, ['stopped', 'failed']),
    'sweeps.remove': ({ id }) => {
      find(id);
      const runIds = store.listRuns({ sweepId: id }).map((run) => run.id);
      store.deleteRuns(runIds);
      queue.added();
      return { ...tell(id), runIds };
    },
    'sweeps.restore': ({ id }) => {
      find(id);
      const runIds = store.listRuns({ sweepId: id, deleted: 'only' }).map((run) => run.id);
      store.restoreRuns(runIds);
      queue.added();
      return { ...tell(id), runIds };
    },
  };
}

/** What does not fit, with what would, for the page to offer. @throws LabError `memory`, or what it was given */
function refusedAsError(error: unknown): never {
  if (!(error instanceof LaunchRefused)) throw error;
  const refusals = error.refusals.map(({ message, suggestions, verdict }) => ({ message, suggestions, verdict }));
  throw new LabError('memory', error.message, refusals);
}
