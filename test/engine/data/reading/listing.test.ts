import { execFileSync } from 'node:child_process';
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { furniture } from '../../../../main/engine/data/reading/furniture.ts';
import { findFiles } from '../../../../main/engine/data/reading/listing.ts';
import { Folder, hasTool, read } from './helpers.ts';
import { zipOf } from './zipOf.ts';
import type { Member } from './zipOf.ts';

const folder = new Folder();
beforeEach(() => folder.make());
afterEach(() => folder.remove());

const row = (text: string) => `{"text":"${text}"}\n`;
const names = async (path: string): Promise<string[] | undefined> =>
  (await findFiles(path, 'data.corpus'))?.files.map((each) => each.path.slice(folder.path.length + 1));
const leftOut = async (path: string) =>
  Object.fromEntries((await read(path)).report.leftOut.map(({ what, count }) => [what, count]));

describe('folders and globs', () => {
  test('all files in the order of their names; missing ones are named', async () => {
    for (const name of ['tree/b.txt', 'tree/a.jsonl', 'tree/deep/c.txt', 'tree/skip.png', 'tree/.hidden.txt'])
      await folder.file(name, row('x'));
    expect(await names(folder.at('tree'))).toEqual(['tree/a.jsonl', 'tree/b.txt', 'tree/deep/c.txt']);
    expect(await names(folder.at('tree/*.txt'))).toEqual(['tree/b.txt']);
    expect(await names(folder.at('tree/**/*.txt'))).toEqual(['tree/b.txt', 'tree/deep/c.txt']);
    expect(await names(folder.at('*/{a,b}.*'))).toEqual(['tree/a.jsonl', 'tree/b.txt']);
    expect(await names(folder.at('tree/.*'))).toEqual(['tree/.hidden.txt']);
    expect(await names(folder.at('nothing'))).toBeUndefined();
    await expect(names(folder.at('tree/*.md'))).rejects.toThrow(/no file matches/);
    await mkdir(folder.at('void'));
    await expect(names(folder.at('void'))).rejects.toThrow(/no text or table files/);
    await folder.file('pictures/a.png', 'x');
    await expect(names(folder.at('pictures'))).rejects.toThrow(
      /left out: files that are no text or table by their ending \(.png\): 1\)/,
    );
    await folder.file('odd[1]/a[b].txt', 'x');
    expect(await names(folder.at('odd[1]/a[b].txt'))).toEqual(['odd[1]/a[b].txt']);
    expect(await names(folder.at('odd[1]'))).toEqual(['odd[1]/a[b].txt']);
  });

  test('a folder that is there by its very name is no glob (would catch gl[1] read as gl1)', async () => {
    for (const name of ['gl[1]/a.txt', 'gl1/b.txt', 'gl[1]/in{x}/c.txt', 'gl[1]/in*/d.txt', 'p/q?/e.txt', 'p/qr/f.txt'])
      await folder.file(name, 'x');
    expect(await names(folder.at('gl[1]/*.txt'))).toEqual(['gl[1]/a.txt']);
    expect(await names(folder.at('gl[1]/**/*.txt'))).toEqual(['gl[1]/a.txt', 'gl[1]/in*/d.txt', 'gl[1]/in{x}/c.txt']);
    expect(await names(folder.at('gl[1]/in{x}/*.txt'))).toEqual(['gl[1]/in{x}/c.txt']);
    // By its name, though it would match both.
    expect(await names(folder.at('gl[1]/in*/*.txt'))).toEqual(['gl[1]/in*/d.txt']);
    expect(await names(folder.at('p/q?/*.txt'))).toEqual(['p/q?/e.txt']);
    // Behind a glob, too.
    expect(await names(folder.at('g*/in{x}/*.txt'))).toEqual(['gl[1]/in{x}/c.txt']);
    expect(await names(folder.at('gl[12]/*.txt'))).toEqual(['gl1/b.txt']);
    // Not both readings at once.
    expect(await names(folder.at('*/in{x}/c.txt'))).toEqual(['gl[1]/in{x}/c.txt']);
    await folder.file('p/gl[1]/x.txt', 'x');
    await folder.file('p/gl1/x.txt', 'x');
    expect(await names(folder.at('*/gl[1]/*.txt'))).toEqual(['p/gl[1]/x.txt']);
    expect(await names(folder.at('*/gl[12]/*.txt'))).toEqual(['p/gl1/x.txt']);
  });

  test('test and validation splits beside a train split are left out and said (would catch training on them)', async () => {
    const splits = async (...paths: string[]): Promise<string[]> => {
      const set = `split${count++}`;
      for (const path of paths) await folder.file(`${set}/${path}`, row(path));
      const { texts, report } = await read(folder.at(set));
      const told = report.leftOut.find(({ what }) => what.includes('data.validation_path'))?.count ?? 0;
      expect(texts.length + told).toBe(paths.length);
      return texts;
    };
    let count = 0;
    expect(await splits('train.jsonl', 'test.jsonl', 'validation.jsonl')).toEqual(['train.jsonl']);
    expect(await splits('train/a.jsonl', 'test/b.jsonl', 'dev.jsonl', 'more.jsonl')).toHaveLength(2);
    expect(await splits('en/V2-train.jsonl', 'en/V2-valid.jsonl', 'de/V2-valid.jsonl')).toHaveLength(2);
    // No train split beside them, or no whole word.
    expect(await splits('test.jsonl', 'validation.jsonl')).toHaveLength(2);
    expect(await splits('train/test.jsonl', 'contest/a.jsonl', 'latest.jsonl', 'train-test.jsonl')).toHaveLength(4);
    // A glob names them; a text to score on may be any.
    const { texts, report } = await read(folder.at('split0/*.jsonl'));
    expect(texts).toHaveLength(3);
    expect(report.warnings).toEqual([expect.stringMatching(/^test\.jsonl and 1 more of the glob: by name a test/u)]);
    expect((await findFiles(folder.at('split0'), 'data.validation_path'))?.files).toHaveLength(3);
    const members = ['train.txt', 'test.txt'].map((path): Member => [path, Buffer.from(path)]);
    const zipped = await read(await folder.file('splits.zip', zipOf(members)));
    expect(zipped.texts).toEqual(['train.txt']);
  });

  test('shards that are missing are named (would catch two thirds of a text taken for all of it)', async () => {
    const shard = (at: number, of: number) =>
      `train-${String(at).padStart(5, '0')}-of-${String(of).padStart(5, '0')}.jsonl`;
    for (const at of [0, 2]) await folder.file(`three/${shard(at, 3)}`, row('a'));
    for (const at of [1, 2]) await folder.file(`two/${shard(at, 2)}`, row('a'));
    await folder.file(`ten/${shard(4, 10)}`, row('a'));
    const warnings = async (path: string) => (await read(folder.at(path))).report.warnings;
    expect(await warnings('three')).toEqual(['2 of 3 shards: train-00001-of-00003 is missing.']);
    expect(await warnings('two')).toEqual([]);
    expect(await warnings('ten/*')).toEqual(['1 of 10 shards: train-00000-of-00010 and 8 more are missing.']);
  });

  test('what stands beside the data is left out and said (catches dataset cards that are trained on)', async () => {
    await folder.file('set/data/train.jsonl', row('a'));
    for (const name of ['README.md', 'LICENSE', 'LICENSE.txt', 'dataset_infos.json', 'state.json', 'checksums.txt'])
      await folder.file(`set/${name}`, 'words\n\nmore');
    for (const name of [
      'data/._train.jsonl',
      '__MACOSX/x.txt',
      '.git/a.txt',
      'data/train.jsonl.lock',
      'data/train.jsonl.sha256',
    ])
      await folder.file(`set/${name}`, 'words');
    await folder.file('set/load.py', 'code');
    const { texts } = await read(folder.at('set'));
    expect(texts).toEqual(['a']);
    expect(await leftOut(folder.at('set'))).toEqual({
      'descriptions (README)': 1,
      'licences and notices': 2,
      'notes of dataset tools': 2,
      checksums: 1,
      'checksums and signatures': 1,
      locks: 1,
      'files of macOS beside the real ones (._…)': 1,
      'files of other programs': 2,
      'files that are no text or table by their ending (.py)': 1,
    });
    // A glob leaves it out as well; what is named, or is all there is, is meant.
    await folder.file('set/notes.md', 'note');
    expect((await read(folder.at('set/*.md'))).texts).toEqual(['note']);
    expect((await read(folder.at('set/README.md'))).texts).toEqual(['words', 'more']);
    expect((await read(folder.at('set/READ*'))).texts).toEqual(['words', 'more']);
    for (const name of [
      'history.txt',
      'readmes.txt',
      'state.txt',
      'license-plates.csv.gz',
      'readme_qa.jsonl',
      'data.json',
    ])
      expect([name, furniture(name)]).toEqual([name, null]);
  });

  test('several formats in a folder are all read, and said', async () => {
    await folder.file('mix/a.txt', 'one');
    await folder.file('mix/b.jsonl', row('two'));
    await folder.file('mix/c.csv', 'text\nthree\n');
    const { texts, report } = await read(folder.at('mix'));
    expect(texts).toEqual(['one', 'two', 'three']);
    expect(report.formats).toEqual({ 'plain text': 1, 'JSON lines': 1, CSV: 1 });
    expect(report.warnings).toEqual([
      expect.stringMatching(/several formats \(plain text, JSON lines, CSV\): all are read/),
    ]);
  });
});

describe('links', () => {
  test('the layout of a download cache: links to files outside, linked folders (catches folders without files)', async () => {
    await folder.file('blobs/0a1b', row('a') + row('b'));
    await folder.file('blobs/more/c.jsonl', row('c'));
    await mkdir(folder.at('snapshot'));
    await symlink('../blobs/0a1b', folder.at('snapshot/train.jsonl'));
    await symlink('../blobs/more', folder.at('snapshot/more'));
    for (const path of ['snapshot', 'snapshot/**/*.jsonl']) {
      const { texts, report } = await read(folder.at(path));
      expect(texts, path).toEqual(['c', 'a', 'b']);
      expect(report.changed).toEqual([
        {
          what: 'links that lead out of the folder, followed',
          count: 2,
          first: expect.stringMatching(/snapshot\/(more|train)/),
        },
      ]);
    }
    expect((await read(folder.at('snapshot/*.jsonl'))).texts).toEqual(['a', 'b']);
    expect((await read(folder.at('snapshot/train.jsonl'))).texts).toEqual(['a', 'b']);
    await symlink('snapshot', folder.at('link'));
    expect((await read(folder.at('link'))).texts).toEqual(['c', 'a', 'b']);
  });

  test('a link to a folder whose name begins with two dots does not lead out (catches ..data taken for the way up)', async () => {
    await folder.file('volume/..data/a.txt', 'one');
    await symlink('..data', folder.at('volume/data'));
    const { texts, report } = await read(folder.at('volume'));
    expect(texts).toEqual(['one']);
    expect(report.changed).toEqual([]);
  });

  test('a link that was stored as a text file is followed; a text that only looks like one is a text', async () => {
    await folder.file('blobs/0a1b', row('a'));
    await folder.file('snapshot/train.jsonl', '../blobs/0a1b');
    const { texts, report } = await read(folder.at('snapshot'));
    expect(texts).toEqual(['a']);
    expect(report.changed[0].what).toBe('links that were stored as text files, followed');
    expect((await read(await folder.file('snapshot/x.txt', '../blobs/nothing'))).texts).toEqual(['../blobs/nothing']);
    // A text is what it holds, also where that is the path of a file.
    for (const name of ['y.txt', 'y', 'y.md'])
      expect((await read(await folder.file(`snapshot/${name}`, '../blobs/0a1b'))).texts).toEqual(['../blobs/0a1b']);
  });

  test('links in a circle end, the same file under two names is read once, broken ones are said', async () => {
    await folder.file('loop/a/one.txt', 'one');
    await symlink('..', folder.at('loop/a/up'));
    await symlink('a', folder.at('loop/b'));
    await symlink('a/one.txt', folder.at('loop/two.txt'));
    await symlink('nowhere.txt', folder.at('loop/gone.txt'));
    await symlink('self.txt', folder.at('loop/self.txt'));
    expect((await read(folder.at('loop'))).texts).toEqual(['one']);
    expect(await leftOut(folder.at('loop'))).toEqual({
      'folders that are reached a second time by a link': 2,
      'further names of files that are read already': 1,
      'links that lead nowhere': 2,
    });
  });
});

describe('what is no file, or not any more', () => {
  test('pipes, sockets, devices and made-up files are refused at once (catches waiting for ever)', async () => {
    if (process.platform === 'win32' || !hasTool('mkfifo')) return;
    await folder.file('set/a.txt', 'one');
    execFileSync('mkfifo', [folder.at('set/pipe.txt')]);
    await expect(read(folder.at('set/pipe.txt'))).rejects.toThrow(/set\/pipe.txt" \(is a named pipe, not a file/);
    const server = createServer().listen(folder.at('set/socket.txt'));
    await expect(read(folder.at('set/socket.txt'))).rejects.toThrow(/is a socket, not a file/);
    expect(await leftOut(folder.at('set'))).toEqual({ 'not a file but a named pipe': 1, 'not a file but a socket': 1 });
    await new Promise((resolve) => server.close(resolve));
    await expect(read('/dev/zero')).rejects.toThrow(/is a device, not a file/);
    if (process.platform !== 'linux') return;
    await expect(read('/proc/cpuinfo')).rejects.toThrow(/is no file on a disk \(\/proc\)/);
    await symlink('/proc/cpuinfo', folder.at('cpu.txt'));
    await expect(read(folder.at('cpu.txt'))).rejects.toThrow(/is no file on a disk/);
  });

  test('a file that goes, grows or changes between listing and reading is named', async () => {
    const path = await folder.file('a.txt', 'one\n\ntwo');
    const { readFiles } = await import('../../../../main/engine/data/reading/reader.ts');
    const { readingSettings } = await import('../../../../main/engine/data/reading/settings.ts');
    const options = { ...readingSettings({}), limit: 0, setting: 'data.corpus', totalBytes: 0 };
    const { files } = (await findFiles(path, 'data.corpus'))!;
    await writeFile(path, 'one\n\ntwo\n\nthree');
    await expect(readFiles(files, options)).rejects.toThrow(/a.txt" \(grew by 7 bytes while it was read/);
    await writeFile(path, 'one');
    await expect(readFiles(files, options)).rejects.toThrow(/a.txt" \(became 5 bytes shorter while it was read/);
    await writeFile(path, 'onx\n\ntwo');
    await expect(readFiles(files, options)).rejects.toThrow(/a.txt" \(was written to while it was read/);
    await rm(path);
    await expect(readFiles(files, options)).rejects.toThrow(/a.txt" \(is not there any more/);
    await mkdir(path);
    await expect(readFiles(files, options)).rejects.toThrow(/a.txt"/);
  });

  test('without permission the message says so, for a file, a folder and a folder inside', async () => {
    // The superuser may read everything.
    if (process.platform === 'win32' || process.getuid?.() === 0) return;
    const path = await folder.file('set/inner/a.txt', 'one');
    await folder.file('set/b.txt', 'two');
    await chmod(path, 0);
    await expect(read(path)).rejects.toThrow(/a.txt" \(may not be read by you/);
    await chmod(folder.at('set/inner'), 0);
    await expect(read(folder.at('set'))).rejects.toThrow(/set\/inner" \(may not be read by you/);
    await chmod(folder.at('set/inner'), 0o700);
  });

  test('empty files are counted, and no text at all is an error', async () => {
    await folder.file('set/a.txt', '');
    await folder.file('set/b.txt', 'two');
    const { texts, report } = await read(folder.at('set'));
    expect(texts).toEqual(['two']);
    expect(report.dropped).toEqual([{ what: 'empty files', count: 1, first: join(folder.at('set'), 'a.txt') }]);
    await rm(folder.at('set/b.txt'));
    await expect(read(folder.at('set'))).rejects.toThrow(/holds no text \(empty files: 1\)/);
  });
});
