import { LabError } from '../../../../preload/contract/rpc.ts';
import type { Handlers, Hub } from '../hub.ts';
import { runJob } from '../jobs.ts';

export function checkRoutes(hub: Hub): Handlers<'checks'> {
  const { lab, planner, datasets, checked } = hub;
  let checking: Promise<unknown> = Promise.resolve();
  return {
    'checks.run': async ({ draft, check, steps }, { signal }) => {
      const { first } = await planner.ask('draft', { draft, chosen: undefined }, signal);
      if (first === null) throw new LabError('input', 'The draft has no run that could be checked.');
      // What it reads is prepared first, where reading is bounded.
      await datasets.ready([first], signal);
      const job = {
        kind: 'check',
        cache: lab.paths.cache,
        plugins: lab.plugins.map(({ file }) => file),
        config: first,
        check,
        steps,
      } as const;
      // One at a time: each trains with all cores.
      const made = checking.then(() => runJob(job, signal, checked));
      checking = made.catch(() => undefined);
      return await made;
    },
  };
}
