/** Exports that are folders: whole or not there, nothing of the user's replaced, and the same files in an archive. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromBuffer } from 'yauzl';
import type { Entry, ZipFile } from 'yauzl';
import { defineExchange } from '../../../main/lab/exchange/exchange.ts';
import type { ExchangeKind, ExportFile } from '../../../main/lab/exchange/exchange.ts';
import { exportFiles, exportPieces } from '../../../main/lab/exchange/exports.ts';
import type { Source } from '../../../main/lab/exchange/exports.ts';
import { ExportError, writeExport, writeExportFolder } from '../../../main/lab/exchange/file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sweeplab-folder-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const FILES: Readonly<Record<string, readonly string[]>> = {
  'a/b/one.txt': ['é', '\n', 'x'.repeat(300_000)],
  'a/two.txt': ['2'],
  'empty.txt': [],
};
const files = (): ExportFile[] => Object.entries(FILES).map(([path, pieces]) => ({ path, pieces }));
const kind = (made: ExchangeKind['files']): ExchangeKind =>
  defineExchange({ name: 'tree', label: 'Tree', help: 'One.', extensions: ['zip'], files: made });
const source = { metricNames: () => [] } as unknown as Source;
const settings = { names: [], defaults: {} };

describe('an exported folder', () => {
  it('holds its files, and takes the place of an empty folder only', async () => {
    const out = join(folder, 'out');
    const bytes = await writeExportFolder(out, files());
    for (const [path, pieces] of Object.entries(FILES))
      expect(readFileSync(join(out, path), 'utf8')).toBe(pieces.join(''));
    expect(bytes).toBe(Buffer.byteLength(Object.values(FILES).flat().join('')));
    await expect(writeExportFolder(out, files())).rejects.toThrow(/holds a; choose another/u);
    const free = join(folder, 'free');
    mkdirSync(free);
    await writeExportFolder(free, files());
    expect(readdirSync(free).sort()).toEqual(['a', 'empty.txt']);
    writeFileSync(join(folder, 'file'), 'mine');
    await expect(writeExportFolder(join(folder, 'file'), files())).rejects.toThrow(/it is a file/u);
    await expect(writeExportFolder(join(folder, 'no', 'out'), files())).rejects.toThrow(ExportError);
    expect(existsSync(join(folder, 'no'))).toBe(false);
  });

  it('is not there at all when it breaks off or is cancelled (would catch half a folder, or one left beside it)', async () => {
    const notes = join(folder, 'notes');
    const place = join(folder, 'place');
    mkdirSync(place);
    const stop = new AbortController();
    const broken = kind(() => [
      { path: 'a.txt', pieces: ['1'] },
      {
        path: 'b.txt',
        pieces: (function* () {
          yield '2';
          stop.abort(new Error('not wanted any more'));
          yield '3';
        })(),
      },
    ]);
    const wanted = { runs: [], signal: stop.signal };
    const written = writeExportFolder(join(place, 'out'), exportFiles(source, settings, broken, wanted), { notes });
    await expect(written).rejects.toThrow('not wanted any more');
    await expect(
      writeExport(join(place, 'out.zip'), exportPieces(source, settings, broken, wanted), { notes }),
    ).rejects.toThrow('not wanted any more');
    expect(readdirSync(place)).toEqual([]);
    expect(readdirSync(notes)).toEqual([]);
  });

  it('is a zip archive where one file is wanted, with the same files', async () => {
    const out = join(folder, 'out.zip');
    await writeExport(out, exportPieces(source, settings, kind(files), { runs: [] }));
    const zip = await promisify<Buffer, { lazyEntries: boolean }, ZipFile>(fromBuffer)(readFileSync(out), {
      lazyEntries: true,
    });
    const found: Record<string, string> = {};
    await new Promise<void>((resolve, reject) => {
      zip.on('entry', (entry: Entry) =>
        zip.openReadStream(entry, (error, stream) => {
          if (error) return reject(error);
          text(stream).then((content) => {
            found[entry.fileName] = content;
            zip.readEntry();
          }, reject);
        }),
      );
      zip.on('end', resolve);
      zip.readEntry();
    });
    expect(found).toEqual(Object.fromEntries(Object.entries(FILES).map(([path, pieces]) => [path, pieces.join('')])));
  });
});

describe('a format that is a folder', () => {
  const good = { name: 'tree', label: 'Tree', help: 'One.', extensions: ['zip'], files: () => [] };
  it.each([
    [{ ...good, extensions: ['csv'] }, `exchange tree: extensions is ["csv"]; allowed with files: ['zip']`],
    [{ ...good, write: () => [] }, 'exchange tree: files must be a function, and then there is no write'],
    [{ ...good, files: 'x' as never }, 'exchange tree: files must be a function'],
    [{ ...good, files: undefined }, 'exchange tree: write must be a function, or files be one'],
  ])('is refused by name where it cannot work: %#', (given, message) => {
    expect(() => defineExchange(given)).toThrow(message);
  });
});
