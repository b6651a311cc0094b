/** The tokenizer of a text that is read document by document. */
import type { Config } from '../../../../preload/contract/settings.ts';
import type { Corpus } from '../corpus.ts';
import { CorpusBuilder } from '../corpusBuilder.ts';
import type { PreparedTokenizer, TokenizerKind, TokenizerOptions } from '../tokenizers/tokenizer.ts';
import { readBlocks } from './readBlocks.ts';
import type { TextPass } from './readBlocks.ts';

/** Bytes of training text that are shown to a tokenizer which learns from a text in memory. */
const SHOWN = 2 ** 26;
const NOTHING: Corpus = { bytes: new Uint8Array(), offsets: Float64Array.of(0), bits: null };

class Enough extends Error {}

export async function learnFrom(
  kind: TokenizerKind,
  settings: Config,
  pass: TextPass,
  options: TokenizerOptions,
): Promise<PreparedTokenizer> {
  if (kind.fixed === true) return await kind.prepare(settings, { train: NOTHING, validation: NOTHING }, options);
  const shown = new CorpusBuilder(SHOWN);
  try {
    await readBlocks(pass, 0, false, 1, ({ text, parts }) => {
      let at = 0;
      for (const { bytes, held } of parts) {
        if (!held && !shown.add(text.subarray(at, at + bytes))) throw new Enough();
        at += bytes;
      }
      return Promise.resolve();
    });
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
  }
  return await kind.prepare(settings, { train: shown.build(), validation: NOTHING }, options);
}
