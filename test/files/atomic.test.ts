import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  makeFolder,
  makeFolderOnce,
  removeStale,
  removeStaleBelow,
  replaceFile,
  replaceFileSync,
  temporaryName,
  writeAtomic,
} from '../../main/files/atomic.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sweeplab-files-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const text = (path: string) => readFile(path, 'utf8');

describe('a replaced file', () => {
  it('holds texts and bytes in their order, however long (would catch text overtaken by bytes, and gathered text that is lost)', async () => {
    const path = join(folder, 'a');
    const long = 'ä'.repeat(700_000);
    async function* chunks() {
      yield 'first ';
      yield Uint8Array.of(0x31, 0x32);
      yield long;
      yield long;
      yield '';
      yield ' last';
    }
    const bytes = await replaceFile(path, chunks());
    expect(await text(path)).toBe(`first 12${long}${long} last`);
    expect(bytes).toBe((await stat(path)).size);
    replaceFileSync(path, 'kurz ü');
    expect(await text(path)).toBe('kurz ü');
    await replaceFile(path, '');
    expect(await text(path)).toBe('');
  });

  it('is the old one when writing fails half-way, and nothing is left beside it (would catch a torn file, and litter)', async () => {
    const path = join(folder, 'a');
    await writeFile(path, 'old');
    async function* failing() {
      yield 'x'.repeat(3_000_000);
      throw new Error('no more');
    }
    await expect(replaceFile(path, failing())).rejects.toThrow('no more');
    await mkdir(join(folder, 'taken'));
    await writeFile(join(folder, 'taken', 'inside'), '');
    await expect(replaceFile(join(folder, 'taken'), 'x')).rejects.toThrow();
    expect(() => replaceFileSync(join(folder, 'taken'), 'x')).toThrow();
    expect(await text(path)).toBe('old');
    expect((await readdir(folder)).sort()).toEqual(['a', 'taken']);
  });

  it.skipIf(process.platform === 'win32')('has the asked permissions whatever the old one had', async () => {
    const path = join(folder, 'a');
    await writeFile(path, 'old', { mode: 0o644 });
    replaceFileSync(path, 'new', { mode: 0o600 });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await replaceFile(path, 'new', { mode: 0o600 });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('by several writers at once is that of one of them (would catch a temporary name that two share)', async () => {
    const path = join(folder, 'a');
    const texts = Array.from({ length: 12 }, (_, i) => String(i).repeat(100_000));
    await Promise.all(texts.map((each) => replaceFile(path, each)));
    expect(texts).toContain(await text(path));
    expect(await readdir(folder)).toEqual(['a']);
  });

  it('makes its folder and says in words what is wrong with the disk', async () => {
    await writeAtomic(join(folder, 'deep', 'down', 'a'), 'x');
    expect(await text(join(folder, 'deep', 'down', 'a'))).toBe('x');
    await expect(replaceFile(join(folder, 'none', 'a'), 'x')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('a made folder', () => {
  it('is there with everything or not at all', async () => {
    const path = join(folder, 'made');
    const half = makeFolder(path, async (at) => {
      await writeFile(join(at, 'one'), '1');
      throw new Error('half-way');
    });
    await expect(half).rejects.toThrow('half-way');
    expect(await readdir(folder)).toEqual([]);
    await makeFolder(path, (at) => writeFile(join(at, 'one'), '1'));
    expect(await readdir(path)).toEqual(['one']);
  });

  it('that another process made first stays (would catch a dataset replaced while it is read)', async () => {
    const path = join(folder, 'made');
    await makeFolderOnce(path, (at) => writeFile(join(at, 'one'), 'first'));
    await makeFolderOnce(path, (at) => writeFile(join(at, 'one'), 'second'));
    expect(await text(join(path, 'one'))).toBe('first');
    expect(await readdir(folder)).toEqual(['made']);
    await expect(makeFolder(path, (at) => writeFile(join(at, 'one'), 'third'))).rejects.toThrow();
    expect(await text(join(path, 'one'))).toBe('first');
  });
});

it('what was left behind is removed after a while, and only that', async () => {
  const old = temporaryName(join(folder, 'old'));
  const fresh = temporaryName(join(folder, 'fresh'));
  for (const path of [old, fresh, join(folder, 'kept')]) await writeFile(path, '');
  const yesterday = new Date(Date.now() - 25 * 3600 * 1000);
  for (const path of [old, join(folder, 'kept')]) await utimes(path, yesterday, yesterday);
  await removeStale(folder);
  expect(existsSync(old)).toBe(false);
  expect(existsSync(fresh)).toBe(true);
  await removeStale(folder, 0);
  expect(await readdir(folder)).toEqual(['kept']);
});

/** A name of a process with an id that no system gives. */
const ended = (path: string): string => temporaryName(path).replace(/\d+(?=-[0-9a-f]{12}$)/u, String(2 ** 30));

it('what a process left behind that has ended is removed at once, at any depth (would catch gigabytes that lie there for a day)', async () => {
  const deep = join(folder, 'datasets', 'deep');
  await mkdir(deep, { recursive: true });
  const mine = temporaryName(join(deep, 'mine'));
  const elsewhere = ended(join(folder, 'elsewhere')).replace(/[0-9a-f](?=[0-9a-f]{11}$)/u, (digit) =>
    digit === '0' ? '1' : '0',
  );
  await mkdir(join(mine, 'inside'), { recursive: true });
  // Of a process that still writes in its folder, and of a machine whose processes are not seen from here.
  await writeFile(ended(join(mine, 'inside', 'part')), '');
  await writeFile(elsewhere, '');
  await mkdir(join(ended(join(folder, 'preflight')), 'last-000000002-1'), { recursive: true });
  await writeFile(ended(join(deep, 'text')), '');
  await writeFile(join(deep, 'kept'), '');
  await removeStale(folder);
  expect((await readdir(folder)).sort()).toEqual(['datasets', basename(elsewhere)]);
  expect(await readdir(deep)).toHaveLength(3);
  await removeStaleBelow(folder);
  expect((await readdir(deep)).sort()).toEqual(['kept', basename(mine)]);
  expect(await readdir(join(mine, 'inside'))).toHaveLength(1);
});

it.skipIf(!existsSync('/dev/full'))('a full disk is named (would catch a bare ENOSPC)', async () => {
  const { describeWriteError, writeSynced } = await import('../../main/files/atomic.ts');
  await symlink('/dev/full', join(folder, 'full'));
  const error = await writeSynced(join(folder, 'full'), 'x').catch((each: unknown) => each);
  expect(describeWriteError(error, 'a').message).toMatch(/^The disk is full: a could not be written/u);
});
