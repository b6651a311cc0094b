import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lockFolder } from '../../../main/engine/train/lock.ts';
import { temporaryFolder } from './helpers.ts';

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
