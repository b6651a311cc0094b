import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { dataFolderProblem } from '../../main/host/dataFolderProblem.ts';

const home = mkdtempSync(join(tmpdir(), 'sweeplab-data-folder-'));
afterAll(() => rmSync(home, { recursive: true }));

const missing = (path: string) =>
  Object.assign(new Error('ENOENT: no such file or directory'), { code: 'ENOENT', path });
const refusing = (code: string) => () => {
  throw Object.assign(new Error(code), { code });
};

it('says that the data folder takes nothing, and only then (catches "no such file" for a folder that is there)', () => {
  const advice = 'choose another with --data-dir or SWEEPLAB_HOME';
  const cache = missing(join(home, 'cache'));
  expect(dataFolderProblem(cache, home, refusing('EROFS'))).toBe(
    `the data folder ${home} can only be read (EROFS); ${advice}`,
  );
  const inner = join(home, 'new');
  expect(dataFolderProblem(missing(join(inner, 'cache')), inner, refusing('EACCES'))).toBe(
    `the data folder ${inner} cannot be made: ${home} may not be written by you (EACCES); ${advice}`,
  );
  expect(dataFolderProblem(cache, home)).toBeUndefined();
  expect(dataFolderProblem(missing('/elsewhere/text.txt'), home, refusing('EROFS'))).toBeUndefined();
  expect(dataFolderProblem(new Error('other'), home, refusing('EROFS'))).toBeUndefined();
});

it('says that the data folder is a file (catches "not a directory" with a path that nobody gave)', () => {
  const file = join(home, 'file');
  writeFileSync(file, '');
  const wrong = (path: string) => Object.assign(new Error('ENOTDIR: not a directory'), { code: 'ENOTDIR', path });
  expect(dataFolderProblem(wrong(join(file, 'cache', 'x.json')), file)).toMatch(
    /\/file is a file, not a folder; choose/u,
  );
  const inner = join(file, 'new');
  expect(dataFolderProblem(wrong(join(inner, 'cache')), inner)).toMatch(/new cannot be made: .*\/file is a file/u);
});
