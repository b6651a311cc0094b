/** `sweeplab data`: several texts prepared one after another, what lies in the data folder, and deleting it. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { holdFolder } from '../../main/files/folderLock.ts';
import { inside, jsonInside } from './inside.ts';

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

interface Listed {
  readonly prepared: readonly { contentHash: string; corpus: string | null; bytesOnDisk: number }[];
  readonly unfinished: readonly { id: string; corpus: string | null; bytesOnDisk: number; working: boolean }[];
}

/** What a preparation that was killed leaves, `bytes` of it. */
function leave(id: string, bytes: number): string {
  const folder = join(home, 'cache', 'datasets', 'partial', id);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'train-00000.bin'), Buffer.alloc(bytes));
  return folder;
}

it('lists what is prepared and unfinished, and deletes what is named after a yes', async () => {
  const text = join(home, 'three.txt');
  writeFileSync(text, Array.from({ length: 20 }, (_, k) => `document ${k}`).join('\n\n'));
  await inside(home, ['data', 'prepare', text]);
  const [one, two, three] = ['1', '2', '3'].map((digit) => digit.repeat(32));
  const folders = [one, two, three].map((id, i) => leave(id, 1000 * (i + 1)));
  const busy = (await holdFolder(join(folders[2], '..'), { name: `${three}.lock`, patience: 0 }))!;
  const { prepared, unfinished } = await jsonInside<Listed>(home, ['data', 'list']);
  expect(prepared.map(({ corpus }) => corpus)).toContain(text);
  expect(unfinished.map(({ id, bytesOnDisk, working }) => [id, bytesOnDisk, working]).sort()).toEqual([
    [one, 1000, false],
    [two, 2000, false],
    [three, 3000, true],
  ]);
  const { stdout } = await inside(home, ['data', 'list']);
  expect(stdout).toMatch(/111111111111 .*text is not read yet .*1 kB/u);
  expect(stdout).toMatch(/333333333333 .*being prepared now/u);

  const rm = (...args: string[]) => inside(home, ['data', 'rm', ...args]);
  const refused: [string[], RegExp][] = [
    [[], /say which/u],
    [['nothing'], /no prepared or unfinished data "nothing"/u],
    [[text], /nobody is there to be asked.*--yes/su],
    [[three, one, '--yes'], /333333333333 is being prepared now/u],
  ];
  for (const [args, words] of refused) {
    const { code, stderr } = await rm(...args);
    expect([code, stderr]).toEqual([2, expect.stringMatching(words)]);
  }
  expect(folders.every((folder) => existsSync(folder))).toBe(true);

  expect(await jsonInside(home, ['data', 'rm', '1111', '--yes'])).toEqual({
    removed: [{ id: one, freed: 1000 }],
    freed: 1000,
  });
  const rest = await rm('--unfinished', '--yes');
  expect(rest.stdout).toMatch(/Deleted 222222222222, .*2 kB freed/u);
  expect(rest.stdout).toMatch(/at work now: 1 preparation/u);
  const { freed } = await jsonInside<{ freed: number }>(home, ['data', 'rm', text, '--yes']);
  expect(freed).toBe(prepared.find(({ corpus }) => corpus === text)!.bytesOnDisk);
  busy.release();
  const after = await jsonInside<Listed>(home, ['data', 'list']);
  expect(after.prepared.map(({ corpus }) => corpus)).not.toContain(text);
  expect(after.unfinished.map(({ id }) => id)).toEqual([three]);
});

it('says what the cache takes in all, and deletes downloads but those that are arriving (would catch a full disk without a way out)', async () => {
  const folder = join(home, 'cache', 'downloads', 'url', 'abc');
  mkdirSync(folder, { recursive: true });
  const file = (name: string, text: string | Buffer): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const whole = [file('whole.txt', Buffer.alloc(5000)), file('whole.txt.receipt.json', '{}')];
  // A process that is gone had claimed the one; this one claims the other.
  const left = [file('left.txt.part', Buffer.alloc(300)), file('left.txt.part.lock', '999999999')];
  const arriving = [file('new.txt.part', Buffer.alloc(700)), file('new.txt.part.lock', String(process.pid))];
  interface Listed {
    readonly downloadedBytes: number;
  }
  const { downloadedBytes } = await jsonInside<Listed>(home, ['data', 'list']);
  expect(downloadedBytes).toBeGreaterThan(6000);
  const { stdout } = await inside(home, ['data', 'list']);
  expect(stdout).toMatch(/\d kB on disk: .* prepared, .*6\.0\d kB downloaded, in .*sweeplab data rm --downloads/u);
  const refused = await inside(home, ['data', 'rm', '--downloads']);
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/nobody is there to be asked.*--yes/su)]);
  const { freed } = await jsonInside<{ freed: number }>(home, ['data', 'rm', '--downloads', '--yes']);
  const after = await jsonInside<Listed>(home, ['data', 'list']);
  expect(freed).toBe(downloadedBytes - after.downloadedBytes);
  expect([...whole, ...left].filter((path) => existsSync(path))).toEqual([]);
  expect(arriving.every((path) => existsSync(path))).toBe(true);
  rmSync(arriving[1]!);
  await inside(home, ['data', 'rm', '--downloads', '--yes']);
  expect(existsSync(folder)).toBe(false);
  expect((await jsonInside<Listed>(home, ['data', 'list'])).downloadedBytes).toBe(0);
});
