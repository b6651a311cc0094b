/**
 * Text to tokens against tiktoken and tokenizers, in the same run, with the same tokens: GPT-2's, and 32,768 that are learnt here.
 *
 *   npm run bench -- tokenize [--python PATH] [--text FILE] [--megabytes 20] [--repeats 3]
 *
 * Per core is time of the processor, so that what else the machine does counts little; the threads of a preparation are timed by the clock.
 * `--python`: one with tiktoken and tokenizers; without it the peers are skipped, visibly. All must give the same ids.
 */
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { story } from '../../main/engine/data/corpora/storiesTelling.ts';
import { marksOf } from '../../main/engine/data/shards/blocks.ts';
import type { TextBlock } from '../../main/engine/data/shards/blocks.ts';
import { encoderThreads } from '../../main/engine/data/shards/pool.ts';
import { bpeTokenizer } from '../../main/engine/data/tokenizers/bpeTokenizer.ts';
import { trainBpe } from '../../main/engine/data/tokenizers/bpeTrain.ts';
import { gpt2Tokenizer } from '../../main/engine/data/tokenizers/gpt2.ts';
import { mergePiece, PairMap } from '../../main/engine/data/tokenizers/merges.ts';
import type { Tokenizer } from '../../main/engine/data/tokenizers/tokenizer.ts';
import { startPeer } from './peer.ts';

const VOCABULARY = 32_768;
const LEARNT_FROM = 20e6;
const GPT2 = String.raw`'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
/** The rule of pieces.ts for ASCII, to which the text is reduced. */
const OWN = String.raw`'(?i:ll|re|ve|[stmd])| [A-Za-z]{1,63}|[A-Za-z]{1,64}| ?[0-9]{1,3}| [^A-Za-z0-9\t-\r ]{1,63}|[^A-Za-z0-9\t-\r ]{1,64}|[\t-\r ]{1,63}(?= [^\t-\r ])|[\t-\r ]{1,64}`;

interface PeerAnswer {
  readonly seconds: number;
  readonly ids: string;
}

async function textOf(path: string | undefined, bytes: number): Promise<Buffer> {
  if (path === undefined) {
    const documents: string[] = [];
    for (let i = 0, total = 0; total < bytes; i++) total += documents[documents.push(story(0, i).text) - 1]!.length + 2;
    return Buffer.from(documents.join('\n\n'));
  }
  const file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
  await file.close();
  // Peers take whole characters and other line ends otherwise.
  return Buffer.from(buffer.subarray(0, bytesRead).toString('utf8').replaceAll('\r', '').replaceAll('\uFFFD', ''));
}

/** Seconds of the processor. */
function timed(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;

/** The pairs that GPT-2's tokens are merged of. */
function mergesOfGpt2(tokens: readonly Uint8Array[]): [number, number][] {
  const byByte = new Int32Array(256);
  for (const [id, token] of tokens.entries()) if (token.length === 1) byByte[token[0]!] = id;
  const pairs = new PairMap();
  const symbols = new Int32Array(256);
  return tokens.flatMap((token, id): [number, number][] => {
    if (token.length < 2) return [];
    for (const [i, byte] of token.entries()) symbols[i] = byByte[byte]!;
    mergePiece(symbols, token.length, pairs);
    pairs.set(symbols[0]!, symbols[1]!, id);
    return [[symbols[0]!, symbols[1]!]];
  });
}

interface Case {
  readonly name: string;
  readonly tokenizer: Tokenizer;
  readonly merges: Int32Array | null;
  readonly pairs: readonly (readonly [number, number])[];
  readonly pattern: string;
  readonly text: Buffer;
}

async function bench(one: Case, folder: string, python: string | undefined, repeats: number): Promise<void> {
  const { name, tokenizer, text, merges } = one;
  const megabytes = text.length / 1e6;
  let ids = new Int32Array();
  // The first time is that of a tokenizer which knows no piece yet.
  const own = Array.from({ length: repeats }, () => timed(() => void (ids = Int32Array.from(tokenizer.encode(text)))));
  console.log(`${name}, ${megabytes.toFixed(1)} MB, ${(text.length / ids.length).toFixed(2)} bytes/token`);
  const speed = (seconds: number): string => `${(megabytes / seconds).toFixed(1)} MB/s`;
  console.log(`  sweeplab    ${speed(median(own))} per core (first time ${speed(own[0]!)})`);
  {
    await using encoder = encoderThreads(tokenizer, merges);
    const blocks = (): TextBlock[] =>
      Array.from({ length: Math.ceil(text.length / 2 ** 20) }, (_, i) => {
        const piece = new Uint8Array(text.subarray(i * 2 ** 20, (i + 1) * 2 ** 20));
        return {
          text: piece,
          parts: { bytes: Float64Array.of(piece.length), marks: Uint8Array.of(marksOf(true, false)) },
        };
      });
    await Promise.all(blocks().map((block) => encoder.encode(block)));
    const begun = performance.now();
    await Promise.all(blocks().map((block) => encoder.encode(block)));
    console.log(
      `  sweeplab    ${speed((performance.now() - begun) / 1000)} with ${encoder.lanes} threads, by the clock`,
    );
  }
  if (python === undefined) return;
  const path = join(folder, 'text');
  await writeFile(path, text);
  const spec = join(folder, 'spec.json');
  const tokens = Array.from({ length: tokenizer.vocabularySize }, (_, id) =>
    Buffer.from(tokenizer.decode([id])).toString('base64'),
  );
  await writeFile(spec, JSON.stringify({ tokens, merges: one.pairs, pattern: one.pattern, text: path }));
  const script = new URL('peers/tokens.py', import.meta.url).pathname;
  const peer = await startPeer<Record<string, string>, PeerAnswer>(python, script, { spec });
  try {
    for (const [library, version] of Object.entries(peer.hello)) {
      const answers: PeerAnswer[] = [];
      for (let i = 0; i < repeats; i++) answers.push(await peer.ask(library));
      const same = Buffer.from(ids.buffer).equals(Buffer.from(answers[0]!.ids, 'base64'));
      const seconds = median(answers.map((answer) => answer.seconds));
      console.log(
        `  ${library.padEnd(11)} ${speed(seconds)} per core (${version}); ${same ? 'the same ids' : 'OTHER IDS'}; sweeplab is ${(seconds / median(own)).toFixed(2)} times as fast`,
      );
    }
  } finally {
    peer.close();
  }
}

export async function tokenizeBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      python: { type: 'string' },
      text: { type: 'string' },
      megabytes: { type: 'string', default: '20' },
      repeats: { type: 'string', default: '3' },
    },
  });
  const { python } = values;
  const repeats = Number(values.repeats);
  if (python === undefined)
    console.log('SKIPPED: the peers (give --python PATH, a Python with tiktoken and tokenizers)');
  const text = await textOf(values.text, Number(values.megabytes) * 1e6);
  const folder = await mkdtemp(join(tmpdir(), 'sweeplab-tokenize-'));
  try {
    const gpt2 = await gpt2Tokenizer();
    const tokens = Array.from({ length: gpt2.vocabularySize }, (_, id) => gpt2.decode([id]));
    await bench(
      { name: 'gpt2', tokenizer: gpt2, merges: null, pairs: mergesOfGpt2(tokens), pattern: GPT2, text },
      folder,
      python,
      repeats,
    );
    const ascii = Buffer.from(text.filter((byte) => byte < 128));
    const sample = ascii.subarray(0, LEARNT_FROM);
    const { merges } = trainBpe(sample, Float64Array.of(0, sample.length), VOCABULARY);
    const pairs = Array.from({ length: merges.length / 2 }, (_, i) => [merges[2 * i]!, merges[2 * i + 1]!] as const);
    const tokenizer = bpeTokenizer(merges, VOCABULARY);
    await bench(
      { name: `bpe, ${pairs.length} merges`, tokenizer, merges, pairs, pattern: OWN, text: ascii },
      folder,
      python,
      repeats,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
