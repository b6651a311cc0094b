import type { DataSummary, Token } from '../../../../preload/contract/shapes.ts';
import { changedSettingNames, longCsv } from '../../../lab/export/longCsv.ts';
import { writeExport } from '../../../lab/export/file.ts';
import { wideCsv } from '../../../lab/export/wideCsv.ts';
import { CORPORA, listDatasets } from '../../../lab/datasets/catalog.ts';
import type { Dataset } from '../../../lab/datasets/datasets.ts';
import { LabError } from '../../../../preload/contract/rpc.ts';
import { configOf } from '../configs.ts';
import type { Values } from '../configs.ts';
import type { Handlers, Hub } from '../hub.ts';
import type { Call } from '../session.ts';

/** Text shown at a time: as many whole documents as make about this many bytes, and no more tokens of a longer one. */
const SAMPLE_BYTES = 4000;
const SAMPLE_TOKENS = 4000;

export function dataRoutes(hub: Hub): Handlers<'data' | 'export'> {
  const { lab } = hub;
  const { store, registry, paths } = lab;
  const load = async (given: Values, { signal }: Call): Promise<Dataset> =>
    hub.datasets.get(await configOf(registry, given), signal);
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
    'data.stats': async (input, call) => summaryOf(await load(input, call)),
    'data.prepare': async (input, call) => summaryOf(await load(input, call)),
    'data.tokens': async ({ text, ...given }, call) => {
      const { tokenizer } = await load(given, call);
      const ids = tokenizer.encode(Buffer.from(text, 'utf8'));
      // One look-up per different token: texts repeat themselves.
      const known = new Map<number, Token>();
      const tokens = [...ids].map((id): Token => {
        const token = known.get(id) ?? { id, bytes: Uint8Array.from(tokenizer.decode([id])) };
        known.set(id, token);
        return token;
      });
      return { tokens, tokenizer: { kind: tokenizer.kind, vocabularySize: tokenizer.vocabularySize } };
    },
    'data.sample': async ({ from: wanted, ...given }, call) => {
      const { train, tokenizer } = await load(given, call);
      const documents = train.offsets.length - 1;
      const from = Math.min(wanted, Math.max(0, documents - 1));
      const texts: string[] = [];
      let bytes = 0;
      let next = from;
      while (next < documents && bytes < SAMPLE_BYTES) {
        const begin = train.offsets[next]!;
        // Without the end-of-document token.
        const end = Math.min(train.offsets[next + 1]! - 1, begin + SAMPLE_TOKENS);
        const text = Buffer.from(tokenizer.decode(train.tokens.subarray(begin, end)));
        bytes += text.length;
        texts.push(text.toString('utf8'));
        next++;
      }
      return { text: texts.join('\n\n'), from, next: next >= documents ? 0 : next, documents };
    },

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

function summaryOf({ contentHash, stats, tokenizer, entropyFloorBitsPerByte }: Dataset): DataSummary {
  return {
    contentHash,
    stats,
    tokenizer: { kind: tokenizer.kind, vocabularySize: tokenizer.vocabularySize },
    entropyFloor: entropyFloorBitsPerByte,
  };
}
