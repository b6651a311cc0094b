/**
 * Time to train a byte-level BPE and to encode with it, on the built-in stories and on text files.
 *
 *   node test/bench/tokenizer.ts [--vocabulary 16000] [--megabytes 10] [--text FILE …]
 *
 * Text files are joined and, where shorter than asked for, repeated with every repeat's letters shifted, so that repeats bring new words.
 */
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { story } from '../../main/engine/data/corpora/storiesTelling.ts';
import { bpeTokenizer } from '../../main/engine/data/tokenizers/bpeTokenizer.ts';
import { trainBpeInWorker } from '../../main/engine/data/tokenizers/bpeBackground.ts';

export interface TokenizerTiming {
  readonly text: string;
  readonly bytes: number;
  readonly vocabulary: number;
  readonly merges: number;
  readonly pieces: number;
  readonly trainSeconds: number;
  readonly encodeSeconds: number;
  readonly bytesPerToken: number;
}

function stories(bytes: number): Buffer[] {
  const documents: Buffer[] = [];
  for (let i = 0, total = 0; total < bytes; i++) {
    documents.push(Buffer.from(story(0, i).text, 'latin1'));
    total += documents[i].length;
  }
  return documents;
}

/** Caesar's cipher on a–z. */
function shifted(text: Buffer, by: number): Buffer {
  const out = Buffer.from(text);
  for (let i = 0; i < out.length; i++) if (out[i] >= 97 && out[i] <= 122) out[i] = 97 + ((out[i] - 97 + by) % 26);
  return out;
}

function repeated(text: Buffer, bytes: number): Buffer[] {
  const documents: Buffer[] = [];
  for (let total = 0; total < bytes; total += text.length)
    documents.push(shifted(text, documents.length % 26).subarray(0, bytes - total));
  return documents;
}

async function time(text: string, documents: readonly Buffer[], vocabulary: number): Promise<TokenizerTiming> {
  const offsets = new Float64Array(documents.length + 1);
  documents.forEach((document, i) => {
    offsets[i + 1] = offsets[i] + document.length;
  });
  const bytes = Buffer.concat(documents);
  const started = performance.now();
  const { merges, pieces } = await trainBpeInWorker({ bytes, offsets, bits: null }, vocabulary);
  const trained = performance.now();
  const tokenizer = bpeTokenizer(merges, vocabulary);
  const ids = tokenizer.encode(bytes);
  const encoded = performance.now();
  if (Buffer.compare(Buffer.from(tokenizer.decode(ids)), bytes) !== 0) throw new Error('not lossless');
  return {
    text,
    bytes: bytes.length,
    vocabulary,
    merges: merges.length / 2,
    pieces,
    trainSeconds: (trained - started) / 1000,
    encodeSeconds: (encoded - trained) / 1000,
    bytesPerToken: bytes.length / ids.length,
  };
}

/** Prints one line per text and returns the timings. */
export async function tokenizerBench(args: readonly string[]): Promise<TokenizerTiming[]> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      vocabulary: { type: 'string', default: '16000' },
      megabytes: { type: 'string', default: '10' },
      text: { type: 'string', multiple: true, default: [] },
    },
  });
  const vocabulary = Number(values.vocabulary);
  const bytes = Number(values.megabytes) * 1e6;
  const timings = [await time('stories', stories(bytes), vocabulary)];
  if (values.text.length > 0) {
    const text = Buffer.concat(await Promise.all(values.text.map((path) => readFile(path))));
    timings.push(await time(`${values.text.length} files`, repeated(text, bytes), vocabulary));
  }
  for (const t of timings)
    console.log(
      `${t.text}: ${(t.bytes / 1e6).toFixed(1)} MB, ${t.pieces} pieces, ${t.merges} merges of ${t.vocabulary}: ` +
        `trained in ${t.trainSeconds.toFixed(2)} s, encoded in ${t.encodeSeconds.toFixed(2)} s, ${t.bytesPerToken.toFixed(2)} bytes/token`,
    );
  return timings;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  await tokenizerBench(process.argv.slice(2));
