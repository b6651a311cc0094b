/** `sweeplab plot`: what is chosen, what is refused, and files in place of a database. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStore } from '../../main/store/index.ts';
import { inside } from './inside.ts';

let folder: string;
let home: string;
const out = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sweeplab-plot-test-'));
  home = join(folder, 'home');
  mkdirSync(home);
  const store = openStore(join(home, 'runs.sqlite'));
  const planned = [2, 4].flatMap((depth) =>
    [1, 2].map((seed) => ({
      name: `d${depth}`,
      config: { 'model.depth': depth, seed },
      seed,
      settingKey: `d${depth}`,
    })),
  );
  for (const { id, config } of store.createSweep({ name: 'depths', spec: {} }, planned).runs) {
    store.setRunState(id, 'running');
    const steps = Float64Array.from({ length: 4 }, (_, i) => i);
    const values = steps.map((step) => Number(config['model.depth']) / (step + 1));
    await store.appendMetrics(id, [{ metric: 'val/loss', steps, values }], {
      steps: 4,
      tokens: 64,
      summary: { 'val/loss': values[3] },
    });
    store.setRunState(id, 'finished');
  }
  store.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('draws a sweep by its name, in each kind of file (would catch an ending that makes another file)', async () => {
  for (const [kind, begins] of [
    ['svg', '<svg'],
    ['png', '\u0089PNG'],
    ['pdf', '%PDF'],
    ['csv', 'line,'],
  ]) {
    const done = await inside(home, [
      'plot',
      'depths',
      '--y',
      'val/loss',
      '--group',
      'model.depth',
      '--out',
      out(`a.${kind}`),
    ]);
    expect(done.stderr).toBe('');
    expect(done.code).toBe(0);
    expect(
      readFileSync(out(`a.${kind}`))
        .toString('latin1')
        .slice(0, begins.length),
      kind,
    ).toBe(begins);
  }
});

it.each(['trend', 'parallel', 'pareto'])('draws the %s of a sweep, and bundles it for a paper', async (kind) => {
  const folder = out(`bundle-${kind}`);
  const done = await inside(home, ['plot', 'latest', '--y', 'val/loss', '--kind', kind, '--out', folder]);
  expect(done).toMatchObject({ code: 0, stderr: '' });
  const stem = `bundle-${kind}`;
  expect(readdirSync(folder).sort()).toEqual(
    [
      `${stem}-178mm.pdf`,
      `${stem}-178mm.svg`,
      `${stem}-85mm.pdf`,
      `${stem}-85mm.svg`,
      `${stem}.csv`,
      `${stem}.py`,
    ].sort(),
  );
  expect(readFileSync(join(folder, `${stem}-85mm.svg`), 'utf8')).toMatch(/^<svg[^>]* width="85mm"/u);
  expect(readFileSync(join(folder, `${stem}.py`), 'utf8')).toContain('import matplotlib');
});

it('packs a bundle where a file is wanted', async () => {
  const done = await inside(home, ['plot', 'latest', '--y', 'val/loss', '--out', out('figure.zip')]);
  expect(done).toMatchObject({ code: 0, stderr: '' });
  expect(readFileSync(out('figure.zip')).toString('latin1')).toMatch(/^PK[\s\S]*figure-85mm\.pdf[\s\S]*figure\.py/u);
});

it('draws files of other programs without a lab (would catch a plot that needs an import first)', async () => {
  const file = out('results.csv');
  writeFileSync(file, ['run,lr,step,loss', 'a,0.1,0,3', 'a,0.1,1,2', 'b,0.2,0,4', 'b,0.2,1,1'].join('\n'));
  mkdirSync(out('tmp'));
  const done = await inside(out('nowhere'), ['plot', file, '--y', 'loss', '--out', out('file.csv'), '--no-runs'], {
    env: { TMPDIR: out('tmp') },
  });
  expect(done).toMatchObject({ code: 0, stderr: '' });
  const rows = readFileSync(out('file.csv'), 'utf8').trim().split(/\r?\n/u).slice(1);
  expect(rows.map((row) => row.split(',')[2]).sort()).toEqual(['1', '2', '3', '4']);
  expect(readdirSync(out('tmp')).filter((name) => name.startsWith('sweeplab-plot'))).toEqual([]);
});

it.each([
  [['--y', 'val/los'], '--y is "val/los"; allowed: val/loss; nearest: val/loss'],
  [['--group', 'model.deph'], '--group is "model.deph"'],
  [['--x', 'tokenz'], 'x is "tokenz"'],
  [['--smoothing', '1'], '--smoothing is "1"; allowed: from 0 to below 1'],
  [['--size', 'tiny'], '--size is "tiny"; allowed: a number'],
  [['--size', '5'], '--size is "5"; allowed: screen, one-column, two-columns, or millimetres from 30 to 1000'],
  [['--from', '3', '--to', '2'], '--from is 3 and --to is 2; allowed: --from below --to'],
  [['--log-y', '--linear-y'], '--log-y and --linear-y are given; allowed: one of them'],
  [
    ['--out', 'figure.gif'],
    '--out is "figure.gif"; allowed: a folder, or a file that ends in .svg, .png, .pdf, .csv, .zip',
  ],
  [['--kind', 'heat'], '--kind heat needs two settings that differ; here only model.depth'],
  [['--kind', 'trend', '--facet', 'model.depth'], '--facet has no effect with --kind trend'],
  [['--kind', 'pareto', '--x', 'times'], '--x is "times"; allowed: time, parameters, flops, tokens; nearest: time'],
])('refuses %j in words, and writes nothing', async (flags, words) => {
  const path = out('refused.svg');
  const done = await inside(home, ['plot', 'latest', '--out', path, ...flags]);
  expect(done.code).toBe(2);
  expect(done.stderr).toContain(words);
  expect(readdirSync(folder)).not.toContain('refused.svg');
});

it('says of a figure what stands under it (would catch a blank figure without a word)', async () => {
  const table = join(folder, 'nan.csv');
  writeFileSync(table, 'step,loss\n1,nan\n2,nan\n');
  const done = await inside(home, ['plot', table, '--out', out('nan.svg')]);
  expect(done.stdout).toContain('\n  2 values that are not finite are gaps\n');
});
