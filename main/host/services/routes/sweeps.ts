import { availableParallelism } from 'node:os';
import { LabError } from '../../../../preload/contract/rpc.ts';
import type { Draft } from '../../../../preload/contract/draft.ts';
import type { ListedSweep, SweepPlan } from '../../../../preload/contract/shapes.ts';
import { selectExecutor } from '../../../engine/executors/select.ts';
import { defaultConcurrency, requeue } from '../../../lab/queue/queue.ts';
import { parseSweep, storedSweep, sweepToYaml } from '../../../lab/sweeps/index.ts';
import type { SweepPlan as Plan } from '../../../lab/sweeps/index.ts';
import { refuse, toLabError } from '../errors.ts';
import { listed } from '../hub.ts';
import type { Handlers, Hub } from '../hub.ts';

/** As many as the queue can be given. */
const MOST_PLACES = 64;

const NOTHING: SweepPlan = {
  runs: 0,
  settings: [],
  seeds: [],
  dropped: [],
  duplicates: 0,
  combinations: 0,
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
    find(id);
    requeue(store, { sweepId: id }, states);
    const queued = store.countRuns({ sweepId: id, state: 'queued' });
    if (queued > 0) {
      // A paused or stopped sweep is passed over by the queue.
      store.updateSweep(id, { state: 'running' });
      queue.added();
    }
    return { ...tell(id), queued };
  };

  return {
    'sweeps.plan': async ({ draft, prices, budget, ...where }, { signal }) => {
      const { summary, first } = await planner.ask('draft', { draft }, signal);
      const answer: SweepPlan = { ...NOTHING, ...summary };
      if (first === null) return answer;
      try {
        const device = await planner.device(first, where);
        const { warnings, ...fit } = await planner.ask(
          'sweep',
          { draft, device, prices: prices ?? {}, budget },
          signal,
        );
        return { ...answer, ...fit, device, warnings: [...answer.warnings, ...warnings] };
      } catch (error) {
        const { code, message } = toLabError(error);
        if (code !== 'device' && code !== 'invalid') throw error;
        return { ...answer, pending: summary.settings.length, deviceProblem: message };
      }
    },
    'sweeps.fromYaml': ({ yaml }) => {
      const { sweep = null, problems, extensions } = parseSweep(yaml);
      return { draft: sweep, problems: [...problems], extensions: [...extensions] };
    },
    'sweeps.toYaml': ({ draft }) => ({ yaml: sweepToYaml(draft) }),
    'sweeps.launch': async ({ draft, force = false }, { signal }) => {
      const plan = await planner.ask('runs', { draft }, signal);
      refuse(plan.problems);
      const configs = plan.runs.map(({ config }) => config);
      const threads = await threadsOf(configs);
      const wanted = Math.max(queue.concurrency, defaultConcurrency(configs.length, availableParallelism(), threads));
      const check = await planner.ask('launch', { configs, concurrency: wanted, force }, signal);
      if (check.refusals.length > 0) {
        const refusals = check.refusals.map(({ message, suggestions, verdict }) => ({ message, suggestions, verdict }));
        throw new LabError('memory', refusals.map(({ message }) => message).join('\n'), refusals);
      }
      // The number of places may be changed later: what counts then is how many fit at all.
      const most = { configs, concurrency: MOST_PLACES, force: true };
      const { concurrency: together } = await planner.ask('launch', most, signal);
      await hub.datasets.ready(configs, signal);
      signal.throwIfAborted();
      const { settings, dropped, duplicates, combinations, seeds, warnings } = plan;
      const { sweep, runs } = store.createSweep(
        {
          name: draft.name || defaultName(draft),
          spec: draft,
          yaml: sweepToYaml(draft),
          plan: { settings, dropped, duplicates, combinations, seeds, warnings },
        },
        plan.runs.map((run) => ({ ...run, codeVersion: lab.codeVersion })),
      );
      queue.limit(sweep.id, together);
      queue.added();
      const runIds = runs.map(({ id }) => id);
      changed({ runs: runIds, sweeps: [sweep.id] });
      return {
        sweepId: sweep.id,
        runIds,
        warnings: [...warnings, ...check.warnings.map((message) => ({ code: 'fit', message }))],
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
    'sweeps.stop': async ({ id }) => {
      find(id);
      await queue.stopSweep(id);
      return tell(id);
    },
    'sweeps.resume': ({ id }) => goOn(id, ['stopped']),
    'sweeps.retryFailed': ({ id }) => goOn(id, ['stopped', 'failed']),
    'sweeps.remove': ({ id }) => {
      find(id);
      const runIds = store.listRuns({ sweepId: id }).map((run) => run.id);
      store.deleteRuns(runIds);
      queue.changed();
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

/** The most threads that one of the runs uses. @throws ExecutorUnavailableError before anything was created */
async function threadsOf(configs: readonly SweepConfig[]): Promise<number> {
  const wanted = new Map(configs.map((config) => [`${config.device} ${config['precision.policy']}`, config]));
  let threads = 1;
  for (const config of wanted.values()) {
    const { executor } = await selectExecutor(config.device as string, config['precision.policy'] as string);
    threads = Math.max(threads, executor.device.threads);
  }
  return threads;
}
type SweepConfig = Plan['runs'][number]['config'];

/** `quick: depth × width`, from what is varied. */
function defaultName({ parameters, recipe }: Draft): string {
  const varied = Object.entries(parameters)
    .filter(([, { value }]) => value === undefined)
    .map(([name]) => name.slice(name.lastIndexOf('.') + 1));
  return [recipe ?? '', varied.join(' × ') || 'seeds'].filter(Boolean).join(': ');
}
