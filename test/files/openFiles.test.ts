/** What is said where a process may open no more files. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWriteError } from '../../main/files/atomic.ts';
import { noFileOpens, openFilesProblem } from '../../main/files/openFiles.ts';
import { whyUnopened } from '../../main/files/unopened.ts';
import { readProblem, writeProblem } from '../../main/files/words.ts';

const failed = (code: string, message = `${code}: raw`): NodeJS.ErrnoException =>
  Object.assign(new Error(message), { code });

it('is known by its code, by that of a cause, or by its words, and by nothing else', () => {
  expect(noFileOpens()).toBeUndefined();
  for (const error of [
    failed('EMFILE'),
    new Error('it did not work', { cause: failed('EMFILE') }),
    new Error('Build failed:\n[postcss] EMFILE: too many open files'),
    failed('ERR_INVALID_PACKAGE_CONFIG', 'Cannot read package config: too many open files.'),
  ])
    expect(openFilesProblem(error), error.message).toMatch(/ulimit -n/u);
  expect(openFilesProblem(failed('ENFILE', 'too many open files in system'))).toContain('this machine');
  for (const other of [failed('ENOENT'), new Error('no'), undefined, null, 'EMFILE', { code: 5 }])
    expect(openFilesProblem(other)).toBeUndefined();
});

it('is said of files that are read and written (would catch the words of the system)', () => {
  const error = failed('EMFILE');
  const said = openFilesProblem(error)!;
  expect(readProblem(error)).toBe(said);
  expect(writeProblem(error, '/home/a/x.csv')).toBe(`x.csv could not be written: ${said}`);
  expect(describeWriteError(failed('EROFS'), '/home/a/x').message).toContain('its disk can only be read');
  expect(describeWriteError(error, '/home/a/x').message).toBe(`/home/a/x could not be written: ${said}.`);
});

it('SQLite could not open is told by what may be done there (would catch a disk that is thought to be broken)', () => {
  const refusing = (place: string, code: string) =>
    ((path: string) => {
      if (path === place) throw failed(code);
    }) as never;
  const path = '/data/runs.sqlite';
  expect(whyUnopened(path, refusing('', ''))).toBeUndefined();
  expect(whyUnopened(path, refusing(path, 'ENOENT'))).toBeUndefined();
  expect(whyUnopened(path, refusing(path, 'EACCES'))).toBe('you have no permission to read it');
  expect(whyUnopened(path, refusing('/data', 'EROFS'))).toBe('its disk can only be read');
  expect(whyUnopened(path, refusing('/data', 'EACCES'))).toBe('you have no permission to write in its folder');
});

it.skipIf(process.platform === 'win32')(
  'names the limit, also where SQLite cannot say why (would catch a database that is thought to be broken)',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'sweeplab-limit-'));
    try {
      const at = (path: string) => JSON.stringify(new URL(`../../main/${path}`, import.meta.url).href);
      const script = join(folder, 'script.mjs');
      writeFileSync(
        script,
        `import { openSync } from 'node:fs';
        import { holdFolder } from ${at('files/folderLock.ts')};
        import { hostMemory } from ${at('lab/fit/devices.ts')};
        import { openStore } from ${at('store/index.ts')};
        import { SourceFile, describeFile } from ${at('engine/data/reading/sourceFile.ts')};
        const folder = ${JSON.stringify(folder)};
        const file = await describeFile(${JSON.stringify(script)});
        const said = [];
        const tell = (error) => said.push(error.message);
        try { for (;;) openSync('/dev/null'); } catch {}
        try { openStore(folder + '/runs.sqlite', { readOnly: false }); } catch (error) { tell(error); }
        await holdFolder(folder, { name: '.lock', patience: 0 }).catch(tell);
        await SourceFile.open(file, 'data.corpus').catch(tell);
        if (process.platform === 'linux') await hostMemory().catch(tell);
        console.log(JSON.stringify(said));`,
      );
      // Room for what Node itself holds open, whatever its version.
      const limit = 200;
      const command = ['-c', `ulimit -n ${limit} && exec "$0" "$@"`, process.execPath, '--no-warnings', script];
      const said = JSON.parse(execFileSync('/bin/sh', command, { encoding: 'utf8' })) as string[];
      expect(said).toHaveLength(process.platform === 'linux' ? 4 : 3);
      for (const each of said)
        expect(each).toContain(`this process may have no more than ${limit} files open at once (ulimit -n)`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
