/**
 * One block of bzip2: Huffman codes → run lengths and move-to-front → inverse Burrows-Wheeler transform → run lengths → bytes.
 * Written here because the packages there are decode two to five megabytes a second. The format: Julian Seward's bzip2 1.0.8.
 */

export class Bzip2Error extends Error {}
/** The bytes given do not reach to the end of the block. */
export class MoreNeeded extends Error {}

const GROUP = 50;
const MAX_CODE = 20;
const FAST = 10;

/** Reads bits from the left. */
export class BitReader {
  readonly bytes: Buffer;
  at: number;
  /** The lower `have` bits are still to come. */
  buffer = 0;
  have = 0;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  /** At most 24 bits. */
  read(count: number): number {
    while (this.have < count) {
      if (this.at >= this.bytes.length) throw new MoreNeeded();
      this.buffer = (this.buffer << 8) | this.bytes[this.at++];
      this.have += 8;
    }
    this.have -= count;
    return (this.buffer >>> this.have) & ((1 << count) - 1);
  }

  read32(): number {
    return ((this.read(16) << 16) | this.read(16)) >>> 0;
  }

  /** The bytes whose bits were all read or begun; the rest of a begun byte is padding. */
  alignToByte(): number {
    const whole = this.have >> 3;
    this.at -= whole;
    this.have = 0;
    this.buffer = 0;
    return this.at;
  }
}

/** A Huffman table: short codes by look-up, longer ones by their length. */
interface Table {
  /** symbol << 5 | length by the next FAST bits; 0 where the code is longer. */
  readonly fast: Uint16Array;
  /** The largest code of each length (left-aligned to MAX_CODE bits), −1 where there is none. */
  readonly limit: Int32Array;
  readonly base: Int32Array;
  readonly symbols: Uint16Array;
}

function makeTable(lengths: Uint8Array, count: number): Table {
  const fast = new Uint16Array(1 << FAST);
  const limit = new Int32Array(MAX_CODE + 2).fill(-1);
  const base = new Int32Array(MAX_CODE + 2);
  const symbols = new Uint16Array(count);
  let code = 0;
  let index = 0;
  for (let length = 1; length <= MAX_CODE; length++) {
    base[length] = index - code;
    for (let symbol = 0; symbol < count; symbol++) {
      if (lengths[symbol] !== length) continue;
      symbols[index++] = symbol;
      if (length <= FAST) fast.fill((symbol << 5) | length, code << (FAST - length), (code + 1) << (FAST - length));
      code++;
    }
    if (code > 1 << length) throw new Bzip2Error('codes that do not fit');
    limit[length] = (code << (MAX_CODE - length)) - 1;
    code <<= 1;
  }
  return { fast, limit, base, symbols };
}

function readSymbolMap(bits: BitReader): Uint8Array {
  const used: number[] = [];
  const rows = bits.read(16);
  for (let row = 0; row < 16; row++) {
    if ((rows & (0x8000 >> row)) === 0) continue;
    const columns = bits.read(16);
    for (let column = 0; column < 16; column++) if ((columns & (0x8000 >> column)) !== 0) used.push(row * 16 + column);
  }
  if (used.length === 0) throw new Bzip2Error('a block without symbols');
  return Uint8Array.from(used);
}

function readSelectors(bits: BitReader, groups: number): Uint8Array {
  const count = bits.read(15);
  if (count === 0) throw new Bzip2Error('no selectors');
  const order = Array.from({ length: groups }, (_, i) => i);
  const selectors = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    let place = 0;
    while (bits.read(1) === 1) if (++place >= groups) throw new Bzip2Error('a wrong selector');
    const [group] = order.splice(place, 1);
    order.unshift(group);
    selectors[i] = group;
  }
  return selectors;
}

function readTable(bits: BitReader, count: number): Table {
  const lengths = new Uint8Array(count);
  let length = bits.read(5);
  for (let symbol = 0; symbol < count; symbol++) {
    for (;;) {
      if (length < 1 || length > MAX_CODE) throw new Bzip2Error('a wrong code length');
      if (bits.read(1) === 0) break;
      length += bits.read(1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  return makeTable(lengths, count);
}

/** What is read behind the last byte is no error of the data. */
const failure = (what: string, at: number, bytes: Buffer) =>
  at > bytes.length ? new MoreNeeded() : new Bzip2Error(what);

/** Decodes the symbols of a block into `last` (the last column of the sorted rotations). Returns how many there are. */
function readColumn(bits: BitReader, last: Uint32Array, capacity: number): number {
  const map = readSymbolMap(bits);
  const groups = bits.read(3);
  if (groups < 2 || groups > 6) throw new Bzip2Error('a wrong number of tables');
  const selectors = readSelectors(bits, groups);
  const tables = Array.from({ length: groups }, () => readTable(bits, map.length + 2));
  const end = map.length + 1;
  const front = map.slice();
  const { bytes } = bits;
  let { at, buffer, have } = bits;
  let group = -1;
  let left = 0;
  let { fast, limit, base, symbols } = tables[0];
  let length = 0;
  let run = 0;
  let weight = 1;
  for (;;) {
    if (left === 0) {
      if (at - 8 > bytes.length) throw new MoreNeeded();
      if (++group >= selectors.length) throw failure('too few selectors', at, bytes);
      ({ fast, limit, base, symbols } = tables[selectors[group]]);
      left = GROUP;
    }
    left--;
    while (have < MAX_CODE) {
      buffer = (buffer << 8) | bytes[at++];
      have += 8;
    }
    const next = (buffer >>> (have - MAX_CODE)) & 0xfffff;
    const quick = fast[next >>> (MAX_CODE - FAST)];
    let symbol: number;
    if (quick !== 0) {
      symbol = quick >>> 5;
      have -= quick & 31;
    } else {
      let size = FAST + 1;
      while (size <= MAX_CODE && next > limit[size]) size++;
      if (size > MAX_CODE) throw failure('a wrong code', at, bytes);
      symbol = symbols[base[size] + (next >>> (MAX_CODE - size))];
      have -= size;
    }
    if (symbol <= 1) {
      // A run of the symbol in front, its length in bijective base 2.
      run += weight << symbol;
      weight <<= 1;
      if (run > capacity) throw failure('a run that is too long', at, bytes);
      continue;
    }
    if (run > 0) {
      if (length + run > capacity) throw failure('a block that is too long', at, bytes);
      last.fill(front[0], length, length + run);
      length += run;
      run = 0;
      weight = 1;
    }
    if (symbol === end) break;
    if (length >= capacity) throw failure('a block that is too long', at, bytes);
    const place = symbol - 1;
    const byte = front[place];
    front.copyWithin(1, 0, place);
    front[0] = byte;
    last[length++] = byte;
  }
  if (at - (have >> 3) > bytes.length) throw new MoreNeeded();
  bits.at = at;
  bits.buffer = buffer;
  bits.have = have;
  return length;
}

const CRC = new Uint32Array(256);
for (let i = 0; i < 256; i++) {
  let crc = i << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  CRC[i] = crc;
}

/** Collects bytes in pieces. */
class Pieces {
  readonly done: Buffer[] = [];
  piece = Buffer.allocUnsafe(1 << 20);
  used = 0;

  grow(): void {
    this.done.push(this.piece);
    this.piece = Buffer.allocUnsafe(1 << 20);
    this.used = 0;
  }
}

/** Follows the rotations from `origin`, expands runs (four equal bytes, then how many more), and checks the sum. */
function expand(links: Uint32Array, length: number, origin: number, expected: number): Buffer[] {
  const out = new Pieces();
  let crc = -1;
  let place = links[origin] >>> 8;
  let previous = -1;
  let repeated = 0;
  for (let i = 0; i < length; i++) {
    const link = links[place];
    const byte = link & 0xff;
    place = link >>> 8;
    let count = 1;
    if (repeated === 4) {
      count = byte;
      repeated = 0;
    } else {
      repeated = byte === previous ? repeated + 1 : 1;
      previous = byte;
    }
    for (; count > 0; count--) {
      if (out.used === out.piece.length) out.grow();
      out.piece[out.used++] = previous;
      crc = (crc << 8) ^ CRC[((crc >>> 24) ^ previous) & 0xff];
    }
    if (repeated === 0) previous = -1;
  }
  if (~crc >>> 0 !== expected) throw new Bzip2Error('its checksum is wrong');
  out.done.push(out.piece.subarray(0, out.used));
  return out.done;
}

/** Decodes the block that begins after its mark. `links`: memory for 100,000 × level numbers. */
export function readBlock(bits: BitReader, links: Uint32Array, capacity: number): { bytes: Buffer[]; crc: number } {
  const crc = bits.read32();
  if (bits.read(1) === 1) throw new Bzip2Error('the randomised form of before 1997');
  const origin = bits.read(24);
  const length = readColumn(bits, links, capacity);
  if (origin >= length) throw new Bzip2Error('a wrong origin');
  const starts = new Uint32Array(257);
  for (let i = 0; i < length; i++) starts[(links[i] & 0xff) + 1]++;
  for (let byte = 0; byte < 256; byte++) starts[byte + 1] += starts[byte];
  for (let i = 0; i < length; i++) links[starts[links[i] & 0xff]++] |= i << 8;
  return { bytes: expand(links, length, origin, crc), crc };
}
