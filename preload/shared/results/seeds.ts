/** Which runs are samples of their setting: the app, the command line and the exports count the same ones. */
import type { RunRecord } from '../../contract/runs.ts';

/**
 * One run per setting and seed: the last one that finished, or else the last one. A rerun of a seed is not another sample of its
 * setting; counted twice it would make the spread look smaller than it is. Runs come in the order in which they were created, and
 * keep it.
 */
export function distinctSeeds<
  R extends Pick<RunRecord, 'settingKey' | 'seed' | 'state'> & { readonly sweepId?: string | null },
>(runs: readonly R[]): readonly R[] {
  const chosen = new Map<string, R>();
  for (const run of runs) {
    const key = JSON.stringify([run.sweepId ?? null, run.settingKey, run.seed]);
    const before = chosen.get(key);
    if (before === undefined || run.state === 'finished' || before.state !== 'finished') chosen.set(key, run);
  }
  if (chosen.size === runs.length) return runs;
  const kept = new Set(chosen.values());
  return runs.filter((run) => kept.has(run));
}
