/** The dataset of a mixture: those of its texts, in tokens that all share. */
import { join } from 'node:path';
import type { ReadingCount, ReadingReport } from '../../../preload/contract/reading.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import type { DataStats } from '../../../preload/contract/shapes.ts';
import { writeAtomic } from '../../files/atomic.ts';
import { readWhole, sha256 } from '../../files/whole.ts';
import { BUILT_IN } from '../kind.ts';
import { mixOf, ofPart, partConfig } from './corpora/mix.ts';
import type { MixPart } from './corpora/mix.ts';
import type { Dataset, MixedText } from './dataset.ts';
import { DocumentSizes } from './documentSizes.ts';
import { DataError } from './errors.ts';
import { joinSplits, whole } from './joined.ts';
import type { PrepareOptions } from './prepareOptions.ts';
import { byte } from './tokenizers/byte.ts';
import { tokenizerFamily, tokenizerOf } from './tokenizers/index.ts';
import type { PreparedTokenizer, TrainingDocuments } from './tokenizers/tokenizer.ts';

type Prepare = (config: Config, options: PrepareOptions) => Promise<Dataset>;

/** @param prepare of one text */
export async function prepareMix(config: Config, options: PrepareOptions, prepare: Prepare): Promise<Dataset> {
  const parts = mixOf(config);
  checkMix(config);
  const tokenizer = await sharedTokenizer(config, parts, options, prepare);
  const texts: MixedText[] = [];
  for (const part of parts)
    texts.push({
      ...part,
      dataset: await ofPart(config, () => prepare(partConfig(config, part), { ...options, tokenizer })),
    });
  const datasets = texts.map(({ dataset }) => dataset);
  const names = texts.map(({ corpus, share, dataset }) => [corpus, share, dataset.contentHash]);
  return {
    train: joinSplits(datasets.map(({ train }) => whole(train))),
    validation: joinSplits(datasets.map(({ validation }) => whole(validation))),
    tokenizer: datasets[0]!.tokenizer,
    stats: joinedStats(datasets.map(({ stats }) => stats)),
    information: null,
    reading: { corpus: joinedReport(datasets.map(({ reading }) => reading.corpus)), validation: null },
    contentHash: sha256(JSON.stringify(['mix-1', names])),
    texts,
  };
}

/** @throws DataError for settings that no mixture can have */
export function checkMix(config: Config): void {
  const own = String(config['data.validation_path'] ?? '');
  if (own !== '')
    throw new DataError(
      'data.validation_path',
      own,
      'of each text of a mixture a part is held out, so that each has a loss of its own.',
      'nothing with data.mix',
      '',
    );
}

/** What is learnt from the training texts of all parts; undefined for a tokenizer that learns nothing. */
async function sharedTokenizer(
  config: Config,
  parts: readonly MixPart[],
  options: PrepareOptions,
  prepare: Prepare,
): Promise<PreparedTokenizer | undefined> {
  const { kind, settings } = tokenizerOf(config, options.kinds);
  if (kind.fixed === true) return undefined;
  const able = (options.kinds ?? BUILT_IN)
    .all(tokenizerFamily)
    .filter((each) => each.fixed === true || each.learn !== undefined)
    .map(({ name }) => name);
  if (kind.learn === undefined)
    throw new DataError(
      'tokenizer.kind',
      kind.name,
      'it learns from one text in memory, not from those of a mixture.',
      able.join(', '),
      able[0]!,
    );
  const texts: Dataset[] = [];
  // In bytes, which are their own tokens, each text lies as it is, and what is held out of it is apart.
  for (const part of parts)
    texts.push(
      await ofPart(config, () => prepare({ ...partConfig(config, part), 'tokenizer.kind': byte.name }, options)),
    );
  const listed = (kind.settings ?? []).map((each) => (typeof each === 'string' ? each : each.name));
  const own = [...(kind.reads?.(settings) ?? listed)].map((name) => [name, settings[name]]);
  const key = sha256(
    JSON.stringify(['mix-2', kind.name, own, config['data.corpus_seed'], texts.map((each) => each.contentHash)]),
  );
  const path = join(options.cacheDir, 'tokenizers', `mix-${key.slice(0, 32)}.json`);
  const size = kind.vocabulary(settings);
  const known = await readMerges(path);
  if (known !== null) return { id: known.id, merges: known.merges, tokenizer: await kind.restore(size, known.merges) };
  const learnt = await kind.learn(settings, documentsOf(texts), options);
  const merges = [...(learnt.merges ?? [])];
  const note: MergesNote = { id: learnt.id, merges, sha256: sha256(JSON.stringify(merges)) };
  await writeAtomic(path, JSON.stringify(note));
  return learnt;
}

interface MergesNote {
  readonly id: string;
  readonly merges: readonly number[];
  readonly sha256: string;
}

async function readMerges(path: string): Promise<{ readonly id: string; readonly merges: Int32Array } | null> {
  const bytes = await readWhole(path);
  if (bytes === null) return null;
  try {
    const { id, merges, sha256: sum } = JSON.parse(Buffer.from(bytes).toString('utf8')) as MergesNote;
    return sha256(JSON.stringify(merges)) === sum ? { id, merges: Int32Array.from(merges) } : null;
  } catch {
    return null;
  }
}

/** Bytes of a document that are given at a time. */
const AT_ONCE = 1 << 20;

/** The training documents of datasets in bytes. */
function documentsOf(texts: readonly Dataset[]): TrainingDocuments {
  const sizes = DocumentSizes.of();
  for (const { train } of texts) {
    const { offsets } = train;
    for (let d = 0; d + 1 < offsets.length; d++) sizes.push(offsets[d + 1]! - offsets[d]! - 1);
  }
  return {
    sizes,
    read: async (take) => {
      let document = 0;
      for (const { train } of texts)
        for (let d = 0; d + 1 < train.offsets.length; d++, document++) {
          const end = train.offsets[d + 1]! - 1;
          for (let at = train.offsets[d]!; at < end; at += AT_ONCE)
            take(Uint8Array.from(train.tokens.subarray(at, Math.min(end, at + AT_ONCE))), document);
          if (document % 1000 === 999) await new Promise((resolve) => setImmediate(resolve));
        }
    },
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

function joinedStats(all: readonly DataStats[]): DataStats {
  const total = (of: (stats: DataStats) => number): number => sum(all.map(of));
  const mean = (of: (stats: DataStats) => number, weight: (stats: DataStats) => number): number =>
    total((stats) => of(stats) * weight(stats)) / total(weight);
  return {
    trainBytes: total((stats) => stats.trainBytes),
    validationBytes: total((stats) => stats.validationBytes),
    trainTokens: total((stats) => stats.trainTokens),
    validationTokens: total((stats) => stats.validationTokens),
    trainDocuments: total((stats) => stats.trainDocuments),
    validationDocuments: total((stats) => stats.validationDocuments),
    bytesPerToken: total((stats) => stats.trainBytes) / total((stats) => stats.trainTokens),
    // Of each text against itself: what another text has seen does not count.
    unseenTokenFraction: mean(
      (stats) => stats.unseenTokenFraction,
      (stats) => stats.validationTokens,
    ),
    duplicateFraction: mean(
      (stats) => stats.duplicateFraction,
      (stats) => stats.validationDocuments,
    ),
    usedVocabulary: Math.max(...all.map((stats) => stats.usedVocabulary)),
    longestDocument: Math.max(...all.map((stats) => stats.longestDocument)),
  };
}

/** Null where all texts were made here. */
function joinedReport(all: readonly (ReadingReport | null)[]): ReadingReport | null {
  const reports = all.filter((report) => report !== null);
  if (reports.length === 0) return null;
  const counts = (of: (report: ReadingReport) => Readonly<Record<string, number>>): Record<string, number> => {
    const found: Record<string, number> = {};
    for (const report of reports)
      for (const [name, count] of Object.entries(of(report))) found[name] = (found[name] ?? 0) + count;
    return found;
  };
  const lists = (of: (report: ReadingReport) => readonly ReadingCount[]): ReadingCount[] => {
    const found = new Map<string, ReadingCount>();
    for (const one of reports.flatMap(of)) {
      const before = found.get(one.what);
      found.set(one.what, before === undefined ? one : { ...before, count: before.count + one.count });
    }
    return [...found.values()];
  };
  return {
    files: sum(reports.map(({ files }) => files)),
    bytes: sum(reports.map(({ bytes }) => bytes)),
    documents: sum(reports.map(({ documents }) => documents)),
    textBytes: sum(reports.map(({ textBytes }) => textBytes)),
    whole: reports.every((report) => report.whole),
    formats: counts(({ formats }) => formats),
    encodings: counts(({ encodings }) => encodings),
    compressions: counts(({ compressions }) => compressions),
    leftOut: lists(({ leftOut }) => leftOut),
    dropped: lists(({ dropped }) => dropped),
    changed: lists(({ changed }) => changed),
    warnings: reports.flatMap(({ warnings }) => warnings),
  };
}
