/** What a setting is called where files group the seeds of one setting. */
import { createHash } from 'node:crypto';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import { settingOf } from '../../../preload/shared/results/samples.ts';

const HASH_DIGITS = 8;

/**
 * `depth=4 lr=0.001 · 3f2a9c01`: the name of the run without its seed, and a hash of the whole configuration but the seed. Equal for the
 * seeds of one setting of a sweep, in every export; never for two settings.
 */
export function settingName(run: RunRecord): string {
  const seed = `seed=${run.seed}`;
  const label = run.name.endsWith(seed) ? run.name.slice(0, -seed.length).trimEnd() : run.name;
  const hash = createHash('sha256').update(settingOf(run)).digest('hex').slice(0, HASH_DIGITS);
  return label === '' ? hash : `${label} · ${hash}`;
}

/** The settings that tell runs apart, without the seed, which names the samples of a setting and is none itself. */
export const withoutSeed = (settings: readonly string[]): readonly string[] =>
  settings.filter((name) => name !== 'seed');
