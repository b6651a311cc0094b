import { readFile } from 'node:fs/promises';
import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { binaryKind } from '../../../../main/engine/data/reading/magic.ts';
import { Folder, read } from './helpers.ts';

const folder = new Folder();
beforeAll(() => folder.make());
afterAll(() => folder.remove());

/** The beginning of a file of each kind, and the words that name it. */
const SAMPLES: readonly (readonly [name: string, beginning: string | Buffer, words: string])[] = [
  ['x.arrow', 'ARROW1\0\0\xff\xff\xff\xff', 'Arrow (Feather)'],
  ['data-00000-of-00001.arrow', '\xff\xff\xff\xff\xf8\x02\0\0\x10\0\0\0', 'Arrow stream'],
  ['x.feather', 'FEA1\0\0\0\0', 'Feather'],
  ['x.orc', 'ORC\0\0', 'ORC'],
  ['x.avro', 'Obj\x01\x04\x14', 'Avro'],
  ['x.npy', "\x93NUMPY\x01\0v\0{'descr': '<u2'}", 'NumPy'],
  ['x.pkl', '\x80\x04\x95\x10\0\0\0\0\0\0\0]\x94.', 'Python pickle'],
  ['x.pt', '\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.', 'checkpoint of PyTorch'],
  [
    'x.safetensors',
    Buffer.concat([Buffer.from([64, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{"weight":{}}')]),
    'safetensors',
  ],
  ['x.gguf', 'GGUF\x03\0\0\0', 'GGUF'],
  ['x.h5', '\x89HDF\r\n\x1a\n\0', 'HDF5'],
  ['x.sqlite', 'SQLite format 3\0\x10\0', 'SQLite'],
  ['x.pdf', '%PDF-1.7\n%\xe2\xe3\xcf\xd3', 'PDF'],
  ['x.rtf', '{\\rtf1\\ansi text}', 'RTF'],
  ['x.doc', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0', 'Word or Excel'],
  ['x.png', '\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'PNG'],
  ['x.jpg', '\xff\xd8\xff\xe0\0\x10JFIF', 'JPEG'],
  ['x.gif', 'GIF89a\x01\0\x01\0', 'GIF'],
  ['x.webp', 'RIFF\x10\0\0\0WEBPVP8 ', 'WebP'],
  ['x.wav', 'RIFF\x10\0\0\0WAVEfmt ', 'WAV'],
  ['x.mp3', 'ID3\x04\0\0\0\0\0', 'MP3'],
  ['x.flac', 'fLaC\0\0\0\x22', 'FLAC'],
  ['x.ogg', 'OggS\0\x02\0', 'Ogg'],
  ['x.mp4', '\0\0\0\x20ftypisom\0', 'MP4'],
  ['x.mkv', '\x1aE\xdf\xa3\x01', 'Matroska'],
  ['x', '\x7fELF\x02\x01\x01\0', 'ELF'],
  ['x.class', '\xca\xfe\xba\xbe\0\0\x004', 'Java'],
  ['x.wasm', '\0asm\x01\0\0\0', 'WebAssembly'],
  ['x.tar', `${'a.txt'.padEnd(257, '\0')}ustar\0`, 'tar archive'],
  ['x.7z', '7z\xbc\xaf\x27\x1c\0\x04', '7-Zip'],
  ['x.rar', 'Rar!\x1a\x07\x01\0', 'RAR'],
  ['x.lz4', '\x04\x22\x4d\x18\x64', 'lz4'],
  ['x.lz', 'LZIP\x01\x0c', 'lzip'],
  ['x.Z', '\x1f\x9d\x90', 'compress'],
  ['x.lzma', '\x5d\0\0\x80\0\xff\xff', 'lzma'],
  ['x.sz', '\xff\x06\0\0sNaPpY', 'snappy'],
  ['x.zlib', deflateSync('hello world'.repeat(99), { level: 9 }), 'zlib'],
  ['y.zlib', deflateSync('hello world'.repeat(99), { level: 1 }), 'zlib'],
  ['old.pkl', '(dp0\nVtext\np1\n(lp2\nVhello', 'Python pickle'],
  ['older.pkl', '}q\0(X\x04\0\0\0textq\x01', 'Python pickle'],
  ['array.pkl', 'cnumpy.core.multiarray\n_reconstruct\np0\n', 'Python pickle'],
  ['x.idx', 'MMIDIDX\0\0\x01\0\0\0\0\0\0\0', 'index of token ids (Megatron)'],
  ['x.duckdb', '\x01\x02\x03\x04\x05\x06\x07\x08DUCK\0\0', 'DuckDB'],
  ['x.jsonl', 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 10\n', 'pointer of Git LFS'],
  ['x.parquet', '/annex/objects/SHA256E-s10--00.parquet\n', 'pointer of git-annex'],
];

describe('binary data', () => {
  test.each(SAMPLES)('%s is refused by name', async (name, beginning, words) => {
    const bytes = typeof beginning === 'string' ? Buffer.from(beginning, 'latin1') : beginning;
    const path = await folder.file(name, Buffer.concat([bytes, Buffer.alloc(40, 1)]));
    await expect(read(path)).rejects.toThrow(`data.corpus is ${JSON.stringify(path)} (not text: it is `);
    await expect(read(path)).rejects.toThrow(words);
  });

  test('texts that begin with the letters of a signature are texts (catches short signatures)', async () => {
    const beginnings = [
      'ORCHIDS grow',
      'GGUF is a format',
      'the ftyp box',
      'RIFF on a theme',
      'MZ are initials',
      'BM is short',
    ];
    beginnings.push(
      'ID3 tags',
      'OggS pages',
      'PAR1 is a magic',
      'GIF89a is old',
      'Obj',
      'PK is not ZIP',
      'BZh is not bzip2',
      'x^2 + y^2 = 1',
      '(dp0 is a name',
      'cnumpy is a module',
      '}q and ]q',
    );
    for (const beginning of beginnings) {
      const bytes = Buffer.from(`${beginning} and more words.\n\nAnother paragraph.`);
      expect(binaryKind(bytes, bytes.length), beginning).toBeNull();
      expect((await read(await folder.file('text.txt', bytes))).texts.length, beginning).toBe(2);
    }
  });

  test('a table read as what it is not is named, in a folder too (catches "binary data", "no files" alone)', async () => {
    const parquet = await readFile(new URL('../fixtures/rows.snappy.parquet', import.meta.url));
    const path = await folder.file('table.txt', parquet);
    await expect(read(path, { 'data.format': 'text' })).rejects.toThrow(
      /not text: it is a Parquet table. Set data.format to parquet/,
    );
    await folder.file('saved/state.json', '{}');
    await folder.file('saved/data-00000-of-00001.arrow', Buffer.from('\xff\xff\xff\xff\xf8\x02\0\0', 'latin1'));
    await expect(read(folder.at('saved'))).rejects.toThrow(
      /no text or table files \(left out: .*\)\. data-00000-of-00001.arrow is an Arrow stream .*to_parquet/,
    );
    const ids = Buffer.from(Uint16Array.from({ length: 400 }, (_, i) => (i * 7919) % 50257).buffer);
    await expect(read(await folder.file('ids.bin', ids))).rejects.toThrow(
      /it is binary data.*If these are token ids of GPT-2 in 16 bits, set data.format to tokens/,
    );
  });

  test('what is not Parquet, or cut off, is said; JSON lines read as plain text are told of', async () => {
    await expect(read(await folder.file('fake.parquet', 'x'.repeat(100)))).rejects.toThrow(
      /fake.parquet" \(not a whole Parquet file/,
    );
    const { report } = await read(await folder.file('lines.txt', '{"text":"a"}\n{"text":"b"}\n{"text":"c"}\n'));
    expect(report.warnings).toEqual([
      expect.stringMatching(/lines.txt: looks like JSON lines .* set data.format to jsonl/),
    ]);
    expect((await read(folder.at('lines.txt'), { 'data.format': 'jsonl' })).texts).toEqual(['a', 'b', 'c']);
  });
});
