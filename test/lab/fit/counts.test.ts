/** What the fit check counts is what training reads: each kind of file is counted, then prepared, and the two are compared. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countText } from '../../../main/engine/data/index.ts';
import { confinedTo } from '../../../main/engine/data/reading/confine.ts';
import { prepareData } from '../../../main/engine/train/dataset.ts';
import { estimateDataset } from '../../../main/lab/fit/budget.ts';
import { fitPlan, measureTexts, textWarnings } from '../../../main/lab/fit/index.ts';
import { countIn, textIn } from '../../../main/lab/fit/textSizes.ts';
import { builtInRegistry } from '../../../main/lab/settings/index.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { zipOf } from '../../engine/data/reading/zipOf.ts';

const { defaults, catalog } = builtInRegistry();
const folder = mkdtempSync(join(tmpdir(), 'sweeplab-counts-'));
const at = (name: string) => join(folder, name);
const seed = Date.now() % 1e6;
let state = seed;
const random = (below: number): number => (state = (state * 48271 + 11) % 2147483647) % below;
const story = (): string => Array.from({ length: 20 + random(40) }, () => 'abcdefgh'.slice(random(8))).join(' ') + '.';
const stories = Array.from({ length: 120 }, story);
const text = stories.join('\n\n');

const configOf = (values: Config): Config =>
  catalog.complete({
    ...defaults,
    'tokenizer.kind': 'byte',
    'model.width': 16,
    'model.depth': 1,
    'model.heads': 2,
    'model.context': 64,
    'data.size': 0,
    'stop.steps': 0,
    'stop.epochs': 1,
    ...values,
  });

beforeAll(() => {
  const rows = stories.map((each, i) => JSON.stringify({ text: each, meta: String(i).repeat(900) }));
  writeFileSync(at('a.txt'), text);
  writeFileSync(at('a.jsonl'), rows.join('\n'));
  writeFileSync(at('a.txt.gz'), gzipSync(text));
  writeFileSync(at('repeated.txt.gz'), gzipSync(`${'x y z '.repeat(5)}\n\n`.repeat(5600)));
  writeFileSync(at('a.csv'), `id,text\n${stories.map((each, i) => `${i},"${each}"`).join('\n')}\n`);
  writeFileSync(
    at('two.zip'),
    zipOf([
      ['a.txt', Buffer.from(stories.slice(0, 50).join('\n\n'))],
      ['b.txt', Buffer.from(stories.slice(50).join('\n\n'))],
    ]),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const PARQUET = join(import.meta.dirname, '../../engine/data/fixtures/rows.snappy.parquet');

describe(`the text of a file (seed ${seed})`, () => {
  const files = ['a.txt', 'a.jsonl', 'a.txt.gz', 'repeated.txt.gz', 'a.csv', 'two.zip', PARQUET];
  const modes = ['shuffled', 'packed'];
  it.each(files.flatMap((file) => modes.map((mode) => [file, mode])))(
    '%s has as many tokens and %s rows as training reads, also where it is prepared (would catch sizes of files)',
    async (file, mode) => {
      const config = configOf({ 'data.corpus': file === PARQUET ? file : at(file), 'data.batching': mode });
      await measureTexts([config]);
      const counted = estimateDataset(config);
      const cache = at(`cache-${file.replace(/\W/gu, '')}-${mode}`);
      const { info } = await prepareData({ config, cache });
      const { trainTokens, validationTokens, sequencesPerEpoch } = info;
      expect(counted).toMatchObject({ trainTokens, validationTokens, sequencesPerEpoch, exact: true });
      const prepared = await countText(config, { cacheDir: cache });
      expect(prepared).toMatchObject({ basis: 'prepared', trainTokens, validationTokens });
      expect(fitPlan(config, { kind: 'cpu' }).length).toMatchObject({
        steps: Math.ceil(sequencesPerEpoch / Number(config['batch.sequences'])),
        estimated: false,
      });
    },
  );

  it('is warned about alike, whatever it is packed in (would catch the missing warning of a packed file)', async () => {
    const warnings = [];
    for (const file of ['a.txt', 'a.jsonl', 'a.txt.gz', 'a.csv']) {
      const config = configOf({ 'data.corpus': at(file), 'data.validation': 0.05, 'eval.tokens': 0 });
      await measureTexts([config]);
      warnings.push(textWarnings(config, null).join());
    }
    expect(warnings[0]).toMatch(/tokens are held out/u);
    expect(new Set(warnings).size).toBe(1);
  });

  it('that is long is judged by its beginning (would catch one that is read whole while a form waits)', async () => {
    const rows = Array.from({ length: 12_000 }, (_, i) =>
      JSON.stringify({ text: stories[i % 120], meta: 'm'.repeat(300) }),
    );
    writeFileSync(at('long.jsonl'), rows.join('\n'));
    const config = configOf({ 'data.corpus': at('long.jsonl') });
    const [whole, part] = [await countText(config), await countText(config, { whole: 2 ** 21 })];
    expect(whole).toMatchObject({ basis: 'counted', exact: true });
    expect(part).toMatchObject({ basis: 'beginning', exact: false });
    expect(part!.sampledBytes).toBeLessThan(4 * 2 ** 20);
    expect(part!.trainTokens / whole!.trainTokens).toBeCloseTo(1, 1);
  });

  it('is read within what a page may read, and no further', async () => {
    const config = configOf({ 'data.corpus': at('a.txt') });
    await expect(confinedTo({ within: [at('nothing')], without: [] }, () => countText(config))).rejects.toThrow(
      'leads out',
    );
    // A folder that is a link, and a glob in it: nothing of what lies there, not its size either.
    mkdirSync(at('outside'));
    mkdirSync(at('open'));
    writeFileSync(at('outside/secret.txt'), text);
    symlinkSync(at('outside'), at('open/link'), 'dir');
    const reach = { within: [realpathSync(at('open'))], without: [] };
    for (const path of ['open/link', 'open/link/*.txt', 'open/link/secret.txt']) {
      const linked = configOf({ 'data.corpus': at(path) });
      // What somebody else may look at is no answer for a page.
      await measureTexts([linked]);
      expect(textIn(linked, 'data.corpus')?.bytes).toBe(text.length);
      await confinedTo(reach, async () => {
        await measureTexts([linked]);
        expect([textIn(linked, 'data.corpus'), countIn(linked)]).toEqual([undefined, undefined]);
      });
    }
  });

  it('that was broken off for want of time is read anew by who has more', async () => {
    // More than two of the pieces (1 MiB) in which a file is read: one alone is read to its end before anybody looks at the time.
    writeFileSync(at('slow.txt'), text.repeat(Math.ceil((5 << 19) / text.length)));
    const config = configOf({ 'data.corpus': at('slow.txt') });
    const hurried = await countText(config, { until: 0 });
    expect(hurried!.basis).toBe('beginning');
    expect((await countText(config))!.basis).toBe('counted');
  });

  it('is let go when nobody waits for it any more', async () => {
    const config = configOf({ 'data.corpus': at('a.csv'), 'data.validation': 0.07 });
    await expect(measureTexts([config], { signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone');
  });
});
