/**
 * Token ids of GPT-2 as other trainers prepare them, read as the text that they stand for: `train.bin` and `val.bin` of nanoGPT (16 bits each and
 * nothing else), and the shards of llm.c (a header of 256 numbers before them). Documents are parted by the end-of-text token.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Documents } from '../corpusBuilder.ts';
import { gpt2Tokenizer } from '../tokenizers/gpt2.ts';
import type { Format, FormatInput } from './format.ts';

/** First number of a shard of llm.c: ids of GPT-2, or of Llama 3. */
const MAGIC = 20_240_520;
const MAGIC_LLAMA = 20_240_801;
const HEADER = 1024;
const VERSION = 1;

/** Ids that are read at a time. */
const AT_ONCE = 1 << 21;

/** Bytes that are looked at to tell the width of ids. */
const LOOKED_AT = 1 << 16;

const WHOLE = 'a whole shard; make or download it again if it was cut off';
const TEXT_INSTEAD = 'ids of GPT-2 in 16 bits, or the text that they were made from';

export const isTokenShard = (head: Buffer): boolean =>
  head.length >= 4 && [MAGIC, MAGIC_LLAMA].includes(head.readInt32LE(0));

/** Whether there are only small numbers of 32 bits, or nothing but zeros. */
function isWide(bytes: Buffer): boolean {
  for (let at = 2; at + 1 < bytes.length; at += 4) if (bytes[at] !== 0 || bytes[at + 1] !== 0) return false;
  return bytes.length >= 4;
}

/** Where the ids begin, and how many bytes they take. */
async function idsOf(input: FormatInput): Promise<{ readonly from: number; readonly to: number }> {
  const { bytes, name } = input;
  const head = await bytes.slice(0, HEADER);
  if (!isTokenShard(head)) {
    if (existsSync(join(dirname(name), 'meta.pkl')))
      throw input.error(
        'holds token ids of a vocabulary of its own: meta.pkl beside it, which is never opened, says what they mean.',
        'ids of GPT-2, or the text that they were made from (input.txt)',
      );
    if (bytes.byteLength % 2 !== 0)
      throw input.error(`holds ${bytes.byteLength} bytes: ids of 16 bits take an even number.`, TEXT_INSTEAD);
    if (isWide(await bytes.slice(0, LOOKED_AT)))
      throw input.error('holds ids of 32 bits: every second number of 16 bits is 0.', TEXT_INSTEAD);
    return { from: 0, to: bytes.byteLength };
  }
  if (head.readInt32LE(0) === MAGIC_LLAMA)
    throw input.error(
      "is a shard of llm.c with ids of Llama 3's tokenizer, which Sweeplab does not have.",
      TEXT_INSTEAD,
    );
  if (head.length < HEADER)
    throw input.error(`is a shard of llm.c that ends after ${head.length} of the ${HEADER} bytes of its head.`, WHOLE);
  const version = head.readInt32LE(4);
  if (version !== VERSION)
    throw input.error(
      `is a shard of llm.c of version ${version}: what its ids are is not known.`,
      `version ${VERSION}, which the scripts of llm.c write (dev/data), or the text that the ids were made from`,
    );
  const count = head.readInt32LE(8);
  const to = HEADER + 2 * count;
  if (to !== bytes.byteLength)
    throw input.error(
      `is a shard of llm.c that says it holds ${count} ids, but has ${bytes.byteLength} bytes, not ${to}.`,
      WHOLE,
    );
  if (count === 0) throw input.error('is a shard of llm.c that holds 0 ids: it has a head and nothing else.', WHOLE);
  return { from: HEADER, to };
}

async function read(input: FormatInput, documents: Documents): Promise<void> {
  const { from, to } = await idsOf(input);
  const tokenizer = await gpt2Tokenizer();
  const { eosId } = tokenizer;
  for (let at = from; at < to; at += 2 * AT_ONCE) {
    const bytes = await input.bytes.slice(at, Math.min(to, at + 2 * AT_ONCE));
    const ids = new Uint16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    const foreign = ids.findIndex((id) => id > eosId);
    if (foreign >= 0)
      throw input.error(
        `is no list of GPT-2's token ids: number ${(at - from) / 2 + foreign + 1} is ${ids[foreign]}, the largest id is ${eosId}.`,
        TEXT_INSTEAD,
      );
    for (let begin = 0; begin <= ids.length;) {
      const found = ids.indexOf(eosId, begin);
      const end = found < 0 ? ids.length : found;
      if (end > begin && !documents.part(tokenizer.decode(ids.subarray(begin, end)))) return;
      if (found < 0) break;
      if (!documents.close()) return;
      begin = end + 1;
    }
    input.progress(Math.min(1, (at + bytes.length - from) / (to - from)));
  }
  documents.close();
}

export const tokens: Format = {
  name: 'tokens',
  title: 'token ids of GPT-2',
  help: 'ids of GPT-2 in 16 bits, as nanoGPT (train.bin) and llm.c (shards) prepare them',
  extensions: [],
  names: /(?:^|[^a-z0-9])(?:train|val)(?:_\d+)?\.bin$/u,
  reads: 'bytes',
  read,
};
