/** bzip2: streams one after another (as pbzip2 writes them), each of blocks of 100 to 900 kB. */
import { BitReader, Bzip2Error, MoreNeeded, readBlock } from './bzip2Block.ts';
import { Input, damaged, endsEarly, followed } from './compression.ts';
import type { Compression } from './compression.ts';

const isBzip2 = (head: Buffer) =>
  head.length >= 4 && head.toString('latin1', 0, 3) === 'BZh' && head[3] >= 0x31 && head[3] <= 0x39;

/** Enough for a usual block, so that hardly any is begun twice. */
const USUAL = 1 << 20;

/** Bytes that have come, from a place that only moves on. */
class Window {
  bytes: Buffer = Buffer.alloc(0);
  ended = false;
  readonly #input: Input;

  constructor(input: Input) {
    this.#input = input;
  }

  async fill(from: number, wanted: number): Promise<void> {
    const parts = [this.bytes.subarray(from)];
    let have = parts[0].length;
    while (have < wanted && !this.ended) {
      const chunk = await this.#input.next();
      if (chunk === null) this.ended = true;
      else {
        parts.push(chunk);
        have += chunk.length;
      }
    }
    this.bytes = Buffer.concat(parts);
  }
}

const BLOCK = 0x314159265359;
const END = 0x177245385090;

async function* decompress(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const input = new Input(chunks);
  const window = new Window(input);
  try {
    await window.fill(0, USUAL);
    let bits = new BitReader(window.bytes, 0);
    for (let streams = 0; ; streams++) {
      if (window.bytes.length - bits.at < USUAL && !window.ended) {
        await window.fill(bits.at, USUAL);
        bits = new BitReader(window.bytes, 0);
      }
      const head = window.bytes.subarray(bits.at, bits.at + 4);
      if (head.length === 0 && streams > 0) return;
      if (!isBzip2(head)) throw streams > 0 ? followed('bzip2') : damaged('it does not begin as bzip2 does');
      bits.at += 4;
      bits = yield* readStream(window, bits, 100_000 * (head[3] - 0x30));
    }
  } catch (error) {
    throw error instanceof Bzip2Error ? damaged(error.message) : error;
  } finally {
    await input.close();
  }
}

async function* readStream(window: Window, from: BitReader, capacity: number): AsyncGenerator<Buffer, BitReader> {
  const links = new Uint32Array(capacity);
  let bits = from;
  let sum = 0;
  for (let wanted = USUAL; ;) {
    const { at, buffer, have } = bits;
    try {
      const mark = bits.read(24) * 2 ** 24 + bits.read(24);
      if (mark === END) {
        if (bits.read32() !== sum >>> 0) throw new Bzip2Error('its checksum is wrong');
        bits.alignToByte();
        return bits;
      }
      if (mark !== BLOCK) throw new Bzip2Error('no block where one should begin');
      const { bytes, crc } = readBlock(bits, links, capacity);
      sum = ((sum << 1) | (sum >>> 31)) ^ crc;
      for (const piece of bytes) yield piece;
      wanted = USUAL;
      if (window.bytes.length - bits.at >= USUAL || window.ended) continue;
    } catch (error) {
      if (!(error instanceof MoreNeeded)) throw error;
      if (window.ended) throw endsEarly();
      Object.assign(bits, { at, buffer, have });
      wanted *= 2;
    }
    // The bits of begun bytes stay in the reader.
    const { buffer: open, have: count, at: begin } = bits;
    await window.fill(begin, wanted);
    bits = Object.assign(new BitReader(window.bytes, 0), { buffer: open, have: count });
  }
}

export const bzip2: Compression = { name: 'bzip2', endings: ['.bz2', '.bz'], matches: isBzip2, decompress };
