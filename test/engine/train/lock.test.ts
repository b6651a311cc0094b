import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
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
