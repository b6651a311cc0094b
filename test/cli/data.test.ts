/** `sweeplab data prepare`: several texts, one after another. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { inside } from './inside.ts';

const home = mkdtempSync(join(tmpdir(), 'sweeplab-data-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

it('prepares every text that is named, and answers for each in its order', async () => {
  const texts = ['one', 'two'].map((word, i) => {
    const path = join(home, `${word}.txt`);
    writeFileSync(path, Array.from({ length: 20 + i }, (_, k) => `${word} document ${k}`).join('\n\n'));
    return path;
  });
  const { code, stdout, stderr } = await inside(home, ['data', 'prepare', ...texts, '--json']);
  expect(code, stderr).toBe(0);
  const ready = JSON.parse(stdout) as { trainDocuments: number; validationDocuments: number }[];
  expect(ready.map((each) => each.trainDocuments + each.validationDocuments)).toEqual([20, 21]);
});
