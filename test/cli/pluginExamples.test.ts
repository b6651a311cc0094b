/** Every example of the guide, exactly as it stands there: in the settings, in the fit check, in training on two executors, in exports. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { corpusOf, tokenizerOf } from '../../main/engine/data/index.ts';
import { metricCatalog } from '../../main/engine/train/measures/index.ts';
import { loadPlugins, registryWithPlugins } from '../../main/lab/settings/index.ts';
import type { SettingsRegistry } from '../../main/lab/settings/index.ts';
import { missingAddon } from '../engine/executors/cpu/harness.ts';
import { json, removeHome, temporaryHome, tiny } from './cli.ts';
import { inside, jsonInside } from './inside.ts';

const GUIDE = new URL('../../resources/guide/examples.md', import.meta.url);
const EXAMPLES = [...readFileSync(GUIDE, 'utf8').matchAll(/```ts\n\/\/ (\w+\.ts)\n([\s\S]*?)```/gu)].map(
  ([, file, source]) => ({ file: file!, source: source! }),
);
const DEVICES = missingAddon === undefined ? ['cpu', 'tfjs-cpu'] : ['tfjs-cpu'];
/** Everything at once, with a setting of each kind away from its default. */
const ALL = {
  'attention.kind': 'alternating',
  'attention.full_every': '3',
  'data.corpus': 'sums',
  'data.digits': '3',
  'model.depth': '2',
  'model.window': '5',
  'optimizer.kind': 'signum',
  'optimizer.beta1': '0.8',
  'schedule.kind': 'plateau',
  'schedule.fall': '0.5',
  'stop.steps': '12',
  'tokenizer.kind': 'ascii',
};
const OWN = ['attention.full_every', 'data.digits', 'model.ngram', 'schedule.fall'];

interface Run {
  readonly id: string;
  readonly state: string;
  readonly settings: Record<string, unknown>;
  readonly summary: Record<string, number>;
}

const home = temporaryHome();
let registry: SettingsRegistry;
let runs: Run[];
beforeAll(async () => {
  mkdirSync(join(home, 'plugins'));
  for (const { file, source } of EXAMPLES) writeFileSync(join(home, 'plugins', file), source);
  registry = registryWithPlugins(await loadPlugins([join(home, 'plugins')]));
  ({ runs } = await jsonInside<{ runs: Run[] }>(home, [
    'sweep',
    '--name',
    'all',
    ...tiny({ ...ALL, device: DEVICES }),
  ]));
});
afterAll(() => removeHome(home));

describe('the examples of the guide', () => {
  it('are nine kinds, each a choice of the form with its settings (would catch one that nobody can find)', () => {
    expect(EXAMPLES).toHaveLength(9);
    const choices = (name: string) => {
      const { type } = registry.get(name)!;
      return type.kind === 'enum' ? type.values : type.kind === 'string' ? type.suggestions : [];
    };
    for (const [setting, kind] of Object.entries({ ...ALL, 'model.kind': 'ngram' }))
      if (setting.endsWith('.kind') || setting === 'data.corpus') expect(choices(setting)).toContain(kind);
    for (const name of OWN) {
      expect(registry.get(name), name).toBeDefined();
      expect(registry.applies(name, registry.defaults), name).toBe(false);
    }
    expect(metricCatalog(registry.catalog).rankable).toContain('val/compression');
    expect(metricCatalog(registry.catalog).goal('val/compression')).toBe('maximize');
  });

  it('train together on every executor, to the same numbers', () => {
    expect(runs.map(({ state }) => state)).toEqual(DEVICES.map(() => 'finished'));
    for (const { settings, summary } of runs) {
      expect(settings).toMatchObject({ 'optimizer.kind': 'signum', 'data.digits': 3, 'attention.full_every': 3 });
      expect(summary['val/loss']).toBeCloseTo(runs[0].summary['val/loss'], 4);
      expect(summary['val/loss']).toBeLessThan(Math.log(130));
      expect(summary['val/compression']).toBe(8 / summary['val/bpb']);
    }
  });

  it('are planned to the byte, and exported', async () => {
    const flags = tiny({ ...ALL, device: DEVICES[0] });
    const { plan } = await json<{ plan: { vocabularySize: number; byCategory: Record<string, number> } }>(home, [
      'fit',
      ...flags,
    ]);
    expect(plan.vocabularySize).toBe(130);
    // Signum keeps one number per parameter where adamw keeps two.
    expect(plan.byCategory['optimizer state']).toBe(plan.byCategory['parameters']);
    const { stdout } = await inside(home, ['export']);
    const [header] = stdout.split('\n');
    expect(header.split(',')).toEqual(expect.arrayContaining(['schedule.fall', 'data.digits', 'tokenizer.kind']));
    expect(stdout).toContain('val/compression');
    const lines = (await inside(home, ['export', '--format', 'jsonl'])).stdout.trim().split('\n');
    const written = lines.map((line) => JSON.parse(line) as { id: string; curves: Record<string, number[]> });
    expect(written.map(({ id }) => id)).toEqual(runs.map(({ id }) => id));
    for (const [i, { curves }] of written.entries())
      expect(curves['val/compression'].at(-1)).toBe(runs[i].summary['val/compression']);
  });

  it('read files of their own, tell what they leave out, and update them (would catch a format that only the preview knows)', async () => {
    const file = join(home, 'a.curve');
    writeFileSync(file, '# lr = 0.1\n# seed = 3\nloss 0 4\nloss 10 nan\nbroken\nval/loss 10 3.5\n');
    const other = temporaryHome();
    mkdirSync(join(other, 'plugins'));
    const { source } = EXAMPLES.find(({ file: name }) => name === 'curves.ts')!;
    writeFileSync(join(other, 'plugins', 'curves.ts'), source);
    try {
      type Answer = {
        written: boolean;
        counts: Record<string, number>;
        sources: { kind: string; notes: { what: string; first: string }[] }[];
        runs: { config: Record<string, unknown>; seed: number; series: { metric: string; nonFinite: number }[] }[];
      };
      const read = (...flags: string[]): Promise<Answer> => jsonInside<Answer>(other, ['import', file, ...flags]);
      const { sources, runs: found } = await read('--dry-run', '--format', 'curve');
      expect(sources).toMatchObject([
        { kind: 'curve', notes: [{ what: 'lines that are no points, left out', first: 'a.curve, line 5' }] },
      ]);
      expect(found).toMatchObject([
        {
          seed: 3,
          series: [
            { metric: 'loss', nonFinite: 1 },
            { metric: 'val/loss', nonFinite: 0 },
          ],
        },
      ]);
      expect(await read()).toMatchObject({ written: true, counts: { new: 1 } });
      writeFileSync(file, '# lr = 0.1\n# seed = 3\nloss 0 4\nloss 10 3\n');
      expect(await read()).toMatchObject({ counts: { new: 0, update: 1 } });
      expect((await inside(other, ['import', '--help'])).stdout).toContain('curve files');
    } finally {
      removeHome(other);
    }
  });

  it('compare by their metric (would catch a metric that only training knows)', async () => {
    const compare = ['runs', 'compare', '--sweep', 'all'];
    const { settings } = await jsonInside<{ settings: { statistics: Record<string, { mean: number }> }[] }>(
      home,
      compare,
    );
    const means = settings.map(({ statistics }) => statistics['val/compression']!.mean);
    expect(means.toSorted()).toEqual(runs.map(({ summary }) => summary['val/compression']).toSorted());
  });

  it('keep the promises of their sort: the tokenizer loses nothing, the corpus is the same for the same settings', async () => {
    const { catalog, defaults } = registry;
    const { kind, settings } = tokenizerOf({ ...defaults, 'tokenizer.kind': 'ascii' }, catalog);
    const { tokenizer } = await kind.prepare(settings, undefined as never, { cacheDir: '' });
    const bytes = Uint8Array.from({ length: 999 }, () => Math.floor(Math.random() * 256));
    expect(tokenizer.decode(tokenizer.encode(bytes))).toEqual(bytes);
    const textOf = async (seed: number) => {
      const config = { ...defaults, 'data.corpus': 'sums', 'data.corpus_seed': seed, 'data.size': 3000 };
      const sums = corpusOf(config, catalog);
      return Buffer.from(
        (await (await sums.kind.open(sums.settings, { cacheDir: '' })).load()).corpus.bytes,
      ).toString();
    };
    expect(await textOf(1)).toBe(await textOf(1));
    expect(await textOf(1)).not.toBe(await textOf(2));
    expect((await textOf(1)).length).toBeLessThanOrEqual(3000);
  });
});
