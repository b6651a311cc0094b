import type { Config } from '../../../../preload/contract/settings.ts';
import { exchangeFamily } from '../../../lab/exchange/index.ts';
import { exportPieces } from '../../../lab/exchange/exports.ts';
import { writeExport } from '../../../lab/exchange/file.ts';
import { zipped } from '../../../lab/exchange/zip.ts';
import { exportName } from '../../../../preload/shared/exportName.ts';
import { fileName } from '../../../../preload/shared/fileName.ts';
import { chosen } from '../../../engine/kind.ts';
import { fixedVocabularies, listCorpora, listDatasets, removeDataset } from '../../../lab/datasets/catalog.ts';
import { readerOf } from '../../../lab/datasets/inUse.ts';
import type { DataFacts } from '../../../../preload/contract/shapes.ts';
import { LabError } from '../../../../preload/contract/rpc.ts';
import { configOf } from '../hub.ts';
import type { Handlers, Hub } from '../hub.ts';
import type { ExchangeKind } from '../../../lab/exchange/exchange.ts';

/** Key among the saved layouts. */
const NAMES = 'data.names';

export function dataRoutes(hub: Hub): Handlers<'data' | 'export'> {
  const { lab } = hub;
  const { store, registry, paths } = lab;
  const configured = (given: Parameters<typeof configOf>[1]): Promise<Config> => configOf(registry, given);
  /** Corpora by the hash of what was prepared from them: datasets that no run has used yet. */
  const named = (): Record<string, string> => (hub.views.get(NAMES) ?? {}) as Record<string, string>;
  const stats = async (config: Config, signal: AbortSignal): Promise<DataFacts> => {
    const summary = await hub.datasets.ask('stats', { config }, signal);
    const known = named();
    const corpus = String(config['data.corpus']);
    // A name that cannot be saved (a full disk, which a notice tells) keeps nobody from looking.
    if (known[summary.contentHash] !== corpus)
      await hub.views.set(NAMES, { ...known, [summary.contentHash]: corpus }).catch(() => undefined);
    return summary;
  };
  return {
    'data.list': async () => {
      const prepared = await listDatasets(paths.cache);
      const runs = store.listRuns({ deleted: 'any' });
      const corpora = new Map<unknown, unknown>([
        ...Object.entries(named()),
        ...runs.map(({ environment, config }) => [environment.dataset, config['data.corpus']] as const),
      ]);
      return {
        corpora: listCorpora(registry.catalog),
        prepared: prepared.map(({ contentHash, tokenizer, stats: sizes, bytesOnDisk }) => ({
          contentHash,
          tokenizer,
          stats: sizes,
          bytesOnDisk,
          corpus: (corpora.get(contentHash) as string | undefined) ?? null,
        })),
      };
    },
    'data.remove': async ({ contentHash }) => {
      const reader = readerOf(store.listRuns({ state: 'running', deleted: 'any' }), contentHash);
      if (reader !== undefined)
        throw new LabError(
          'state',
          `The prepared data is in use: ${reader.name} (${reader.id}) is running. Stop it, or wait until it has ended.`,
        );
      const freed = await removeDataset(paths.cache, contentHash);
      if (freed === null) throw new LabError('not-found', `There is no prepared data ${contentHash.slice(0, 12)}.`);
      hub.datasets.forget();
      return { freed };
    },
    'data.vocabularies': () => ({ fixed: fixedVocabularies(registry.catalog) }),
    'data.stats': async (input, { signal }) => await stats(await configured(input), signal),
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
