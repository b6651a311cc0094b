/** The tokenizer of a text that is read document by document, kept beside its shards while these are made. */
import { join } from 'node:path';
import type { Config } from '../../../../preload/contract/settings.ts';
import { writeAtomic } from '../../../files/atomic.ts';
import { readWhole, sha256 } from '../../../files/whole.ts';
import type { Corpus } from '../corpus.ts';
import { CorpusBuilder } from '../corpusBuilder.ts';
import type { PreparedTokenizer, TokenizerKind, TokenizerOptions, TrainingDocuments } from '../tokenizers/tokenizer.ts';
import { readBlocks } from './readBlocks.ts';
import { isClosing, isHeldOut } from './blocks.ts';
import { DocumentSizes } from '../documentSizes.ts';
import type { TextPass } from './readBlocks.ts';

/** Bytes of training text that are shown to a tokenizer which learns from a text in memory. */
const SHOWN = 2 ** 26;
const NOTHING: Corpus = { bytes: new Uint8Array(), offsets: Float64Array.of(0), bits: null };

interface Note {
  readonly id: string;
  readonly vocabularySize: number;
  /** Base64, and its SHA-256. */
  readonly merges: string | null;
  readonly sha256: string;
}

/** Ends a reading that has given enough. */
class Enough extends Error {}

export async function learnFrom(
  folder: string,
  kind: TokenizerKind,
  settings: Config,
  pass: TextPass,
  options: TokenizerOptions,
): Promise<PreparedTokenizer> {
  if (kind.fixed === true) return await kind.prepare(settings, { train: NOTHING, validation: NOTHING }, options);
  const path = join(folder, 'scan-tokenizer.json');
  const known = await kept(path, kind);
  if (known !== null) return known;
  const train = trainingDocuments(pass);
  const learnt =
    kind.learn === undefined
      ? await kind.prepare(settings, { train: await shown(train), validation: NOTHING }, options)
      : await kind.learn(settings, train, options);
  const { id, merges, tokenizer } = learnt;
  const text = merges === null ? null : Buffer.from(new Uint8Array(merges.slice().buffer)).toString('base64');
  const note: Note = { id, vocabularySize: tokenizer.vocabularySize, merges: text, sha256: sha256(text ?? '') };
  await writeAtomic(path, JSON.stringify(note));
  return learnt;
}

async function kept(path: string, kind: TokenizerKind): Promise<PreparedTokenizer | null> {
  const bytes = await readWhole(path);
  if (bytes === null) return null;
  const { id, vocabularySize, merges: text, sha256: sum } = JSON.parse(Buffer.from(bytes).toString('utf8')) as Note;
  if (sha256(text ?? '') !== sum) return null;
  const merges = text === null ? null : new Int32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);
  return { id, merges, tokenizer: await kind.restore(vocabularySize, merges) };
}

function trainingDocuments(pass: TextPass): TrainingDocuments {
  const { held, sizes } = pass;
  const own = DocumentSizes.of();
  for (let d = 0; d < sizes.length; d++) if ((typeof held === 'number' ? held : held[d]) === 0) own.push(sizes.at(d));
  return {
    sizes: own,
    read: async (take) => {
      let document = 0;
      await readBlocks(pass, 0, { parts: true, lanes: 1 }, async ({ text, parts }) => {
        await new Promise((resolve) => setImmediate(resolve));
        let at = 0;
        for (const [i, marks] of parts.marks.entries()) {
          const end = at + parts.bytes[i];
          if (!isHeldOut(marks)) take(text.subarray(at, end), document);
          if (!isHeldOut(marks) && isClosing(marks)) document++;
          at = end;
        }
      });
    },
  };
}

/** The first documents. */
async function shown(train: TrainingDocuments): Promise<Corpus> {
  const builder = new CorpusBuilder(SHOWN);
  let open = 0;
  try {
    await train.read((part, document) => {
      if (document > open) builder.close();
      open = document;
      if (!builder.part(part)) throw new Enough();
    });
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
  }
  builder.close();
  return builder.build();
}
