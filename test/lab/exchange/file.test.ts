/** Exports on a disk that takes no more, or no longer than a while. */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeExport, writeExportFolder } from '../../../main/lab/exchange/file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sweeplab-export-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Rows that fill more than what is gathered before it is written, and then the disk. */
function* filling() {
  yield 'a,b\n';
  yield `${'1,2\n'.repeat(400_000)}3`;
  throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
}

it.each(['there', 'new'])('a full disk is said in words and changes nothing: a file that is %s', async (what) => {
  const path = join(folder, 'points.csv');
  if (what === 'there') await writeFile(path, 'old');
  await expect(writeExport(path, filling())).rejects.toMatchObject({
    name: 'Error',
    message: `There is no room left for points.csv in ${folder}; nothing was written.`,
  });
  expect(await readdir(folder)).toEqual(what === 'there' ? ['points.csv'] : []);
  if (what === 'there') expect(await readFile(path, 'utf8')).toBe('old');
});

it('takes back the rows that a full disk still took (would catch half a row, which the next would be joined to)', async () => {
  const path = join(folder, 'points.csv');
  await writeFile(path, 'a,b\n7,8');
  await expect(writeExport(path, filling(), { append: true })).rejects.toThrow('nothing was written');
  expect(await readFile(path, 'utf8')).toBe('a,b\n7,8');
  await writeExport(path, ['a,b\n', '9,10\n'], { append: true });
  expect(await readFile(path, 'utf8')).toBe('a,b\n7,8\n9,10\n');
});

it('leaves no folder behind', async () => {
  const path = join(folder, 'made');
  const files = [{ path: 'sub/a.csv', pieces: filling() }];
  await expect(writeExportFolder(path, files)).rejects.toThrow(`There is no room left for made in ${folder}`);
  expect(existsSync(path)).toBe(false);
  expect(await readdir(folder)).toEqual([]);
});
