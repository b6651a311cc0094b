import { afterAll, beforeAll, test } from 'vitest';
import { Dice, Folder } from './helpers.ts';
import { readRandomFiles, readRandomFolders } from './randomTrials.ts';

const folder = new Folder();
beforeAll(() => folder.make());
afterAll(() => folder.remove());

// test/long/reading.test.ts does the same thousands of times.
test('texts come back whole from random files: format × encoding × line ends × compression × archive', async () => {
  await readRandomFiles(new Dice(), folder, 60);
}, 120_000);

test('the same files in a folder, by a glob, as validation text, in one archive are the same dataset', async () => {
  await readRandomFolders(new Dice(), folder, 8);
}, 120_000);
