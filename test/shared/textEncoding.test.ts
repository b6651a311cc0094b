/** Short texts that people hand over, in every encoding that editors write, and in none. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { loadPlugins } from '../../main/lab/settings/plugins.ts';
import { loadRecipe } from '../../main/lab/settings/recipes.ts';
import { readResults } from '../../main/lab/probes/readResults.ts';
import { textOf } from '../../preload/shared/textEncoding.ts';

const TEXT = 'parameters:\n  model.depth:\n    values: [4, 8] # é – 深さ \u{1F600}\n';
const MARK = '\u{FEFF}';

/** In units of so many bytes. */
function wide(text: string, bytes: 2 | 4, big: boolean): Buffer {
  const units =
    bytes === 2
      ? Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))
      : [...text].map((c) => c.codePointAt(0)!);
  const made = Buffer.alloc(units.length * bytes);
  for (const [i, unit] of units.entries())
    if (big) made.writeUIntBE(unit, i * bytes, bytes);
    else made.writeUIntLE(unit, i * bytes, bytes);
  return made;
}

describe('is read', () => {
  it.each([
    ['UTF-8', Buffer.from(TEXT)],
    ['UTF-8 with a mark', Buffer.from(MARK + TEXT)],
    ['UTF-16LE', wide(MARK + TEXT, 2, false)],
    ['UTF-16BE', wide(MARK + TEXT, 2, true)],
    ['UTF-32LE', wide(MARK + TEXT, 4, false)],
    ['UTF-32BE', wide(MARK + TEXT, 4, true)],
  ])('%s', (_, bytes) => {
    expect(textOf(bytes)).toBe(TEXT);
    // Also at an odd place of a larger buffer.
    expect(textOf(Buffer.concat([Buffer.from('x'), bytes]).subarray(1))).toBe(TEXT);
  });
  it('nothing as an empty text', () => expect(textOf(new Uint8Array())).toBe(''));
});

describe('is refused by name', () => {
  it.each<[string, Buffer, RegExp]>([
    [
      'UTF-16LE without a mark',
      wide('model.depth: 4\n', 2, false),
      /looks like UTF-16LE without a byte-order mark; save/u,
    ],
    ['UTF-16BE without a mark', wide('model.depth: 4\n', 2, true), /looks like UTF-16BE/u],
    ['UTF-32LE without a mark', wide('model.depth: 4\n', 4, false), /looks like UTF-32LE/u],
    ['half of UTF-16', wide(`${MARK}ab`, 2, false).subarray(0, 5), /mark says UTF-16LE, but not all of it is/u],
    ['half a pair of UTF-16', wide(`${MARK}a\ud800b`, 2, false), /mark says UTF-16LE/u],
    ['UTF-32 that is cut', wide(`${MARK}ab`, 4, true).subarray(0, 10), /mark says UTF-32BE/u],
    [
      'Latin-1',
      Buffer.from('a: 1\nb: caf\xe9\n', 'latin1'),
      /not UTF-8 \(first on line 2\), as of Latin-1.*iconv -f latin1/u,
    ],
    ['a NUL', Buffer.from(`${'a: 1\n'.repeat(40)}b: \0\n`), /NUL character on line 41/u],
    ['gzip', gzipSync(TEXT), /compressed with gzip; unpack it first: gzip -d/u],
    ['zstd', zstdCompressSync(Buffer.from(TEXT)), /compressed with zstd/u],
    ['a ZIP archive', Buffer.from('PK\x03\x04\x14\0\0\0', 'latin1'), /ZIP archive/u],
    ['a PDF', Buffer.from('%PDF-1.7\n'), /PDF/u],
    ['binary data', Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 7) % 256)), /binary data/u],
  ])('%s', (_, bytes, words) => expect(() => textOf(bytes)).toThrow(words));
});

describe('files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sweeplab-encoding-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, bytes: Buffer): string => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  };
  const RECIPE =
    'title: T\nteaches: t\nabout: { size: 1k, data: d, minutes: 1, machine: m }\nsettings:\n  model.depth: 2\n';

  it('recipes are read in UTF-16, and named where they cannot be', async () => {
    expect((await loadRecipe(file('a.yaml', wide(MARK + RECIPE, 2, false)))).title).toBe('T');
    await expect(loadRecipe(file('b.yaml', gzipSync(RECIPE)))).rejects.toThrow(
      /b\.yaml cannot be read: it is compressed with gzip/u,
    );
  });
  it('results are read in UTF-16, and named where they cannot be', async () => {
    const csv = 'name,val_loss\na,3.5\n';
    const { results } = await readResults(file('r.csv', wide(MARK + csv, 2, true)));
    expect(results).toMatchObject([{ name: 'a', loss: 3.5 }]);
    const latin = file('s.csv', Buffer.from('name,loss\ncaf\xe9,1\n', 'latin1'));
    await expect(readResults(latin)).rejects.toThrow(/s\.csv.*not UTF-8/u);
  });
  it('plug-ins say their encoding, as Node loads UTF-8 alone', async () => {
    const code = "export default () => ({ name: 'x', kinds: [] });\n";
    const path = file('p.ts', wide(MARK + code, 2, false));
    await expect(loadPlugins([path])).rejects.toThrow(/p\.ts.*it is UTF-16LE; save it as UTF-8/u);
  });
});
