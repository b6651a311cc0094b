import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../main/store/index.ts';
import type { Store } from '../../main/store/index.ts';
import { inside, jsonInside } from './inside.ts';

let folder: string;
let home: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sweeplab-programs-'));
  home = join(folder, 'home');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Node is there wherever this runs. */
function script(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}
const NODE = process.execPath;

interface Run {
  readonly id: string;
  readonly state: string;
  readonly reason: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly summary: Readonly<Record<string, number>>;
  readonly environment: Readonly<Record<string, unknown>>;
  readonly seed: number;
}

function reading<T>(body: (store: Store) => T): T {
  const store = openStore(join(home, 'runs.sqlite'), { readOnly: true });
  try {
    return body(store);
  } finally {
    store.close();
  }
}
const points = (id: string, metric: string) =>
  reading((store) => {
    const { step: steps, value: values } = store.readAll(id, metric);
    return [...steps].map((step, i) => [step, values[i]]);
  });
const log = (id: string) => reading((store) => store.readEvents({ runId: id, kinds: ['log'] }).map((e) => e.message));

describe('sweeplab run', () => {
  it('keeps points of output and file, the log and the end of a program (would catch any of them lost at its end)', async () => {
    const path = script(
      'train.mjs',
      `import { appendFileSync } from 'node:fs';
       console.log('hello ' + process.argv.slice(2).join(' '));
       for (let step = 1; step <= 50; step++) console.log(JSON.stringify({ step, loss: 1 / step }));
       for (let step = 1; step <= 3; step++) appendFileSync(process.env.SWEEPLAB_METRICS, JSON.stringify({ step, acc: step }) + '\\n');
       console.error('a warning');
       process.stdout.write('no line end');`,
    );
    const run = await jsonInside<Run>(home, ['run', '--tag', 'a', '--', NODE, path, '--lr', '1e-3']);
    expect(run).toMatchObject({ state: 'finished', reason: 'exit code 0', settings: { lr: 0.001 }, seed: 1 });
    expect(run.summary).toMatchObject({ loss: 0.02, acc: 3 });
    expect(run.environment).toMatchObject({ exit_code: 0, folder: process.cwd() });
    expect(points(run.id, 'loss')).toEqual(Array.from({ length: 50 }, (_, i) => [i + 1, 1 / (i + 1)]));
    expect(points(run.id, 'acc')).toEqual([1, 2, 3].map((step) => [step, step]));
    expect(log(run.id).sort()).toEqual(['a warning', 'hello --lr 1e-3', 'no line end']);
  });

  it('says how it ended, and that nothing was there to start', async () => {
    const path = script('fail.mjs', `console.error('Trace'); console.error('ValueError: lr'); process.exit(3);`);
    const failed = await inside(home, ['--json', 'run', '--', NODE, path]);
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.stdout)).toMatchObject({ state: 'failed', reason: 'exit code 3: ValueError: lr' });
    const missing = await inside(home, ['--json', 'run', '--', join(folder, 'nothing')]);
    expect(JSON.parse(missing.stdout).reason).toContain('there is no program');
    const lost = await inside(home, ['--json', 'run', '--folder', join(folder, 'gone'), '--', NODE, path]);
    expect(JSON.parse(lost.stdout).reason).toContain('there is no folder');
    const folderAsProgram = await inside(home, ['--json', 'run', '--', folder]);
    expect(JSON.parse(folderAsProgram.stdout).reason).toContain('may not be executed');
    expect((await inside(home, ['run'])).code).toBe(2);
    const undivided = await inside(home, ['run', 'python', 'train.py', '--lr', '1']);
    expect(undivided).toMatchObject({ code: 2, stderr: expect.stringContaining('stands after --') });
  });

  it('goes on where the command says how, and begins anew where it does not (would catch points twice, or of two tries)', async () => {
    const path = script(
      'resume.mjs',
      `const resumed = process.argv.includes('--resume');
       for (let step = resumed ? 3 : 1; step <= (resumed ? 6 : 4); step++) console.log(JSON.stringify({ step, loss: resumed ? 100 + step : step }));
       process.exit(resumed || process.env.SWEEPLAB_RESUME === '1' ? 0 : 1);`,
    );
    const first = await inside(home, ['--json', 'run', '--resume-with', '--resume', '--', NODE, path]);
    const { id } = JSON.parse(first.stdout) as Run;
    expect(first.code).toBe(1);
    const second = await jsonInside<Run>(home, ['run', '--resume', id]);
    expect(second).toMatchObject({ id, state: 'finished' });
    expect(points(id, 'loss')).toEqual([
      [1, 1],
      [2, 2],
      [3, 103],
      [4, 104],
      [5, 105],
      [6, 106],
    ]);
    const anew = JSON.parse((await inside(home, ['--json', 'run', '--', NODE, path])).stdout) as Run;
    await inside(home, ['run', '--resume', anew.id]);
    expect(points(anew.id, 'loss')).toEqual([1, 2, 3, 4].map((step) => [step, step]));
    const once = script(
      'once.mjs',
      `import { existsSync, writeFileSync } from 'node:fs';
       const mark = process.env.SWEEPLAB_RUN_DIR + '/tried';
       const tried = existsSync(mark);
       writeFileSync(mark, '');
       console.log(JSON.stringify({ step: 1, [tried ? 'later' : 'earlier']: 1 }));
       process.exit(tried ? 0 : 1);`,
    );
    const failed = JSON.parse((await inside(home, ['--json', 'run', '--', NODE, once])).stdout) as Run;
    expect(failed.summary).toEqual({ earlier: 1 });
    // A value of an earlier start is no result of this one.
    expect((await jsonInside<Run>(home, ['run', '--resume', failed.id])).summary).toEqual({ later: 1 });
  });

  it('takes what the W&B client in it reports, under whatever project, with the lab shut to everybody else', async () => {
    const path = script(
      'wandb.mjs',
      `const { WANDB_BASE_URL: url, WANDB_API_KEY: key, WANDB_RUN_ID: name } = process.env;
       const headers = { authorization: 'Basic ' + Buffer.from('api:' + key).toString('base64'), 'content-type': 'application/json' };
       const post = async (path, body) => {
         const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
         if (!answer.ok) throw new Error(await answer.text());
       };
       const query = 'mutation UpsertBucket { upsertBucket { bucket { id } } }';
       await post('/graphql', { query, variables: { name, project: 'mine', config: JSON.stringify({ width: { value: 8 } }) } });
       const content = [1, 2, 3].map((step) => JSON.stringify({ _step: step, _runtime: step, loss: step / 10 }));
       await post('/files/me/mine/' + name + '/file_stream', { files: { 'wandb-history.jsonl': { offset: 0, content } }, complete: true, exitcode: 0 });`,
    );
    const run = await jsonInside<Run>(home, ['run', '--', NODE, path, '--lr=0.5']);
    expect(run).toMatchObject({ state: 'finished', settings: { lr: 0.5, width: 8 } });
    expect(points(run.id, 'loss')).toEqual([1, 2, 3].map((step) => [step, step / 10]));
    expect(reading((store) => store.listRuns().length)).toBe(1);
  });
});

it('writes the helper for Python, and nothing over what is there', async () => {
  expect(await jsonInside(home, ['script', folder])).toEqual({ path: join(folder, 'sweeplab.py') });
  expect(await jsonInside(home, ['script', folder])).toEqual({ path: join(folder, 'sweeplab.py') });
  const other = script('mine.py', 'import os');
  const refused = await inside(home, ['script', other]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('--force');
  await jsonInside(home, ['script', other, '--force']);
  expect((await inside(home, ['script', '--print'])).stdout).toBe(readFileSync(other, 'utf8'));
});

describe('sweeplab sweep with a program', () => {
  const sweep = (command: readonly string[]) =>
    script(
      'sweep.yaml',
      `method: grid\ncommand: ${JSON.stringify(command)}\nseeds: 2\nmetric: { name: loss }\nparameters: { lr: { values: [0.1, 0.2] } }\n`,
    );

  it('starts nothing that nobody was asked about (would catch a file that starts a program)', async () => {
    const file = sweep([
      NODE,
      script('never.mjs', `import('node:fs').then((fs) => fs.writeFileSync('${join(folder, 'ran')}', ''))`),
    ]);
    const refused = await inside(home, ['sweep', file], { input: 'y\n' });
    expect(refused.code).toBe(2);
    expect(refused.stdout).toContain('never.mjs');
    expect(refused.stderr).toContain('--yes');
    const dry = await jsonInside<{ runs: unknown[] }>(home, ['sweep', file, '--dry-run']);
    expect(dry.runs).toHaveLength(4);
    expect(() => reading((store) => store.listRuns())).toThrow('no run database');
  });

  it('trains each setting with its seeds, and tries those that failed again (would catch a combination left out or run twice)', async () => {
    const path = script(
      'train.mjs',
      `import { existsSync, writeFileSync } from 'node:fs';
       const [lr, seed] = process.argv.slice(2).map((arg) => Number(arg.split('=')[1]));
       const mark = process.env.SWEEPLAB_RUN_DIR + '/tried';
       if (lr === 0.2 && seed === 2 && !existsSync(mark)) { writeFileSync(mark, ''); process.exit(1); }
       console.log(JSON.stringify({ step: 1, loss: lr + seed / 100 }));`,
    );
    const file = sweep([NODE, path, '${args}']);
    const first = await inside(home, ['--json', 'sweep', file, '--yes']);
    expect(first.code).toBe(1);
    const { sweep: made, runs } = JSON.parse(first.stdout) as { sweep: { id: string }; runs: Run[] };
    expect(runs.map(({ settings, state }) => [settings.lr, settings.seed, state])).toEqual([
      [0.1, 1, 'finished'],
      [0.1, 2, 'finished'],
      [0.2, 1, 'finished'],
      [0.2, 2, 'failed'],
    ]);
    const again = await jsonInside<{ sweep: { state: string }; runs: Run[] }>(home, [
      'sweep',
      '--retry-failed',
      made.id,
    ]);
    expect(again.sweep.state).toBe('finished');
    expect(again.runs.map(({ summary }) => summary.loss)).toEqual(
      [0.11, 0.12, 0.21, 0.22].map((x) => expect.closeTo(x)),
    );
    // A program that finished is not started again.
    expect(again.runs.map((run) => (run as unknown as { attempt: number }).attempt)).toEqual([1, 1, 1, 2]);
  });

  it('says what it cannot do', async () => {
    const file = script(
      'bad.yaml',
      'method: random\nprogram: x.py\ncommand: ["${nope}"]\nparameters: { lr: { min: 0, max: 1 } }\n',
    );
    const { code, stderr } = await inside(home, ['sweep', file, '--yes']);
    expect(code).toBe(2);
    expect(stderr).toContain('${nope} is not known');
    expect(stderr).toContain('give run_cap');
  });
});
