/**
 * The GPT-2 tokenizer (Radford et al. 2019): the ranks come with the `gpt-tokenizer` package (r50k_base), nothing is
 * downloaded. 50,257 ids, EOS 50256. Loaded on first use.
 */
import { counted } from '../../../../preload/shared/format.ts';
import type { Tokenizer } from './tokenizer.ts';
import { decodeWith, defineTokenizer } from './tokenizer.ts';
import { IdList, PairMap, PieceEncoder, mergePiece } from './merges.ts';
import { validEnd } from '../utf8.ts';

const GPT2_VOCABULARY = 50_257;
const GPT2_EOS = 50_256;

/**
 * GPT-2's own pre-tokenization rule. White space is spelled out as Unicode's White_Space, which is what the regular expressions
 * of Python and Rust mean by \s: JavaScript's \s has U+FEFF, which it lacks, and lacks U+0085, which it has.
 */
const PIECES =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** Characters are decoded and matched in blocks of about this many bytes, cut where the rule always cuts. */
const BLOCK = 1 << 20;
const NEWLINE = 10;

const isSign = (byte: number) => byte > 32 && byte < 127;

/**
 * Where to end a block that begins at `from`: after a line end that stands alone between two signs. There the rule cuts
 * whatever follows; a longer run of white space would be cut differently at the end of a block.
 */
function blockEnd(bytes: Buffer, from: number): number {
  if (bytes.length - from <= BLOCK) return bytes.length;
  for (let at = from + BLOCK; at < bytes.length; at++)
    if (bytes[at - 1] === NEWLINE && isSign(bytes[at - 2]) && isSign(bytes[at])) return at;
  return bytes.length;
}

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
  const table: (Uint8Array | undefined)[] = ranks.map((token) =>
    typeof token === 'string' ? new Uint8Array(Buffer.from(token, 'utf8')) : Uint8Array.from(token),
  );
  if (table.length !== GPT2_EOS)
    throw new Error(`the GPT-2 ranks hold ${counted(table.length, 'token')}, expected ${GPT2_EOS}`);
  table.push(undefined);
  const byteIds = new Int32Array(256).fill(-1);
  table.forEach((bytes, id) => {
    if (bytes?.length === 1) byteIds[bytes[0]] = id;
  });
  if (byteIds.includes(-1)) throw new Error('the GPT-2 ranks lack a single byte');
  // The list tells only what each token spells. Its merge is what the earlier merges make of it: always two parts.
  const merges = new PairMap();
  const symbols = new Int32Array(256);
  table.forEach((bytes, id) => {
    if (bytes === undefined || bytes.length < 2) return;
    for (let i = 0; i < bytes.length; i++) symbols[i] = byteIds[bytes[i]];
    const parts = mergePiece(symbols, bytes.length, merges);
    if (parts !== 2) throw new Error(`GPT-2 token ${id} comes apart into ${parts}`);
    merges.set(symbols[0], symbols[1], id);
  });
  const tokenBytes = Int32Array.from(table, (bytes) => bytes?.length ?? 0);
  const encoder = new PieceEncoder(byteIds, merges);

  return {
    kind: 'gpt2',
    vocabularySize: GPT2_VOCABULARY,
    eosId: GPT2_EOS,
    padId: GPT2_EOS,
    tokenBytes,
    encode(input) {
      const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
      const ids = new IdList(bytes.length >> 1);
      const one = new Int32Array(1);
      for (let from = 0; from < bytes.length;) {
        const end = blockEnd(bytes, from);
        const block = bytes.subarray(from, end);
        for (let at = 0; at < block.length;) {
          const valid = validEnd(block, at);
          // Piece lengths in bytes are those of the matches, so the bytes need not be encoded again.
          for (const [piece] of block.toString('utf8', at, valid).matchAll(PIECES)) {
            const stop = at + Buffer.byteLength(piece, 'utf8');
            ids.append(encoder.encode(block, at, stop));
            at = stop;
          }
          // A byte that is no UTF-8 is a token by itself: nothing is lost.
          if (valid < block.length) {
            one[0] = byteIds[block[valid]];
            ids.append(one);
            at = valid + 1;
          }
        }
        from = end;
      }
      return ids.take();
    },
    decode: (ids) => decodeWith(table, GPT2_VOCABULARY, ids),
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
