import type { Config } from '../../../../preload/contract/settings.ts';
import { exchangeFamily } from '../../../lab/exchange/index.ts';
import { exportPieces } from '../../../lab/exchange/exports.ts';
import { writeExport } from '../../../lab/exchange/file.ts';
import { zipped } from '../../../lab/exchange/zip.ts';
import { exportName } from '../../../../preload/shared/exportName.ts';
import { fileName } from '../../../../preload/shared/fileName.ts';
import { chosen } from '../../../engine/kind.ts';
import { fixedVocabularies, listCorpora } from '../../../lab/datasets/catalog.ts';
import { listPrepared, removeDownloaded, removePrepared, removeUnfinished } from '../../../lab/datasets/prepared.ts';
import { LabError } from '../../../../preload/contract/rpc.ts';
import { configOf } from '../hub.ts';
import type { Handlers, Hub } from '../hub.ts';
import type { ExchangeKind } from '../../../lab/exchange/exchange.ts';

export function dataRoutes(hub: Hub): Handlers<'data' | 'export'> {
  const { lab } = hub;
  const { store, registry, paths } = lab;
  const configured = (given: Parameters<typeof configOf>[1]): Promise<Config> => configOf(registry, given);
  return {
    'data.list': async () => {
      const { prepared, unfinished, downloadedBytes } = await listPrepared(
        paths.cache,
        store.listRuns({ deleted: 'any' }),
      );
      const corpora = listCorpora(registry.catalog);
      // Where they lie is nobody's concern in a page.
      const shown = prepared.map(({ contentHash, corpus, tokenizer, stats, bytesOnDisk }) => ({
        contentHash,
        corpus,
        tokenizer,
        stats,
        bytesOnDisk,
      }));
      return { corpora, prepared: shown, unfinished, downloadedBytes };
    },
    'data.remove': async ({ contentHash }) => {
      const running = store.listRuns({ state: 'running', deleted: 'any' });
      const freed = await removePrepared(paths.cache, running, contentHash);
      hub.datasets.forget();
      return { freed };
    },
    'data.removeUnfinished': async ({ id }) => {
      const freed = await removeUnfinished(paths.cache, id);
      hub.datasets.forget();
      return { freed };
    },
    'data.removeDownloads': async () => {
      const running = store.listRuns({ state: 'running', deleted: 'any' });
      return { freed: await removeDownloaded(paths.cache, running) };
    },
    'data.vocabularies': () => ({ fixed: fixedVocabularies(registry.catalog) }),
    'data.stats': async (input, { signal }) =>
      await hub.datasets.ask('stats', { config: await configured(input) }, signal),
    'data.tokens': async ({ text, ...given }, { signal }) =>
      await hub.datasets.ask('tokens', { config: await configured(given), text }, signal),
    'data.sample': async ({ from, ...given }, { signal }) =>
      await hub.datasets.ask('sample', { config: await configured(given), from }, signal),

    'export.figure': async ({ name, title, pictures, csv, script, path }, { caller }) => {
      const { bundleFiles } = await import('../../../lab/figures/bundle.ts');
      const bundle = { name, csv, script, pictures: pictures.map((picture) => ({ ...picture, title })) };
      const pieces = zipped(await bundleFiles(bundle));
      if (path === undefined) return await hub.downloads.add(fileName(`${name}.zip`), pieces);
      return {
        url: null,
        name: path,
        bytes: await writeExport(chosenBy(caller, path), pieces, { notes: paths.exports }),
      };
    },

    'export.runs': async ({ runs: ids, format: wanted, name, path, ...options }, { caller, signal }) => {
      const format = formatOf(hub, wanted);
      const runs = ids.length === 0 ? store.listRuns() : store.listRuns({ ids, deleted: 'any' });
      const found = new Set(runs.map(({ id }) => id));
      const missing = ids.find((id) => !found.has(id));
      if (missing !== undefined) throw new LabError('not-found', `There is no run ${missing}.`);
      store.flush();
      const pieces = exportPieces(store, registry, format, { runs, ...options, signal });
      if (path === undefined) return await hub.downloads.add(exportName(format, name), pieces);
      return {
        url: null,
        name: path,
        bytes: await writeExport(chosenBy(caller, path), pieces, { notes: paths.exports }),
      };
    },
  };
}

/** @throws LabError for a path from a page: only the desktop's dialog has asked a person for one */
function chosenBy({ trusted }: { readonly trusted: boolean }, path: string): string {
  if (!trusted) throw new LabError('input', 'Only the desktop app chooses files; leave path out.');
  return path;
}

/** @throws LabError naming the formats there are */
function formatOf({ lab }: Hub, name: string | undefined): ExchangeKind {
  const formats = lab.registry.catalog.all(exchangeFamily);
  try {
    return name === undefined ? formats[0]! : chosen(exchangeFamily, formats, { format: name });
  } catch (error) {
    throw new LabError('input', (error as Error).message);
  }
}
