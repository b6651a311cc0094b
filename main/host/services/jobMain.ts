/** The process of one job; see jobs.ts. Ends with its host. */
import { loadCatalog } from '../../engine/plugins.ts';
import { runCheck } from '../../lab/probes/checks.ts';
import { prepareDatasets } from '../../lab/datasets/datasets.ts';
import { sampleRun } from '../../lab/sampling/sampling.ts';
import { openStore } from '../../store/index.ts';
import { toLabError } from './errors.ts';
import type { Job, JobMessage } from './jobs.ts';

/** Steps of a check may take less than a millisecond. */
const TELL_EVERY_MS = 200;

const send = (message: JobMessage): void => void process.send?.(message);

async function work(job: Job): Promise<unknown> {
  const onProgress = (progress: Extract<JobMessage, { type: 'progress' }>['progress']): void =>
    send({ type: 'progress', progress });
  if (job.kind === 'prepare') {
    const kinds = await loadCatalog(job.plugins);
    await prepareDatasets(job.configs, { cacheDir: job.cache, reach: job.reach, kinds, onProgress });
    return null;
  }
  if (job.kind === 'check') {
    const kinds = await loadCatalog(job.plugins);
    const { check, steps, cache } = job;
    let told = -Infinity;
    const tell = (what: string, share?: number): boolean => {
      if (performance.now() - told >= TELL_EVERY_MS) {
        told = performance.now();
        onProgress({ check, what, share: share ?? null });
      }
      return true;
    };
    return await runCheck(check, { config: kinds.complete(job.config), kinds, cache, steps, onProgress: tell });
  }
  const store = openStore(job.database, { readOnly: true });
  try {
    const run = store.getRun(job.runId);
    if (run === undefined) throw new Error(`there is no run ${job.runId}`);
    const { cache, plugins } = job;
    return await sampleRun(run, job.request, { store, cache, plugins, onProgress });
  } finally {
    store.close();
  }
}

process.on('disconnect', () => process.exit(1));
process.once('message', (job: Job) => {
  work(job).then(
    (result) => send({ type: 'done', result }),
    (error: unknown) => {
      const { code, message } = toLabError(error);
      send({ type: 'failed', code, message });
    },
  );
});
