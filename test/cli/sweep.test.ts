import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Papa from 'papaparse';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCurve, WIDE_COLUMNS } from '../../main/lab/exchange/csvWide.ts';
import { json, removeHome, start, sweeplab, temporaryHome, tiny } from './cli.ts';
import { inside, jsonInside } from './inside.ts';

interface Run {
  id: string;
  name: string;
  state: string;
  steps: number;
  seed: number;
  sweep: string;
  settingKey: string;
  settings: Record<string, unknown>;
  summary: Record<string, number>;
  tags: string[];
  note: string;
  attempt: number;
}
interface SweepAnswer {
  sweep: { id: string; state: string; counts: Record<string, number> };
  results: {
    varied: string[];
    best: Record<string, number>;
    settings: {
      settings: Record<string, number>;
      runs: string[];
      statistics: Record<string, { n: number; mean: number; sd: number }>;
    }[];
  };
  runs: Run[];
}

const GRID = tiny({ 'model.depth': ['1', '2'], 'optimizer.lr': ['1e-3', '1e-2'] });

describe('sweeplab sweep', () => {
  const home = temporaryHome();
  let answer: SweepAnswer;
  beforeAll(async () => {
    answer = await json<SweepAnswer>(home, ['sweep', ...GRID, '--seeds', '2', '--name', 'grid']);
  });
  afterAll(() => removeHome(home));

  it('trains every setting with the same seeds and compares their means (would catch seeds that differ between settings, or a wrong mean)', () => {
    expect(answer.sweep).toMatchObject({ state: 'finished', counts: { finished: 8, failed: 0 } });
    const { results, runs } = answer;
    expect(results.varied).toEqual(['model.depth', 'optimizer.lr']);
    expect(results.settings).toHaveLength(4);
    for (const group of results.settings) {
      const own = runs.filter(({ id }) => group.runs.includes(id));
      expect(own.map(({ seed }) => seed)).toEqual([1, 2]);
      const [a, b] = own.map(({ summary }) => summary['val/bpb']);
      expect(group.statistics['val/bpb']).toMatchObject({ n: 2, mean: (a + b) / 2 });
      expect(group.statistics['val/bpb'].sd).toBeCloseTo(Math.abs(a - b) / Math.SQRT2, 12);
    }
    const means = results.settings.map(({ statistics }) => statistics['val/bpb'].mean);
    expect(results.best).toEqual(results.settings[means.indexOf(Math.min(...means))].settings);
  });

  it('lists runs with filters, order and limit', async () => {
    const deep = await jsonInside<Run[]>(home, [
      'runs',
      'ls',
      '--where',
      'depth=2',
      'optimizer.lr<0.005',
      '--sort',
      'val/bpb',
    ]);
    expect(deep.map(({ settings }) => [settings['model.depth'], settings['optimizer.lr']])).toEqual([
      [2, 0.001],
      [2, 0.001],
    ]);
    expect(deep[0].summary['val/bpb']).toBeLessThanOrEqual(deep[1].summary['val/bpb']);
    expect(await jsonInside<Run[]>(home, ['runs', 'ls', '--sweep', 'latest', '--limit', '3'])).toHaveLength(3);
    expect(await jsonInside<Run[]>(home, ['runs', 'ls', '--state', 'failed', 'queued'])).toEqual([]);
    const wrong = await inside(home, ['runs', 'ls', '--where', 'model.dept=2']);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('model.depth') });
    expect(await jsonInside<Run[]>(home, ['runs', 'ls', '--search', 'depth=2 lr<0.005 state:finished'])).toHaveLength(
      2,
    );
    const state = await inside(home, ['runs', 'ls', '--state', 'finish']);
    expect(state).toMatchObject({ code: 2, stderr: expect.stringContaining('nearest: finished') });
  });

  it('shows, tags, notes, compares, removes, restores and purges (would catch a change that reaches the wrong run)', async () => {
    const [first, second] = answer.runs;
    const shown = await jsonInside<Run & { metrics: Record<string, { points: number }> }>(home, [
      'runs',
      'show',
      first.id,
    ]);
    expect(shown).toMatchObject({ id: first.id, steps: 10, settings: first.settings });
    expect(shown.metrics['train/loss'].points).toBe(10);
    expect(shown.metrics['val/loss'].points).toBe(3);
    await jsonInside(home, ['runs', 'tag', first.id, second.id, '--add', 'good', 'x']);
    await jsonInside(home, ['runs', 'tag', second.id, '--remove', 'x']);
    expect((await jsonInside<Run[]>(home, ['runs', 'ls', '--tag', 'x'])).map(({ id }) => id)).toEqual([first.id]);
    const noted = await jsonInside<Run>(home, ['runs', 'note', first.id, 'the', 'first', 'one']);
    expect(noted).toMatchObject({ note: 'the first one', tags: ['good', 'x'] });
    const { varied } = await jsonInside<{ varied: string[] }>(home, [
      'runs',
      'compare',
      first.id,
      answer.runs.at(-1)!.id,
    ]);
    expect(varied).toEqual(['model.depth', 'optimizer.lr', 'seed']);
    await jsonInside(home, ['runs', 'rm', second.id]);
    expect(await jsonInside<Run[]>(home, ['runs', 'ls'])).toHaveLength(7);
    expect(await jsonInside<Run[]>(home, ['runs', 'ls', '--deleted'])).toHaveLength(1);
    await jsonInside(home, ['runs', 'rm', '--restore', second.id]);
    expect(await jsonInside<Run[]>(home, ['runs', 'ls'])).toHaveLength(8);
  });

  it('exports every point to the bit, and one row per run that can be parsed back (would catch rounded or missing numbers)', async () => {
    const file = join(home, 'long.csv');
    await jsonInside(home, ['export', '--out', file]);
    const text = await sweeplab(home, ['export']);
    expect(text.stdout).toBe(readFileSync(file, 'utf8'));
    const { data } = Papa.parse<Record<string, string>>(text.stdout, { header: true, skipEmptyLines: true });
    const points = data.filter(({ metric, run }) => metric === 'val/loss' && run === answer.runs[3].id);
    expect(points.map(({ step }) => Number(step))).toEqual([0, 5, 10]);
    expect(Number(points[2].value)).toBe(answer.runs[3].summary['val/loss']);
    expect(points[0]['model.depth']).toBe(String(answer.runs[3].settings['model.depth']));

    const wide = join(home, 'wide.csv');
    await jsonInside(home, ['export', '--format', 'csv-wide', '--out', wide]);
    const rows = Papa.parse<Record<string, string>>(readFileSync(wide, 'utf8'), { header: true, skipEmptyLines: true });
    expect(rows.meta.fields).toEqual([...WIDE_COLUMNS]);
    expect(rows.data).toHaveLength(8);
    expect(rows.data.map(({ run_num }) => run_num).join('')).toBe('12121212');
    expect(parseCurve(rows.data[3].val_loss)).toEqual(points.map(({ value }) => Number(value)));
    expect(parseCurve(rows.data[3].tokens_seen)).toEqual([0, 320, 640]);
    expect(parseCurve(rows.data[3].train_loss)[0]).toBeNaN();
    await jsonInside(home, ['export', '--format', 'csv-wide', '--out', wide, '--append']);
    expect(readFileSync(wide, 'utf8').trimEnd().split('\n')).toHaveLength(17);
    const before = readFileSync(wide);
    const mixed = await inside(home, ['export', '--out', wide, '--append']);
    expect(mixed).toMatchObject({ code: 2, stderr: expect.stringContaining('other columns') });
    expect(readFileSync(wide).equals(before)).toBe(true);
  });

  it('writes text with the best model, the same for the same seed', async () => {
    const args = ['sample', '--sweep', 'latest', '--tokens', '20', '--prompt', 'The ', '--seed', '3'];
    const one = await json<{ run: string; samples: { text: string; tokens: number }[] }>(home, args);
    expect(one.samples[0].text.startsWith('The ')).toBe(true);
    expect(one.samples[0].tokens).toBe(20);
    const best = answer.runs.toSorted((a, b) => a.summary['val/bpb'] - b.summary['val/bpb'])[0];
    expect(one.run).toBe(best.id);
    expect(await jsonInside(home, args)).toEqual(one);
  });

  it('is intact and healthy to the doctor', async () => {
    const { findings } = await json<{ findings: { name: string; state: string; detail: string }[] }>(home, ['doctor']);
    const named = (name: string) => findings.find((each) => each.name === name);
    expect(named('Run database')).toMatchObject({ state: 'ok', detail: expect.stringContaining('8 runs') });
    expect(named('Node')!.detail).toContain('SQLite');
    expect(findings.filter(({ name }) => name.startsWith('Executor ')).some(({ state }) => state === 'ok')).toBe(true);
  });
});

describe('planning a sweep', () => {
  const home = temporaryHome();
  afterAll(() => removeHome(home));

  it('says what would run and what was dropped, and starts nothing (--dry-run)', async () => {
    type Plan = {
      runs: { seed: number; settings: Record<string, number> }[];
      dropped: { problem: { message: string } }[];
      duplicates: number;
      combinations: number;
    };
    const flags = tiny({ 'model.width': ['16', '24', '16'], 'model.heads': ['2', '3'] });
    const plan = await jsonInside<Plan>(home, ['sweep', ...flags, '--seeds', '3', '--seed', '10', '--dry-run']);
    // One width is given twice and counts once; 16 cannot be divided into 3 heads.
    expect(plan).toMatchObject({
      combinations: 4,
      duplicates: 0,
      dropped: [{ problem: { setting: 'model.heads', value: 3, numbers: '16 % 3 = 1' } }],
    });
    expect(plan.runs).toHaveLength(9);
    expect(plan.runs.map(({ seed }) => seed).slice(0, 3)).toEqual([10, 11, 12]);
    expect(await jsonInside(home, ['runs', 'ls'])).toEqual([]);
  });

  it('says before anything starts that training and validation are one text (would catch a dry run that looks at no file)', async () => {
    const file = join(home, 'text.txt');
    writeFileSync(file, 'one text '.repeat(10_000));
    const pdf = join(home, 'paper.txt');
    writeFileSync(pdf, '%PDF-1.7\n');
    const flags = [...tiny(), '--data.corpus', file, '--data.validation_path', file, '--dry-run'];
    for (const command of ['sweep', 'train']) {
      type Dry = { warnings: { message: string }[] };
      const { warnings } = await jsonInside<Dry>(home, [command, ...flags]);
      expect(warnings.map(({ message }) => message)).toContainEqual(
        expect.stringMatching(/^everything in data\.validation_path .* is trained on too/u),
      );
      expect((await inside(home, [command, ...flags])).stderr).toContain('is trained on too');
      const unread = await inside(home, [command, ...tiny(), '--data.corpus', pdf, '--dry-run']);
      expect(unread).toMatchObject({ code: 2, stderr: expect.stringContaining('not text: it is a PDF') });
    }
  });

  it('reads a W&B sweep file with flags on top (would catch flags that are ignored beside a file)', async () => {
    const file = join(home, 'sweep.yaml');
    writeFileSync(
      file,
      'method: grid\nparameters:\n  model.depth: { values: [1, 2, 3] }\n  model.width: { value: 32 }\nrecipe: quick\nseeds: 2\nconstraints: ["model.depth < 3"]\n',
    );
    type Plan = { runs: { settings: Record<string, number> }[] };
    expect((await jsonInside<Plan>(home, ['sweep', file, '--dry-run'])).runs).toHaveLength(4);
    const other = await jsonInside<Plan>(home, [
      'sweep',
      file,
      '--model.depth',
      '1',
      '--optimizer.lr',
      '1e-3',
      '2e-3',
      '--seeds',
      '1',
      '--dry-run',
    ]);
    expect(
      other.runs.map(({ settings }) => [settings['model.depth'], settings['model.width'], settings['optimizer.lr']]),
    ).toEqual([
      [1, 32, 0.001],
      [1, 32, 0.002],
    ]);
  });

  it('trains the sweep of a recipe, with flags on top (would catch a recipe whose sweep only the app knows)', async () => {
    type Plan = { runs: { seed: number; settings: Record<string, number> }[]; spec: { recipe: string } };
    const planned = async (...flags: string[]) => {
      const { runs } = await jsonInside<Plan>(home, ['sweep', '--recipe', 'quick', ...flags, '--dry-run']);
      return runs.map(({ seed, settings: s }) => [s['model.depth'], s['model.width'], s['optimizer.lr'], seed]);
    };
    const pairs = (...rows: number[][]) => rows.flatMap((row) => [1, 2].map((seed) => [...row, seed]));
    expect(await planned()).toEqual(pairs([1, 32, 0.003], [1, 64, 0.003], [2, 32, 0.003], [2, 64, 0.003]));
    // One value fixes an axis, several replace it, an axis more joins.
    const other = await planned('--model.depth', '3', '--model.width', '16', '32', '--optimizer.lr', '1e-3', '2e-3');
    expect(other).toEqual(pairs([3, 16, 0.001], [3, 16, 0.002], [3, 32, 0.001], [3, 32, 0.002]));
    expect(await planned('--seeds', '7', '9', '--model.width', '32', '--model.depth', '2')).toEqual([
      [2, 32, 0.003, 7],
      [2, 32, 0.003, 9],
    ]);
    const alone = await planned('--no-recipe-sweep', '--optimizer.lr', '1e-3', '2e-3');
    expect(alone).toEqual([
      [2, 64, 0.001, 1],
      [2, 64, 0.002, 1],
    ]);
  });

  it('says of a plan that it is the sweep of the recipe, and what flags changed (would catch axes that nobody asked for, unsaid)', async () => {
    const words = async (...flags: string[]) =>
      (await inside(home, ['sweep', ...flags, '--dry-run'])).stdout
        .split('\n')
        .find((line) => line.startsWith('sweep of the recipe'));
    expect(await words('--recipe', 'quick')).toBe('sweep of the recipe quick (model.depth × model.width, 2 seeds)');
    expect(
      await words('--recipe', 'quick', '--seeds', '3', '--model.depth', '1', '--optimizer.lr', '1e-3', '2e-3'),
    ).toBe(
      'sweep of the recipe quick (model.depth × model.width, 2 seeds), with model.depth, seeds as given here and optimizer.lr varied as well; --no-recipe-sweep varies optimizer.lr alone',
    );
    expect(await words('--recipe', 'stories-small')).toBeUndefined();
  });

  it('takes seeds, axes and method of a recipe file of the user (would catch a method that is dropped)', async () => {
    const own = join(home, 'own.yaml');
    writeFileSync(
      own,
      'title: Own\nteaches: Nothing.\nabout: { size: 1k, data: stories, minutes: 1, machine: any }\n' +
        'sweep: { method: random, run_cap: 6, seeds: 2, parameters: { model.depth: { min: 1, max: 12 } } }\nsettings: { model.width: 32 }\n',
    );
    type Plan = { runs: { settings: Record<string, number> }[]; spec: Record<string, unknown> };
    const { runs, spec } = await jsonInside<Plan>(home, ['sweep', '--recipe', own, '--dry-run']);
    expect(spec).toMatchObject({ method: 'random', runCap: 6, seeds: 2, recipe: own });
    expect(runs).toHaveLength(6);
    expect(new Set(runs.map(({ settings }) => settings['model.width']))).toEqual(new Set([32]));
    writeFileSync(own, `${readFileSync(own, 'utf8').replace('method: random', 'method: rnadom')}`);
    expect(await inside(home, ['sweep', '--recipe', own, '--dry-run'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/method is "?rnadom.*nearest: random/u),
    });
  });

  it.each([
    ['n\n', /Nothing was started/u],
    ['perhaps\nno\n', /Nothing was started/u],
    ['', /Nothing was started/u],
  ])('asks before it starts and takes %j for no (--review)', async (input, expected) => {
    const { code, stdout } = await inside(home, ['sweep', ...GRID, '--review'], { input });
    expect(code).toBe(0);
    expect(stdout).toContain('Proceed? [y/n]');
    expect(stdout).toMatch(expected);
    expect(await jsonInside(home, ['runs', 'ls'])).toEqual([]);
  });
});

describe('an interrupted sweep', () => {
  const home = temporaryHome();
  afterAll(() => removeHome(home));

  it('keeps what is done and goes on with the rest (would catch repeated or lost runs)', async () => {
    const args = [
      'sweep',
      ...tiny({ 'stop.steps': '150', 'model.depth': ['1', '2'] }),
      '--seeds',
      '2',
      '--concurrency',
      '1',
    ];
    const running = start(home, args);
    await running.until(/\[1\/4\]/u);
    running.child.kill('SIGINT');
    const { code, stdout } = await running.done;
    expect(code).toBe(130);
    const id = /sweep --resume (\w+)/u.exec(stdout)![1];
    const before = await jsonInside<Run[]>(home, ['runs', 'ls', '--state', 'finished']);
    expect(before.length).toBeGreaterThanOrEqual(1);
    const answer = await json<SweepAnswer>(home, ['sweep', '--resume', id]);
    expect(answer.sweep.counts).toMatchObject({ finished: 4, stopped: 0, queued: 0 });
    for (const run of before) expect(answer.runs.find((other) => other.id === run.id)).toEqual(run);
    const again = await inside(home, ['sweep', '--resume', id]);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing left to train') });
  });
});
