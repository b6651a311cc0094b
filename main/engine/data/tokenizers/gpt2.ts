/**
 * The GPT-2 tokenizer (Radford et al. 2019): the ranks come with the `gpt-tokenizer` package (r50k_base), nothing is
 * downloaded. 50,257 ids, EOS 50256. Loaded on first use.
 */
import { counted } from '../../../../preload/shared/format.ts';
import type { Tokenizer } from './tokenizer.ts';
import { defineTokenizer } from './tokenizer.ts';
import { PairMap, mergePiece } from './merges.ts';
import { pieceEncoder } from './pieceRules.ts';
import { Spellings } from './spellings.ts';

const GPT2_VOCABULARY = 50_257;
const GPT2_EOS = 50_256;

/**
 * Names how the texts are encoded. White space was once JavaScript's: texts with one of the two characters that this concerns got
 * other ids, so datasets prepared from them then are not taken from the cache. All others keep their name.
 */
export function gpt2Id(texts: readonly Uint8Array[]): string {
  const concerns = (text: Uint8Array) => {
    const bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
    return bytes.includes('\u0085') || bytes.includes('\ufeff');
  };
  return texts.some(concerns) ? 'gpt2-2' : 'gpt2-1';
}

let loaded: Promise<Tokenizer> | undefined;

/** Loads (once per process, about half a second) and returns the tokenizer. */
export function gpt2Tokenizer(): Promise<Tokenizer> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Tokenizer> {
  const { default: ranks } = await import('gpt-tokenizer/bpeRanks/r50k_base');
  const spellings = new Spellings();
  for (const token of ranks) spellings.push(typeof token === 'string' ? Buffer.from(token, 'utf8') : token);
  if (spellings.length !== GPT2_EOS)
    throw new Error(`the GPT-2 ranks hold ${counted(spellings.length, 'token')}, expected ${GPT2_EOS}`);
  const tokenBytes = spellings.lengths(GPT2_VOCABULARY);
  const byteIds = new Int32Array(256).fill(-1);
  for (let id = 0; id < spellings.length; id++) if (tokenBytes[id] === 1) byteIds[spellings.of(id)[0]] = id;
  if (byteIds.includes(-1)) throw new Error('the GPT-2 ranks lack a single byte');
  // The list tells only what each token spells. Its merge is what the earlier merges make of it: always two parts.
  const merges = new PairMap();
  const symbols = new Int32Array(256);
  for (let id = 0; id < spellings.length; id++) {
    const bytes = spellings.of(id);
    if (bytes.length < 2) continue;
    for (let i = 0; i < bytes.length; i++) symbols[i] = byteIds[bytes[i]];
    const parts = mergePiece(symbols, bytes.length, merges);
    if (parts !== 2) throw new Error(`GPT-2 token ${id} comes apart into ${parts}`);
    merges.set(symbols[0], symbols[1], id);
  }
  return {
    kind: 'gpt2',
    vocabularySize: GPT2_VOCABULARY,
    eosId: GPT2_EOS,
    padId: GPT2_EOS,
    tokenBytes,
    ...pieceEncoder('gpt2', byteIds, merges),
    decode: (ids) => spellings.decode(ids, GPT2_VOCABULARY),
  };
}

export const gpt2 = defineTokenizer({
  name: 'gpt2',
  help: 'The 50,257 tokens of GPT-2: nothing to train, the shortest sequences, a large head.',
  vocabulary: () => GPT2_VOCABULARY,
  fixed: true,
  bytesPerToken: () => 4.4,
  // Ranks and merges, measured.
  residentBytes: 48 * 2 ** 20,
  prepare: async (_, { train, validation }) => ({
    tokenizer: await gpt2Tokenizer(),
    id: gpt2Id([train.bytes, validation.bytes]),
    merges: null,
  }),
  restore: gpt2Tokenizer,
});
