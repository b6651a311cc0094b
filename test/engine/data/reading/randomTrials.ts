/** Rounds of random files, for the short test and the long one. A failure names the seed. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { corpusSource } from '../../../../main/engine/data/corpora/index.ts';
import { corpusHash } from '../../../../main/engine/data/corpus.ts';
import { read } from './helpers.ts';
import type { Dice, Folder } from './helpers.ts';
import { randomFile, randomText } from './randomFiles.ts';
import { zipOf } from './zipOf.ts';

const documentsOf = (dice: Dice): string[] => dice.list(1 + dice.below(12), () => randomText(dice));

/** Blank texts are no documents. */
const isText = (text: string): boolean => /[^ \t\n]/u.test(text);

export async function readRandomFiles(dice: Dice, folder: Folder, trials: number): Promise<void> {
  for (let trial = 0; trial < trials; trial++) {
    const documents = documentsOf(dice).filter(isText);
    if (documents.length === 0) continue;
    const file = randomFile(dice, `f${trial}`, documents);
    const path = await folder.file(file.name, file.bytes);
    const label = `seed ${dice.seed}, trial ${trial}: ${file.made} ${JSON.stringify(file.settings)}`;
    const { texts, report } = await read(path, file.settings).catch((error: unknown) => {
      throw new Error(label, { cause: error });
    });
    expect(texts, label).toEqual(documents);
    expect([report.documents, report.whole, report.dropped], label).toEqual([documents.length, true, []]);
    await rm(path);
  }
}

export async function readRandomFolders(dice: Dice, folder: Folder, trials: number): Promise<void> {
  for (let trial = 0; trial < trials; trial++) {
    const root = folder.at(`d${trial}`);
    const label = `seed ${dice.seed}, trial ${trial}`;
    // Files of a folder share their settings: JSON lines of one column, in whatever encoding and compression.
    const all: string[] = [];
    const members: [string, Buffer][] = [];
    for (let i = 0; i < 1 + dice.below(4); i++) {
      const documents = documentsOf(dice).filter(isText);
      const lines = documents.map((text) => JSON.stringify({ text })).join('\n');
      const name = `${i}${dice.of(['', '/deep', '/a b'])}/part.jsonl`;
      const bytes = Buffer.from(dice.below(2) === 0 ? lines : `\ufeff${lines}`, dice.of(['utf8', 'utf16le']));
      // UTF-16 needs its mark.
      const marked = bytes[1] === 0 ? Buffer.concat([Buffer.from([0xff, 0xfe]), bytes]) : bytes;
      members.push([name, marked]);
      all.push(...documents);
      await folder.file(join(`d${trial}`, name), marked);
    }
    await folder.file(join(`d${trial}`, 'README.md'), 'about');
    if (all.length === 0) continue;
    const archive = await folder.file(`d${trial}.zip`, zipOf([...members, ['README.md', Buffer.from('about')]]));
    const whole = await read(root);
    expect(whole.texts, label).toEqual(all);
    expect((await read(`${root}/**/*.jsonl`)).hash, label).toBe(whole.hash);
    expect((await read(archive)).hash, label).toBe(whole.hash);
    const source = await corpusSource({ 'data.validation_path': root }, 'data.validation_path', { cacheDir: '' });
    expect(corpusHash((await source.load()).corpus), label).toBe(whole.hash);
    await rm(root, { recursive: true });
    await rm(archive);
  }
}
