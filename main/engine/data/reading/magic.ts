/**
 * What a file is, by its first bytes. Names lie (a download may be unpacked by the browser and keep its .gz); contents do not.
 * To add a kind: one line in `BINARY`, and a sample in the test.
 */
import { isUtf8 } from 'node:buffer';
import { constants, inflateSync } from 'node:zlib';

const bytesOf = (text: string) => Buffer.from(text, 'latin1');
const has = (head: Buffer, at: number, text: string) => {
  const bytes = bytesOf(text);
  return head.length >= at + bytes.length && head.subarray(at, at + bytes.length).equals(bytes);
};

export interface BinaryKind {
  /** Completes the sentence `it is …`. */
  readonly what: string;
  /** What to do instead, a sentence; empty where nothing helps. */
  readonly advice: string;
}

type Test = (head: Buffer, size: number) => boolean;
const at =
  (offset: number, ...texts: readonly string[]): Test =>
  (head) =>
    texts.some((text) => has(head, offset, text));
const start = (...texts: readonly string[]): Test => at(0, ...texts);
/** A short signature that words may begin with counts only where bytes follow that no text has. */
const binary =
  (test: Test): Test =>
  (head, size) =>
    test(head, size) && head.includes(0);

const TEXT_INSTEAD = 'Save its text as .txt, .jsonl, .csv or .parquet.';
const TOKENS = 'Sweeplab makes its tokens itself: give it the text that they were made from.';
const TABLE = 'Write the table as Parquet: to_parquet(…).';
const UNPACK = (command: string) => `Unpack it first: ${command}.`;

const safetensors: Test = (head) => {
  if (head.length < 10) return false;
  const length = head.readBigUInt64LE(0);
  return length > 1n && length < 100_000_000n && head[8] === 0x7b && head[9] === 0x22;
};
/** Protocols 2 to 5 begin with their number; 0 is in letters and 1 nearly so: with an empty or open dictionary or list, or a class. */
const pickle: Test = (head) =>
  (head[0] === 0x80 && head[1] >= 2 && head[1] <= 5) ||
  /^([}\])]q\0|\([dlt]p[01]\n|c(copy_reg|builtins|__builtin__|collections|numpy|pandas)[\w.]*\n\w+\n)/.test(
    head.toString('latin1', 0, 64),
  );
/** Two bytes say so little that what follows them has to be such data as well. */
const zlib: Test = (head) => {
  if (head[0] !== 0x78 || ![0x01, 0x5e, 0x9c, 0xda].includes(head[1]) || isUtf8(head)) return false;
  try {
    return inflateSync(head, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 1 << 26 }).length > 0;
  } catch {
    return false;
  }
};
const windowsProgram: Test = (head) => {
  if (!has(head, 0, 'MZ') || head.length < 64) return false;
  const header = head.readUInt32LE(60);
  return has(head, header, 'PE\0\0') || (header > head.length && head.includes(0));
};
const bitmap: Test = (head, size) => has(head, 0, 'BM') && head.length > 14 && head.readUInt32LE(2) === size;
const riff =
  (kind: string): Test =>
  (head) =>
    has(head, 0, 'RIFF') && has(head, 8, kind);

const BINARY: readonly (readonly [test: Test, what: string, advice: string])[] = [
  [start('ARROW1\0\0'), 'an Arrow (Feather) file', TABLE],
  [start('\xff\xff\xff\xff'), 'an Arrow stream (save_to_disk of Hugging Face)', TABLE],
  [binary(start('FEA1')), 'a Feather file', TABLE],
  [binary(start('ORC')), 'an ORC table', TABLE],
  [start('Obj\x01'), 'an Avro table', TABLE],
  [binary(start('PAR1')), 'a Parquet table', 'Set data.format to parquet (or to auto).'],
  [binary(start('PARE')), 'an encrypted Parquet file', 'Decrypt it first.'],
  [start('\x93NUMPY'), 'a NumPy array', TOKENS],
  [
    start('\x88\xd8\x34\x01', '\xa1\xd9\x34\x01'),
    'a shard of token ids of llm.c',
    'Set data.format to tokens (or to auto).',
  ],
  [start('MMIDIDX\0\0'), 'an index of token ids (Megatron)', TOKENS],
  [start('\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19'), 'a checkpoint of PyTorch', 'Give it text to train on.'],
  [pickle, 'a Python pickle', TEXT_INSTEAD],
  [safetensors, 'a file of tensors (safetensors)', 'Give it text to train on.'],
  [binary(start('GGUF')), 'a model file (GGUF)', 'Give it text to train on.'],
  [binary(start('lmgg', 'tjgg', 'fmgg')), 'a model file (GGML)', 'Give it text to train on.'],
  [start('\x89HDF\r\n\x1a\n'), 'an HDF5 file', TABLE],
  [start('SQLite format 3\0'), 'an SQLite database', 'Write a query as CSV or Parquet.'],
  [at(8, 'DUCK'), 'a DuckDB database', 'Write a query as CSV or Parquet.'],
  [binary(start('MATLAB 5.0 MAT-file')), 'a MATLAB file', TABLE],
  [binary(start('RDX2\n', 'RDX3\n', 'RDA2\n', 'RDA3\n')), 'a file of R', TABLE],
  [start('%PDF-'), 'a PDF document', TEXT_INSTEAD],
  [start('{\\rtf'), 'an RTF document', TEXT_INSTEAD],
  [start('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'), 'a document of Word or Excel (before 2007)', TEXT_INSTEAD],
  [binary(start('AT&TFORM')), 'a DjVu document', TEXT_INSTEAD],
  [start('\x89PNG\r\n\x1a\n'), 'a picture (PNG)', ''],
  [start('\xff\xd8\xff'), 'a picture (JPEG)', ''],
  [binary(start('GIF87a', 'GIF89a')), 'a picture (GIF)', ''],
  [start('II*\0', 'MM\0*'), 'a picture (TIFF)', ''],
  [start('\0\0\x01\0'), 'an icon', ''],
  [bitmap, 'a picture (BMP)', ''],
  [binary(riff('WEBP')), 'a picture (WebP)', ''],
  [binary(riff('WAVE')), 'a sound (WAV)', ''],
  [binary(riff('AVI ')), 'a film (AVI)', ''],
  [binary(start('ID3')), 'a sound (MP3)', ''],
  [start('\xff\xfb', '\xff\xf3', '\xff\xf2'), 'a sound (MP3)', ''],
  [binary(start('fLaC')), 'a sound (FLAC)', ''],
  [binary(start('OggS')), 'a sound (Ogg)', ''],
  [start('MThd\0'), 'a MIDI file', ''],
  [binary(at(4, 'ftyp')), 'a film, sound or picture (MP4, HEIC)', ''],
  [start('\x1aE\xdf\xa3'), 'a film (Matroska, WebM)', ''],
  [start('\x7fELF'), 'a program (ELF)', ''],
  [windowsProgram, 'a program (Windows)', ''],
  [start('\xfe\xed\xfa\xce', '\xfe\xed\xfa\xcf', '\xce\xfa\xed\xfe', '\xcf\xfa\xed\xfe'), 'a program (macOS)', ''],
  [start('\xca\xfe\xba\xbe'), 'a compiled class (Java)', ''],
  [start('\0asm'), 'a WebAssembly module', ''],
  [start('\xac\xed\0\x05'), 'a serialised object (Java)', ''],
  [binary(start('wOFF', 'wOF2', 'OTTO\0')), 'a font', ''],
  [binary(at(257, 'ustar')), 'a tar archive', UNPACK('tar -xf')],
  [start('7z\xbc\xaf\x27\x1c'), 'a 7-Zip archive', UNPACK('7z x')],
  [start('Rar!\x1a\x07'), 'a RAR archive', UNPACK('unrar x')],
  [start('MSCF\0\0'), 'a CAB archive', UNPACK('cabextract')],
  [start('!<arch>\n'), 'an archive of ar (.deb, .a)', UNPACK('ar x')],
  [start('\x04\x22\x4d\x18', '\x02\x21\x4c\x18'), 'compressed with lz4', UNPACK('lz4 -d')],
  [start('LZIP\x01'), 'compressed with lzip', UNPACK('lzip -d')],
  [start('\x89LZO\0\r\n\x1a\n'), 'compressed with lzop', UNPACK('lzop -d')],
  [start('\x1f\x9d', '\x1f\xa0'), 'compressed with compress (.Z)', UNPACK('gzip -d')],
  [start('\x1f\x1e'), 'compressed with pack (.z)', UNPACK('gzip -d')],
  [start('\xff\x06\0\0sNaPpY'), 'compressed with snappy', UNPACK('python -m snappy -d')],
  [start('\x5d\0\0'), 'compressed with lzma (the old form of xz)', UNPACK('xz -d --format=lzma')],
  [zlib, 'compressed with zlib', UNPACK('zlib-flate -uncompress, or pigz -dz')],
  [
    start('version https://git-lfs.github.com/spec/'),
    'only a pointer of Git LFS, not the data',
    'Fetch the data first: git lfs pull.',
  ],
  [start('/annex/objects/'), 'only a pointer of git-annex, not the data', 'Fetch the data first: git annex get.'],
];

/** What kind of data a file holds that is no text; null where its first bytes are none that is known. `size`: of the file. */
export function binaryKind(head: Buffer, size: number): BinaryKind | null {
  for (const [test, what, advice] of BINARY) if (test(head, size)) return { what, advice };
  return null;
}

export const isParquet = (head: Buffer): boolean => has(head, 0, 'PAR1');
