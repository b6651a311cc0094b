import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LabError } from '../../../../preload/contract/rpc.ts';
import type { RunRecord } from '../../../../preload/contract/runs.ts';
import { isStartedHere } from '../../../../preload/shared/origin.ts';
import { packRuns } from '../../../../preload/contract/runTable.ts';
import type { RunSample } from '../../../../preload/contract/shapes.ts';
import { batchPlan } from '../../../engine/batch/plan.ts';
import type { BatchPlan, BatchShape } from '../../../engine/batch/plan.ts';
import { requeueAlone } from '../../../lab/queue/resume.ts';
import type { BatchPlace } from '../dataWorker.ts';
import type { Handlers, Hub } from '../hub.ts';
import { runJob } from '../jobs.ts';

/** Of a batch, whose text may be long. */
const SHOWN_SEQUENCES = 16;

function fixedBatch(plan: BatchPlan, step: number): BatchPlace {
  const [shape] = plan.shapes() as [BatchShape];
  return { ...shape, begins: { row: (step - 1) * shape.sequences } };
}

export function runRoutes(hub: Hub): Handlers<'runs' | 'series' | 'sampling'> {
  const { lab, queue, changed } = hub;
  const { store } = lab;
  const find = (id: string): RunRecord => {
    const run = store.getRun(id);
    if (run === undefined) throw new LabError('not-found', `There is no run ${id}.`);
    return run;
  };
  const tell = (id: string): { run: RunRecord } => {
    const run = find(id);
    changed({ runs: [id], sweeps: run.sweepId === null ? [] : [run.sweepId] });
    return { run };
  };
  /** Where batches change, a step's is known by what was recorded of it: its size may depend on gradients. */
  const recordedBatch = (id: string, step: number): BatchPlace | undefined => {
    store.flush();
    const at = (metric: string): number | undefined => store.readSeries(id, metric, { from: step, to: step }).value[0];
    const [length, sequences, endsAtEpoch] = [at('batch/length'), at('batch/sequences'), at('epoch')];
    if (length === undefined || sequences === undefined || endsAtEpoch === undefined) return undefined;
    return { length, sequences, begins: { endsAtEpoch } };
  };
  let sampling: Promise<unknown> = Promise.resolve();

  return {
    'runs.list': ({ filter }) => ({ runs: packRuns(store.listRuns(filter)) }),
    'runs.get': ({ id }) => ({ run: find(id) }),
    'runs.stop': async ({ id }) => {
      const run = find(id);
      if (isStartedHere(run)) await queue.stopRun(id);
      else hub.wandb.sweeps.stopRun(run);
      return tell(id);
    },
    'runs.resume': ({ id }) => {
      const why = requeueAlone(store, find(id));
      if (why !== undefined) throw new LabError('state', why);
      queue.added();
      return tell(id);
    },
    'runs.rerun': ({ id }) => {
      const before = find(id);
      const { name, config, seed, settingKey, sweepId, color, tags, origin } = before;
      if (!isStartedHere(before))
        throw new LabError('state', `${name} was not trained by Sweeplab, which cannot repeat it.`);
      const codeVersion = origin === 'sweeplab' ? lab.codeVersion : '';
      const again = {
        name,
        config,
        seed,
        settingKey,
        sweepId,
        color,
        tags,
        origin,
        note: `Rerun of ${id}`,
        codeVersion,
      };
      const run = store.createRun({ ...again, program: store.outside.program(id) });
      queue.added();
      return tell(run.id);
    },
    'runs.rename': ({ id, name }) => {
      find(id);
      store.updateRun(id, { name });
      return tell(id);
    },
    'runs.tag': ({ id, tags }) => {
      const { tags: before } = find(id);
      const gone = before.filter((tag) => !tags.includes(tag));
      if (gone.length > 0) store.untagRuns([id], gone);
      if (tags.length > 0) store.tagRuns([id], tags);
      return tell(id);
    },
    'runs.note': ({ id, note }) => {
      find(id);
      store.updateRun(id, { note });
      return tell(id);
    },
    'runs.remove': ({ id }) => {
      find(id);
      store.deleteRuns([id]);
      queue.added();
      return tell(id);
    },
    'runs.restore': ({ id }) => {
      find(id);
      store.restoreRuns([id]);
      queue.added();
      return tell(id);
    },
    'runs.events': ({ id, after, kinds, limit }) => ({
      events: store.readEvents({ runId: id, after, kinds, limit }),
    }),
    'runs.checkpoints': async ({ id }) => {
      find(id);
      const found = store.checkpoints(id);
      return {
        checkpoints: await Promise.all(
          found.map(async (checkpoint) => ({ ...checkpoint, bytes: await sizeOf(checkpoint.path) })),
        ),
      };
    },
    'runs.samples': ({ id }) => {
      find(id);
      const samples = store.readEvents({ runId: id, kinds: ['log'] }).flatMap(({ message, data, at }): RunSample[] => {
        const { step, text } = (data ?? {}) as { step?: unknown; text?: unknown };
        if (message !== 'sample' || typeof step !== 'number' || typeof text !== 'string') return [];
        return [{ step, text, at }];
      });
      return { samples };
    },

    'runs.batch': async ({ id, step }, { signal }) => {
      const { config: given, environment, name } = find(id);
      const config = lab.registry.catalog.complete(given);
      const plan = batchPlan(config, lab.registry.catalog);
      const batch = plan.changes ? recordedBatch(id, step) : fixedBatch(plan, step);
      if (batch === undefined)
        throw new LabError(
          'state',
          `What ${name} took at step ${step} was not recorded: log.every_steps is ${config['log.every_steps'] as number}, and its batches change.`,
        );
      const { sequences } = batch;
      const count = Math.min(sequences, SHOWN_SEQUENCES);
      const { rows, contentHash } = await hub.datasets.ask('rows', { config, batch, count }, signal);
      if (environment.dataset !== undefined && environment.dataset !== contentHash)
        throw new LabError('state', `The text of data.corpus has changed since ${name} was trained on it.`);
      return { rows, sequences };
    },

    'series.read': async ({ runs, metric, ...query }, { signal }) => {
      // What was sent live but is not committed yet must not be missing from what is read.
      store.flush();
      return { series: await hub.reader.ask('series', { runs, metric, query }, signal, metric) };
    },

    'series.places': ({ run, metric, maxPoints }) => {
      find(run);
      store.flush();
      return store.readPlaces(run, metric, maxPoints);
    },

    'sampling.generate': async ({ runId, ...request }, { signal }) => {
      find(runId);
      const { cache } = lab.paths;
      const plugins = lab.plugins.map(({ file }) => file);
      const job = { kind: 'sample', database: store.path, cache, plugins, runId, request } as const;
      // One at a time: each holds a model and all cores.
      const made = sampling.then(() => runJob(job, signal));
      sampling = made.catch(() => undefined);
      return { samples: await made };
    },
  };
}

/** Bytes of a folder of files; null when it is gone. */
async function sizeOf(folder: string): Promise<number | null> {
  try {
    const names = await readdir(folder);
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
    return sizes.reduce((sum, size) => sum + size, 0);
  } catch {
    return null;
  }
}
