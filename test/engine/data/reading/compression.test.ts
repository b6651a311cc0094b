import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  COMPRESSIONS,
  CompressionError,
  compressionOf,
} from '../../../../main/engine/data/reading/compression/index.ts';
import { LIMITS } from '../../../../main/engine/data/limits.ts';
import { Dice, Folder, hasTool, read } from './helpers.ts';
import { zipOf } from './zipOf.ts';

const folder = new Folder();
beforeAll(() => folder.make());
afterAll(() => folder.remove());

async function* inChunks(bytes: Buffer, size: () => number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length;) {
    const end = at + size();
    yield bytes.subarray(at, end);
    at = end;
  }
}

async function unpack(archive: Buffer, size: () => number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of compressionOf(archive)!.decompress(inChunks(archive, size))) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

interface Fixture {
  readonly name: string;
  /** Base64. */
  readonly archive: string;
  readonly content?: string;
  readonly error?: string;
}

describe('archives of the real tools', () => {
  test('every member, frame and padding is read, whatever the chunks (catches data behind the first frame lost)', async () => {
    const path = new URL('../fixtures/archives.json', import.meta.url);
    const { cases } = JSON.parse(await readFile(path, 'utf8')) as { cases: Fixture[] };
    expect(cases.length).toBe(40);
    const dice = new Dice();
    for (const { name, archive, content, error } of cases) {
      const bytes = Buffer.from(archive, 'base64');
      const sizes = [() => 1 << 20, () => 1 + dice.below(40)];
      // One of these chunks ends exactly where the compressed data ends.
      if (name.startsWith('followed.')) for (let length = 1; length < bytes.length; length++) sizes.push(() => length);
      for (const size of sizes) {
        const unpacked = unpack(bytes, size);
        const label = `${name}, seed ${dice.seed}`;
        if (error === undefined) expect((await unpacked).equals(Buffer.from(content!, 'base64')), label).toBe(true);
        else {
          const reason = await unpacked.then(
            () => null,
            (thrown: unknown) => thrown,
          );
          expect(reason, label).toBeInstanceOf(CompressionError);
          expect((reason as CompressionError).what, label).toMatch(new RegExp(error));
        }
      }
    }
  });

  const tools: Readonly<Record<string, readonly string[][]>> = {
    gzip: [['-1'], ['-9']],
    xz: [['-0'], ['-6'], ['--check=crc32']],
    bzip2: [['-1'], ['-9']],
    zstd: [['-1'], ['--ultra', '-22'], ['--long=27']],
  };
  test.each(Object.keys(tools))(
    '%s: what the tool packs comes out again, on random data',
    async (tool) => {
      if (!hasTool(tool)) return;
      const dice = new Dice();
      for (const options of tools[tool]) {
        const alphabet = dice.list(1 + dice.below(80), () => dice.below(256));
        const length = dice.below(1_200_000);
        const content = Buffer.allocUnsafe(length);
        for (let i = 0; i < length; i++)
          content[i] = dice.below(20) === 0 && i > 300 ? content[i - 300] : dice.of(alphabet);
        const archive = execFileSync(tool, ['-c', ...options], { input: content, maxBuffer: 1e9 });
        const out = await unpack(archive, () => 1 + dice.below(200_000));
        expect(out.equals(content), `${tool} ${options.join(' ')}, seed ${dice.seed}`).toBe(true);
      }
    },
    60_000,
  );

  test('no bytes behind a valid header hang or crash it: each is unpacked or refused', async () => {
    const dice = new Dice();
    const packed = [gzipSync('text '.repeat(200)), zstdCompressSync('text '.repeat(200))];
    const path = new URL('../fixtures/archives.json', import.meta.url);
    const { cases } = JSON.parse(await readFile(path, 'utf8')) as { cases: Fixture[] };
    for (const name of ['one.xz', 'one.bz2', 'runs.bz2'])
      packed.push(Buffer.from(cases.find((each) => each.name === name)!.archive, 'base64'));
    for (let trial = 0; trial < 120; trial++) {
      const bytes = Buffer.from(dice.of(packed));
      for (let flips = 1 + dice.below(3); flips > 0; flips--)
        bytes[4 + dice.below(bytes.length - 4)] ^= 1 << dice.below(8);
      const end = dice.below(4) === 0 ? dice.below(bytes.length) : bytes.length;
      const damaged = bytes.subarray(0, Math.max(12, end));
      if (compressionOf(damaged) === undefined) continue;
      await unpack(damaged, () => 400).catch((error: unknown) => {
        expect(error, `seed ${dice.seed}, trial ${trial}`).toBeInstanceOf(CompressionError);
      });
    }
  }, 60_000);
});

describe('compressed files', () => {
  const rows = '{"text":"one"}\n{"text":"two"}\n';
  const table = 'id,text\n1,one\n2,two\n';

  test('the content decides, whatever the name and its case; formats lie inside', async () => {
    const cases: [string, Uint8Array][] = [
      ['A.TXT.GZ', gzipSync('one\n\ntwo')],
      ['b.jsonl.zst', zstdCompressSync(rows)],
      ['c.csv.gzip', gzipSync(table)],
      ['d.jsonl', gzipSync(rows)],
      ['e.tsv.gz', gzipSync(table.replaceAll(',', '\t'))],
      ['f.json.zstd', zstdCompressSync('[{"text":"one"},"two"]')],
      ['g', zstdCompressSync('one\n\ntwo')],
      ['h.txt.gz', zstdCompressSync('one\n\ntwo')],
      ['i.txt.gz', Buffer.from('one\n\ntwo')],
      ['j.txt.gz.zst', zstdCompressSync(gzipSync('one\n\ntwo'))],
    ];
    for (const [name, bytes] of cases) {
      const { texts, report } = await read(await folder.file(name, bytes));
      expect(texts, name).toEqual(['one', 'two']);
      if (name === 'h.txt.gz')
        expect(report.warnings).toEqual([expect.stringMatching(/h.txt.gz is compressed with zstd, in spite/)]);
      if (name === 'i.txt.gz')
        expect(report.warnings).toEqual([expect.stringMatching(/i.txt.gz is not compressed, in spite/)]);
      if (name === 'j.txt.gz.zst') expect(report.compressions).toEqual({ zstd: 1, gzip: 1 });
    }
  });

  test('a broken shard is named with what to do, and nothing of the others is taken for all', async () => {
    const whole = gzipSync('one\n\ntwo\n\n'.repeat(40));
    await folder.file('shards/s0.txt.gz', whole);
    await folder.file('shards/s1.txt.gz', whole.subarray(0, whole.length - 10));
    await expect(read(folder.at('shards'))).rejects.toThrow(
      /data.corpus is ".*shards\/s1.txt.gz" \(ends too early.*download or copy it again/,
    );
    const joined = await folder.file('joined.txt.gz', Buffer.concat([whole, Buffer.from('<html>')]));
    await expect(read(joined)).rejects.toThrow(/joined.txt.gz" \(has something else after the end of its gzip data/);
  });

  test('three compressions, and archives inside them, are refused', async () => {
    const three = await folder.file('three.txt', gzipSync(gzipSync(gzipSync('one'))));
    await expect(read(three)).rejects.toThrow(/three.txt" \(is compressed 3 times over; at most 2/);
    const inside = await folder.file('inside.zip.gz', gzipSync(zipOf([['a.txt', Buffer.from('one')]])));
    await expect(read(inside)).rejects.toThrow(/archive inside a compressed file/);
    const tar = Buffer.alloc(1024);
    tar.write('a.txt');
    tar.write('ustar', 257);
    await expect(read(await folder.file('a.tar.gz', gzipSync(tar)))).rejects.toThrow(
      /it is a tar archive. Unpack it first: tar -xf/,
    );
  });

  test('an archive made to fill the memory is stopped, and the limit is named', async () => {
    const block = Buffer.alloc(LIMITS.growthFrom / 8, 'a');
    const parts = Array.from({ length: 10 }, () => gzipSync(block, { level: 9 }));
    const bomb = await folder.file('bomb.txt.gz', Buffer.concat(parts));
    await expect(read(bomb)).rejects.toThrow(
      /bomb.txt.gz" \(unpacks to more than 250 times its .* \(over 128\S* MiB\)/,
    );
    const zeros = await folder.file('zeros.txt.gz', gzipSync(Buffer.alloc(1 << 22)));
    await expect(read(zeros)).rejects.toThrow(/zeros.txt.gz" \(not text: it is binary data/);
  });
});

describe('ZIP archives', () => {
  const text = (content: string) => Buffer.from(content);

  test('members are read as the files of a folder: in order of their names, furniture left out', async () => {
    const path = await folder.file(
      'data.zip',
      zipOf([
        ['b.txt', text('three')],
        ['data/a.jsonl', text('{"text":"one"}\n')],
        ['README.md', text('about')],
        ['__MACOSX/._b.txt', text('x')],
        ['a/c.csv.gz', gzipSync('text\ntwo\n')],
        ['picture.png', text('x')],
        ['stored.txt', text('four'), 0],
        ['zstd.txt', text('five'), 93],
      ]),
    );
    const { texts, report } = await read(path);
    expect(texts).toEqual(['two', 'three', 'one', 'four', 'five']);
    expect(report.leftOut.map(({ what, first }) => [what, first.slice(folder.path.length + 1)])).toEqual([
      ['descriptions (README)', 'data.zip/README.md'],
      ['files of other programs', 'data.zip/__MACOSX/._b.txt'],
      ['files that are no text or table by their ending (.png)', 'data.zip/picture.png'],
    ]);
    expect(report.compressions).toEqual({ zip: 5, gzip: 1 });
  });

  test('a single member is read whatever its name, unpacked folder and archive give the same text', async () => {
    expect((await read(await folder.file('one.zip', zipOf([['corpus', text('x\n\ny')]])))).texts).toEqual(['x', 'y']);
    const unpacked = [
      ['z/b.txt', 'b1\n\nb2'],
      ['z/a.txt', 'a1'],
    ] as const;
    for (const [name, content] of unpacked) await folder.file(`plain/${name}`, content);
    const zipped = await read(
      await folder.file('z.zip', zipOf(unpacked.map(([name, content]) => [name, text(content)]))),
    );
    expect(zipped.hash).toBe((await read(folder.at('plain'))).hash);
  });

  test('broken, encrypted and odd members are named', async () => {
    const whole = zipOf([['a.txt', text('some text that is long enough to be cut')]]);
    const bad = Buffer.from(whole);
    bad[40] ^= 0xff;
    const cases: [string, Buffer, RegExp][] = [
      ['cut.zip', whole.subarray(0, whole.length - 30), /cut.zip" \(ends too early/],
      ['bad.zip', bad, /bad.zip\/a.txt" \((is damaged|ends too early)/],
      [
        'sum.zip',
        zipOf([['a.txt', text('abc'), 0, text('abd')]]),
        /sum.zip\/a.txt" \(is damaged \(its checksum is wrong\)/,
      ],
      ['secret.zip', zipOf([['a.txt', text('abc')]], 0x801), /secret.zip\/a.txt" \(is encrypted/],
      ['method.zip', zipOf([['a.txt', text('abc'), 9]]), /method.zip\/a.txt" \(is compressed in a way .*Deflate64/],
      ['inner.zip', zipOf([['x.zip', zipOf([['a.txt', text('abc')]])]]), /archive inside a compressed file/],
      [
        'office.zip',
        zipOf([
          ['[Content_Types].xml', text('x')],
          ['word/document.xml', text('x')],
        ]),
        /document of Word, Excel/,
      ],
      ['arrays.npz', zipOf([['x.npy', text('x')]]), /archive of NumPy arrays/],
      [
        'none.zip',
        zipOf([
          ['a.png', text('x')],
          ['b.png', text('x')],
        ]),
        /archive without text or table files/,
      ],
      ['empty.zip', zipOf([]), /holds no text/],
    ];
    for (const [name, bytes, message] of cases)
      await expect(read(await folder.file(name, bytes)), name).rejects.toThrow(message);
  });
});

test('every compression has endings of its own, in lower case', () => {
  const endings = COMPRESSIONS.flatMap((each) => each.endings);
  expect(new Set(endings).size).toBe(endings.length);
  for (const ending of endings) expect(ending).toBe(ending.toLowerCase());
});
