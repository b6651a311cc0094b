/** What is known of the text that a run will read, and what is said about it before it starts. */
import { copyFileSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { estimateDataset } from '../../../main/lab/fit/budget.ts';
import { checkLaunch, fitPlan, measureTexts, textWarnings } from '../../../main/lab/fit/index.ts';
import { refuseUnreadable } from '../../../main/lab/fit/textSizes.ts';
import { GOOD_PASSES, LEAST_SCORED, MOST_PASSES } from '../../../main/lab/fit/textWarnings.ts';
import { builtInRegistry } from '../../../main/lab/settings/index.ts';
import type { Config } from '../../../preload/contract/settings.ts';

const { defaults, catalog } = builtInRegistry();
const configOf = (values: Config): Config => catalog.complete({ ...defaults, ...values });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sweeplab-texts-'));
  mkdirSync(join(folder, 'many'));
  writeFileSync(join(folder, 'a.txt'), 'x'.repeat(1_100_000));
  writeFileSync(join(folder, 'many', '1.txt'), 'y'.repeat(300_000));
  writeFileSync(join(folder, 'many', '2.txt'), 'z'.repeat(100_000));
  writeFileSync(join(folder, 'small.txt'), 'w'.repeat(2000));
  linkSync(join(folder, 'many', '2.txt'), join(folder, 'hard.txt'));
  symlinkSync(join(folder, 'a.txt'), join(folder, 'link.txt'));
  writeFileSync(join(folder, 'b.txt.gz'), gzipSync('v'.repeat(1000)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (...parts: string[]): string => join(folder, ...parts);

/** Sizes after a look at the files. */
async function sizeOf(values: Config) {
  const config = configOf({ 'tokenizer.kind': 'byte', 'data.validation': 0.1, ...values });
  await measureTexts([config]);
  return estimateDataset(config);
}
async function warningsOf(values: Config, tokens: number | null = null): Promise<string[]> {
  const config = configOf({ 'tokenizer.kind': 'byte', ...values });
  await measureTexts([config]);
  return textWarnings(config, tokens);
}

describe('a text that cannot be read', () => {
  it('is refused after a look, as training would (would catch a dry run that passes a PDF)', async () => {
    const prose = 'Words of a text that nobody has seen.\n'.repeat(100);
    const packed = gzipSync(Array.from({ length: 3000 }, (_, i) => `${i * i} `).join(''));
    writeFileSync(at('paper.txt'), '%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n', 'latin1');
    writeFileSync(at('wide.txt'), Buffer.from(prose, 'utf16le'));
    writeFileSync(at('cut.txt.gz'), packed.subarray(0, packed.length >> 1));
    writeFileSync(at('blank.txt'), ' \n\n \t\n');
    writeFileSync(at('mark.txt'), '\uFEFF');
    const good = { 'data.corpus': at('small.txt') };
    const refused: [Config, RegExp][] = [
      [{ 'data.corpus': at('paper.txt') }, /^data\.corpus is .*paper\.txt" \(not text: it is a PDF/u],
      [{ 'data.corpus': at('wide.txt') }, /wide\.txt" \(not text in UTF-8: it looks like UTF-16LE without/u],
      [{ 'data.corpus': at('cut.txt.gz') }, /^data\.corpus is .*cut\.txt\.gz"/u],
      [{ ...good, 'data.validation_path': at('blank.txt') }, /^data\.validation_path is .*holds no text/u],
      [{ ...good, 'data.validation_path': at('mark.txt') }, /^data\.validation_path is .*holds no text/u],
      // Beside a corpus that is no file, too.
      [{ 'data.corpus': 'stories', 'data.validation_path': at('paper.txt') }, /^data\.validation_path is .*a PDF/u],
    ];
    for (const [values, reason] of refused) {
      const configs = [good, values].map((each) => configOf({ 'tokenizer.kind': 'byte', ...each }));
      await measureTexts(configs);
      expect(() => refuseUnreadable(configs)).toThrow(reason);
      expect(() => refuseUnreadable(configs.slice(0, 1))).not.toThrow();
    }
  });
});

describe('the size of the text', () => {
  it('is that of the files, up to data.size (would catch the limit of a recipe taken for the text)', async () => {
    // Each side of one document that is cut ends with a token of its own.
    expect(await sizeOf({ 'data.corpus': at('a.txt'), 'data.size': 10_000_000_000 })).toMatchObject({
      trainTokens: 990_001,
      validationTokens: 110_001,
      exact: true,
    });
    expect(await sizeOf({ 'data.corpus': at('a.txt'), 'data.size': 50_000 })).toMatchObject({ trainTokens: 45_001 });
    // Whole files are held out, the smaller one here.
    const many = await sizeOf({ 'data.corpus': at('many'), 'data.size': 0 });
    expect(many!.trainTokens + many!.validationTokens).toBe(400_002);
    expect(await sizeOf({ 'data.corpus': at('many', '*.txt') })).toEqual(many);
    expect(await sizeOf({ 'data.corpus': at('a.txt'), 'data.validation_path': at('small.txt') })).toMatchObject({
      trainTokens: 1_100_001,
      validationTokens: 2001,
    });
    expect((await sizeOf({ 'data.corpus': at('b.txt.gz') }))!.trainTokens).toBeGreaterThan(800);
    expect(await sizeOf({ 'data.corpus': at('nothing.txt') })).toBeUndefined();
    expect(await sizeOf({ 'data.corpus': 'stories', 'data.size': 0 })).toMatchObject({ trainTokens: 1_800_000 });
  });

  it('counts characters, not the bytes of wide encodings (would catch UTF-16 that counts twice)', async () => {
    const text = 'plain text '.repeat(1000);
    writeFileSync(at('marked.txt'), Buffer.from(`\ufeff${text}`, 'utf16le'));
    writeFileSync(at('unmarked.txt'), Buffer.from(text, 'utf16le'));
    const tokens = async (values: Config) => (await sizeOf({ 'data.validation': 0, ...values }))!.trainTokens;
    expect(await tokens({ 'data.corpus': at('marked.txt') })).toBe(11_001);
    expect(await tokens({ 'data.corpus': at('unmarked.txt'), 'data.encoding': 'utf-16le' })).toBe(11_000);
    expect(await tokens({ 'data.corpus': at('unmarked.txt'), 'data.encoding': 'koi8-r' })).toBe(22_000);
  });

  it('is what the plan counts token ids for (would catch 4 GiB of them for a text of 1 MB)', async () => {
    const config = configOf({
      'data.corpus': at('a.txt'),
      'data.size': 10_000_000_000,
      'tokenizer.kind': 'byte',
      'model.width': 32,
      'model.depth': 1,
    });
    await measureTexts([config]);
    expect(fitPlan(config, { kind: 'cpu' }).base.parts.find(({ what }) => what === 'token ids')!.bytes).toBe(2_200_004);
  });
});

describe('before launch it is said', () => {
  it('that a validation text is too small to rank settings by', async () => {
    const base = { 'data.corpus': at('a.txt'), 'eval.tokens': 0 };
    expect(await warningsOf({ ...base, 'data.validation': 0.1 })).toEqual([]);
    expect(await warningsOf({ ...base, 'data.validation': 0.001 })).toEqual([
      expect.stringMatching(/^1\.10k tokens are held out.*a larger data\.validation/u),
    ]);
    expect(await warningsOf({ ...base, 'data.validation_path': at('small.txt') })).toEqual([
      expect.stringMatching(/^2\.00k tokens are held out.*a longer text in data\.validation_path/u),
    ]);
    expect(await warningsOf({ 'eval.tokens': 50 })).toEqual([expect.stringMatching(/^eval\.tokens is 50: /u)]);
    expect(await warningsOf({ 'eval.tokens': LEAST_SCORED })).toEqual([]);
    // Nobody knows how long a download is, or a file that is not there.
    expect(await warningsOf({ 'data.corpus': 'fineweb-edu' })).toEqual([]);
    expect(await warningsOf({ ...base, 'data.validation_path': at('nothing.txt') })).toEqual([]);
  });

  it('nothing of sizes that are a guess (would catch a packed file called too small that nobody could read)', async () => {
    writeFileSync(at('broken.txt.gz'), gzipSync('text '.repeat(100)).subarray(0, 14));
    expect(await warningsOf({ 'data.corpus': at('broken.txt.gz'), 'eval.tokens': 0 }, 1e9)).toEqual([]);
    // Nor of what is refused as soon as it is read.
    writeFileSync(at('blank.txt'), '\n\n');
    expect(await warningsOf({ 'data.corpus': at('blank.txt'), 'eval.tokens': 0 }, 1e9)).toEqual([]);
  });

  it('that a run reads its text so often that it knows it by heart', async () => {
    const base = { 'data.corpus': at('a.txt'), 'data.validation': 0.1, 'eval.tokens': 0 };
    expect(await warningsOf(base, MOST_PASSES * 990_000)).toEqual([]);
    expect(await warningsOf(base, 8000 * 990_000)).toEqual([expect.stringMatching(/reads its text 8,000 times/u)]);
    expect(await warningsOf(base, null)).toEqual([]);
  });

  it('that a mixture passes through one of its texts more often than is worth it, naming it', async () => {
    const mix = `${at('a.txt')}: 0.5, ${at('many')}: 0.5`;
    const base = { 'data.mix': mix, 'data.validation': 0.1, 'eval.tokens': 0 };
    // 990 kB and 300 or 100 kB are trained on, as one of the two files of the folder is held out.
    expect(await warningsOf(base, 2 * 390_000)).toEqual([]);
    expect(await warningsOf(base, 2 * 990_000 * GOOD_PASSES)).toEqual([
      expect.stringMatching(/^the mixture reads .*many about \d+ times .*data\.mix/u),
    ]);
  });

  it('that training and validation are the same text, whatever names it has (would catch comparing paths)', async () => {
    const on = (corpus: string, validation: string) =>
      warningsOf({ 'data.corpus': at(corpus), 'data.validation_path': at(validation), 'eval.tokens': LEAST_SCORED });
    expect(await on('a.txt', 'a.txt')).toEqual([expect.stringMatching(/^everything in data\.validation_path/u)]);
    expect(await on('a.txt', 'link.txt')).toEqual([expect.stringMatching(/^everything/u)]);
    expect(await on('many', 'hard.txt')).toEqual([expect.stringMatching(/^everything/u)]);
    expect(await on('hard.txt', 'many')).toEqual([expect.stringMatching(/^1 of 2 files/u)]);
    expect(await on('a.txt', 'many')).toEqual([]);
    // A copy has the same content, a text of the same size need not.
    copyFileSync(at('a.txt'), at('copy.txt'));
    writeFileSync(at('other.txt'), 'q'.repeat(1_100_000));
    expect(await on('a.txt', 'copy.txt')).toEqual([expect.stringMatching(/^everything/u)]);
    expect(await on('a.txt', 'other.txt')).toEqual([]);
  });

  it('by the check of a launch, for each text once', async () => {
    const configs = [1, 2].flatMap((seed) =>
      [0.001, 0.002].map((lr) =>
        configOf({
          'data.corpus': at('small.txt'),
          'tokenizer.kind': 'byte',
          'model.width': 32,
          'model.depth': 1,
          'stop.steps': 100_000,
          'optimizer.lr': lr,
          seed,
        }),
      ),
    );
    const { warnings } = await checkLaunch(configs);
    expect(warnings.filter((text) => /held out|by heart/u.test(text))).toHaveLength(2);
  });
});
