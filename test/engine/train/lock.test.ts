import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeLockError } from '../../../main/files/folderLock.ts';
import { makeFolders } from '../../../main/engine/train/folders.ts';
import { lockFolder } from '../../../main/engine/train/lock.ts';
import { temporaryFolder } from './helpers.ts';

test('a data folder that is gone is not made again for a run that begins', async () => {
  const home = join(await temporaryFolder(), 'home');
  const paths = { checkpoints: join(home, 'checkpoints', 'r'), cache: join(home, 'cache') };
  await expect(makeFolders(paths)).rejects.toThrow(`the data folder ${home} is no longer there`);
  await writeFile(home, 'a file');
  await expect(makeFolders(paths)).rejects.toThrow(`the data folder ${home} is no longer there`);
  await rm(home);
  await mkdir(home);
  await makeFolders(paths);
  await makeFolders(paths);
  expect((await readdir(home)).toSorted()).toEqual(['cache', 'checkpoints']);
});

test('one engine per folder: others wait, and a killed one holds nothing', async () => {
  const folder = await temporaryFolder();
  const script = join(folder, 'hold.ts');
  const lock = new URL('../../../main/engine/train/lock.ts', import.meta.url).href;
  await writeFile(
    script,
    `import { lockFolder } from ${JSON.stringify(lock)};
    await lockFolder(process.argv[2]);
    process.send('locked');
    setInterval(() => {}, 1000);`,
  );
  const child = fork(script, [folder], { execArgv: ['--disable-warning=ExperimentalWarning'] });
  await once(child, 'message');
  await expect(lockFolder(folder, 0)).rejects.toThrow(/another engine process/);
  const waiting = lockFolder(folder, 60_000);
  child.kill('SIGKILL');
  (await waiting).release();
  (await lockFolder(folder, 0)).release();
});

test('a folder that cannot be locked is said in words (would catch "database or disk is full" as the end of a run)', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'engine.lock');
  await mkdir(path);
  await expect(lockFolder(folder, 0)).rejects.toThrow(`${path} cannot be locked: unable to open database file`);
  await rm(path, { recursive: true });
  await writeFile(path, 'something else, long enough to be looked at as the head of a database'.repeat(9));
  await expect(lockFolder(folder, 0)).rejects.toThrow(`${path} cannot be locked: file is not a database`);
  const said = (errcode: number) => describeLockError(Object.assign(new Error('as SQLite says it'), { errcode }), path);
  expect(said(13).message).toBe(
    `The disk is full: ${path} could not be written. Free some space or choose another data folder.`,
  );
  expect(said(8 + 256).message).toBe(
    `${path} could not be written: its disk can only be read. Choose another data folder.`,
  );
});
