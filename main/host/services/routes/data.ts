import type { Config } from '../../../../preload/contract/settings.ts';
import { changedSettingNames, longCsv } from '../../../lab/export/longCsv.ts';
import { writeExport } from '../../../lab/export/file.ts';
import { wideCsv } from '../../../lab/export/wideCsv.ts';
import { CORPORA, listDatasets } from '../../../lab/datasets/catalog.ts';
import { LabError } from '../../../../preload/contract/rpc.ts';
import { configOf } from '../configs.ts';
import type { Values } from '../configs.ts';
import type { Handlers, Hub } from '../hub.ts';

export function dataRoutes(hub: Hub): Handlers<'data' | 'export'> {
  const { lab } = hub;
  const { store, registry, paths } = lab;
  const configured = (given: Values): Promise<Config> => configOf(registry, given);
  return {
    'data.list': async () => {
      const prepared = await listDatasets(paths.cache);
      const runs = store.listRuns({ deleted: 'any' });
      const corpora = new Map(runs.map(({ environment, config }) => [environment.dataset, config['data.corpus']]));
      return {
        corpora: [...CORPORA],
        prepared: prepared.map(({ contentHash, tokenizer, stats, entropyFloorBitsPerByte, bytesOnDisk }) => ({
          contentHash,
          tokenizer,
          stats,
          entropyFloor: entropyFloorBitsPerByte,
          bytesOnDisk,
          corpus: (corpora.get(contentHash) as string | undefined) ?? null,
        })),
      };
    },
    'data.stats': async (input, { signal }) =>
      await hub.datasets.ask('stats', { config: await configured(input) }, signal),
    'data.prepare': async (input, { signal }) =>
      await hub.datasets.ask('stats', { config: await configured(input) }, signal),
    'data.tokens': async ({ text, ...given }, { signal }) =>
      await hub.datasets.ask('tokens', { config: await configured(given), text }, signal),
    'data.sample': async ({ from, ...given }, { signal }) =>
      await hub.datasets.ask('sample', { config: await configured(given), from }, signal),

    'export.csv': async ({ runs: ids, layout, metrics, exact, path }, { caller }) => {
      const found = ids.length === 0 ? store.listRuns() : store.listRuns({ ids, deleted: 'any' });
      const missing = ids.find((id) => !found.some((run) => run.id === id));
      if (missing !== undefined) throw new LabError('not-found', `There is no run ${missing}.`);
      store.flush();
      const settings = changedSettingNames(found, registry.names, registry.defaults);
      const chunks =
        layout === 'wide' ? wideCsv(store, found) : longCsv(store, { runs: found, settings, metrics, exact });
      const name = `sweeplab-${layout}-${new Date().toISOString().slice(0, 10)}.csv`;
      if (path === undefined) return await hub.downloads.add(name, chunks);
      if (!caller.trusted) throw new LabError('input', 'Only the desktop app chooses files; leave path out.');
      return { url: null, name: path, bytes: await writeExport(path, chunks) };
    },
  };
}
