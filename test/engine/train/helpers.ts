import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { builtInCatalog } from '../../../main/engine/catalog.ts';
import type { Config } from '../../../preload/contract/settings.ts';

/** A complete configuration: every default, with a tiny model, and then `overrides`. */
export function testConfig(overrides: Config = {}): Config {
  const names = new Set(builtInCatalog.settings.map(({ name }) => name));
  const tiny: Config = {
    device: 'tfjs-cpu',
    'data.size': 20_000,
    'model.context': 16,
    'model.depth': 1,
    'model.width': 16,
    'model.heads': 2,
    'batch.sequences': 4,
    'eval.every_steps': 4,
    'eval.tokens': 128,
    'stop.steps': 8,
  };
  for (const name of [...Object.keys(tiny), ...Object.keys(overrides)]) {
    if (!names.has(name)) throw new Error(`no such setting: ${name}`);
  }
  const given: Config = { ...tiny, ...overrides };
  return builtInCatalog.withDefaults(given, (name) => name in given).config;
}

/** A folder of the test's own, removed when it ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sweeplab-engine-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
