import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { removeHome, temporaryHome } from './cli.ts';
import { inside, jsonInside } from './inside.ts';

const home = temporaryHome();
const texts = temporaryHome();
writeFileSync(join(texts, 'broken.yaml'), 'model:\n  depth: [1,\n');
writeFileSync(join(texts, 'unknown.yaml'), 'model:\n  dept: 3\n');
writeFileSync(
  join(texts, 'bayes.yaml'),
  'method: bayes\nmetric: { name: val/loss }\nparameters:\n  model.depth: { values: [1, 2] }\n',
);
writeFileSync(join(texts, 'nomethod.yaml'), 'parameters:\n  model.depth: { values: [1, 2] }\n');
writeFileSync(join(texts, 'plugin.ts'), 'export default () => ({ name: "x", settings: [{ name: "bad name" }] });\n');
afterAll(() => [home, texts].forEach(removeHome));
const file = (name: string): string => join(texts, name);

/** Each: arguments, and what the message must name: the setting or flag, the value, what is allowed or nearest. */
const CASES: readonly (readonly [readonly string[], readonly (string | RegExp)[]])[] = [
  [['trian'], ['trian', 'train']],
  [
    ['train', '--model.dept', '3'],
    ['--model.dept', '--model.depth'],
  ],
  // The value of an option before the command is not the command.
  [
    ['--data-dir', home, 'train', '--model.dept', '3'],
    ['--model.dept', 'did you mean --model.depth?'],
  ],
  [['train', '--learning_rate', '1e-3'], ['--optimizer.lr']],
  [
    ['train', '--model', '3'],
    ['section', '--model.depth'],
  ],
  [
    ['train', '--model.depth', 'three'],
    ['model.depth', '"three"', 'an integer'],
  ],
  [
    ['train', '--model.depth', '0'],
    ['model.depth is 0', 'nearest: 1'],
  ],
  [
    ['train', '--optimizer.lr', '-1'],
    ['optimizer.lr', '-1'],
  ],
  [
    ['train', '--model.norm', 'layrnorm'],
    ['model.norm', 'layrnorm', 'nearest: layernorm'],
  ],
  [
    ['train', '--model.width', '100', '--model.heads', '3'],
    ['100', '3', 'nearest'],
  ],
  [
    ['train', '--model.experts', '4', '--model.experts_active', '8'],
    ['model.experts_active is 8', 'at most model.experts 4', 'nearest: 4'],
  ],
  [
    ['sweep', '--attention.kind', 'window_pattern', '--attention.pattern', 'SXL', '--model.depth', '1', '2'],
    ['attention.pattern is "SXL"', 'letters S and L', 'nearest: SSL'],
  ],
  [
    ['train', '--model.depth', '2', '4'],
    ['model.depth has 2 values', 'sweeplab sweep --model.depth 2 4'],
  ],
  [
    ['train', '--recipe', 'quik'],
    ['quik', 'nearest: quick'],
  ],
  [
    ['train', 'nothere.yaml'],
    ['nothere.yaml', 'no such file'],
  ],
  [['train', file('broken.yaml')], ['broken.yaml']],
  [
    ['train', file('unknown.yaml')],
    ['unknown.yaml:2', 'model.dept', 'model.depth'],
  ],
  [
    ['train', '--data.corpus', 'storys'],
    ['data.corpus', 'storys', 'stories'],
  ],
  [
    ['train', '--data.corpus', '/nowhere/text.txt'],
    ['data.corpus', '/nowhere/text.txt'],
  ],
  [['train', '--stop.steps', '0'], [/stop\.steps/u]],
  [
    ['train', '--device', 'tpu'],
    ['device', 'tpu'],
  ],
  [['train', '--device', 'cuda', '--recipe', 'quick'], ['device is cuda']],
  [['train', '--resume', 'nothing'], ['no runs yet']],
  [
    ['train', '--plugin', '/nowhere.ts'],
    ['/nowhere.ts', 'no such file'],
  ],
  [
    ['train', '--plugin', file('plugin.ts')],
    ['plugin.ts', 'settings'],
  ],
  [
    ['sweep', '--model.depth', '1', 'x'],
    ['model.depth', '"x"'],
  ],
  [
    ['sweep', '--seeds', '0', '--model.depth', '1', '2'],
    ['--seeds', '"0"', 'nearest: 1'],
  ],
  [
    ['sweep', '--method', 'best'],
    ['best', 'grid'],
  ],
  [['sweep', '--method', 'random', '--model.depth', '1', '2'], ['run_cap']],
  [['sweep', '--model.depth', '1', '2', '--constraint', 'model.dept > 1'], ['model.dept']],
  [['sweep', '--model.width', '100', '101', '--model.heads', '7', '9'], ['all 4 combinations were dropped']],
  [
    ['sweep', file('bayes.yaml')],
    ['bayes', 'grid'],
  ],
  [['sweep', file('nomethod.yaml')], ['method']],
  [['sweep', '--resume', 'nothing'], ['no runs yet']],
  [
    ['sweep', '--concurrency', 'many', '--model.depth', '1', '2'],
    ['--concurrency', '"many"'],
  ],
  [['runs', 'show', 'nothing'], ['no runs yet']],
  [
    ['runs', 'list'],
    ['list', 'ls'],
  ],
  [['runs', 'tag', 'x'], ['--add']],
  [
    ['export', '--format', 'tall'],
    ['tall', 'csv-long', 'csv-wide'],
  ],
  [
    ['export', '--format', 'csv-wide', '--metric', 'val/loss'],
    ['--metric', 'no effect', '--format csv-long'],
  ],
  [
    ['export', '--append'],
    ['--append', '--out'],
  ],
  [
    ['sample', '--temperature', 'hot'],
    ['--temperature', '"hot"'],
  ],
  [
    ['sample', '--top-p', '2'],
    ['--top-p', 'nearest: 1'],
  ],
  [['data', 'prepare', 'nowhere/*.txt'], ['nowhere/*.txt']],
];

describe('bad input', () => {
  // Catches: input that is accepted, explained without what to do, answered with a stack trace, or that leaves something behind.
  it.each(CASES)(
    '%j is named and nothing is started',
    async (args, expected) => {
      const { code, stdout, stderr } = await inside(home, args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      for (const text of expected)
        expect(stderr).toMatch(text instanceof RegExp ? text : new RegExp(escape(text), 'u'));
      expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/mu);
    },
    60_000,
  );

  it('has left nothing in the data folder', () => {
    // Preparing data for a run that is refused later may fill the cache; a database or a run must not exist.
    expect(readdirSync(home).filter((name) => name !== 'cache')).toEqual([]);
  });

  it('is one JSON document with --json (would catch a machine that must read prose)', async () => {
    const answer = await jsonInside<{
      error: { exitCode: number; message: string; problems: { setting: string; nearest: number }[] };
    }>(home, ['train', '--model.depth', '0', '--model.norm', 'x']);
    expect(answer.error.exitCode).toBe(2);
    expect(answer.error.problems.map(({ setting }) => setting)).toEqual(['model.depth', 'model.norm']);
    expect(answer.error.problems[0].nearest).toBe(1);
  });

  it('shows a stack trace only when asked to', async () => {
    const { code, stderr } = await inside(home, ['train', '--recipe', 'quik'], { env: { SWEEPLAB_DEBUG: '1' } });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^\s+at /mu);
  });

  it('says that a folder is no data folder (would catch an unreadable error of the system)', async () => {
    const blocked = join(texts, 'file');
    writeFileSync(blocked, '');
    mkdirSync(join(texts, 'x'), { recursive: true });
    const { code, stderr } = await inside(blocked, [
      'train',
      '--recipe',
      'quick',
      '--stop.steps',
      '20',
      '--data.size',
      '20000',
    ]);
    expect(code).not.toBe(0);
    expect(stderr).toContain(blocked);
    expect(stderr).not.toMatch(/^\s+at /mu);
  });
});

const escape = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/gu, String.raw`\$&`);
