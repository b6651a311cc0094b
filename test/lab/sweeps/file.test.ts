import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Stream } from '../../../main/engine/random/stream.ts';
import { parseSweep, storedSweep, sweepToYaml } from '../../../main/lab/sweeps/index.ts';
import { draft, type Draft, type DraftParameter, EMPTY_DRAFT } from '../../../preload/contract/draft.ts';
import { FIELDS, type Distribution } from '../../../preload/shared/sweeps/distributions.ts';
import { distributionOf, parameterOf } from '../../../preload/shared/sweeps/parameters.ts';

function parameter(text: string): Distribution | undefined {
  const { sweep } = parseSweep(`method: random\nrun_cap: 1\nparameters:\n  a.b: ${text}\n`);
  return sweep === undefined ? undefined : distributionOf('a.b', sweep.parameters['a.b']).distribution;
}

describe('inference', () => {
  it.each([
    ['{ value: 3 }', { kind: 'constant', value: 3 }],
    ['{ values: [1, x] }', { kind: 'categorical', values: [1, 'x'] }],
    [
      '{ values: [1, 2], probabilities: [1, 3] }',
      { kind: 'categorical_w_probabilities', values: [1, 2], probabilities: [1, 3] },
    ],
    ['{ min: 1, max: 3 }', { kind: 'int_uniform', min: 1, max: 3 }],
    ['{ min: 1.0, max: 3 }', { kind: 'uniform', min: 1, max: 3 }],
    ['{ min: 1, max: 3.5 }', { kind: 'uniform', min: 1, max: 3.5 }],
    ['{ min: 1, max: 3, distribution: uniform }', { kind: 'uniform', min: 1, max: 3 }],
    ['{ min: 1, max: 9, distribution: q_uniform }', { kind: 'q_uniform', min: 1, max: 9, q: 1 }],
    ['{ distribution: normal }', { kind: 'normal', mu: 0, sigma: 1 }],
    ['{ distribution: q_log_normal, q: 2 }', { kind: 'q_log_normal', mu: 0, sigma: 1, q: 2 }],
    ['{ distribution: beta }', { kind: 'beta', a: 1, b: 1 }],
    ['{ distribution: log_uniform, min: -9, max: -2 }', { kind: 'log_uniform', min: -9, max: -2 }],
    ['{ distribution: log_uniform, min: 2, max: 7 }', { kind: 'log_uniform', min: 2, max: 7 }],
  ])('%s (catches a distribution inferred unlike W&B)', (text, expected) => {
    expect(parameter(text)).toEqual(expected);
  });
});

describe('schema', () => {
  it('reads every key of W&B, and keeps those that only W&B acts on (catches a valid file refused)', () => {
    const text = `
apiVersion: v1
kind: sweep
program: train.py
command: [python, train.py]
name: n
description: d
project: p
entity: e
job: j
image_uri: i
controller: { type: local }
method: bayes
run_cap: 5
metric: { name: val/loss, goal: minimize, target: 1.5, impute: best, impute_while_running: false }
early_terminate: { type: hyperband, max_iter: 27, s: 2 }
parameters:
  optimizer: { parameters: { lr: { distribution: log_uniform_values, min: 1e-4, max: 1e-2 } } }
`;
    const { sweep, problems, extensions, places } = parseSweep(text);
    expect(problems).toEqual([]);
    expect(extensions).toEqual([]);
    expect(sweep).toMatchObject({
      program: 'train.py',
      command: ['python', 'train.py'],
      controller: { type: 'local' },
      kind: 'sweep',
      imageUri: 'i',
      notes: 'd',
      method: 'bayes',
      runCap: 5,
      metric: { name: 'val/loss', goal: 'minimize', target: 1.5, impute: 'best', impute_while_running: 'false' },
      earlyTerminate: { type: 'hyperband', max_iter: 27, s: 2, eta: 3, strict: true },
    });
    expect(Object.keys(sweep!.parameters)).toEqual(['optimizer.lr']);
    expect(places.of('parameters.optimizer.lr')).toBe('sweep.yaml:18:30');
    expect(places.of('optimizer.lr')).toBe('sweep.yaml:18:30');
    expect(places.of('parameters.optimizer.lr.max')).toBe('sweep.yaml:18:81');
    expect(places.of('metric.impute')).toBe('sweep.yaml:15:56');
    expect(parseSweep(sweepToYaml(sweep!)).sweep).toEqual(sweep);
  });

  it('names the extensions that W&B would refuse (catches a file sent to W&B unwarned)', () => {
    const text = 'method: grid\nseeds: 3\nconstraints: [a == 1]\nparameters: { a: { values: [1], when: b == 2 } }\n';
    expect(parseSweep(text).extensions).toEqual(['seeds', 'constraints', 'when']);
  });

  it('metrics with method custom (catches the multi-objective form refused)', () => {
    const text = 'method: custom\nmetrics: [{ name: a }, { name: b, goal: maximize }]\nscheduler: { engine: optuna }\n';
    expect(parseSweep(text).sweep?.metrics).toEqual([
      { name: 'a', goal: 'minimize' },
      { name: 'b', goal: 'maximize' },
    ]);
  });
});

describe('round trip', () => {
  const random = new Stream(11, 'test');
  const real = (): number => Number(((random.uniform() - 0.3) * 10 ** (random.int(9) - 4)).toPrecision(6));
  const value = (): string | number | boolean =>
    [random.int(1000), real(), 'plain', '10k', 'true', 'no', '1e-3', 'a: b # c', '', ' x\n', true, false][
      random.int(12)
    ];
  const listOf = <T>(make: () => T): T[] => Array.from({ length: 1 + random.int(4) }, make);

  function distribution(): Distribution {
    const kinds = Object.keys(FIELDS) as Distribution['kind'][];
    const kind = kinds[random.int(kinds.length)];
    const logarithms = ['log_uniform', 'q_log_uniform', 'inv_log_uniform'].includes(kind);
    const positive = logarithms ? 2 + random.uniform() * 5 : Math.abs(real()) + 2;
    const values = listOf(value);
    const all: Record<string, unknown> = {
      value: value(),
      values,
      probabilities: values.map(() => random.uniform() + 0.01),
      min: kind === 'int_uniform' ? 2 : positive,
      max: kind === 'int_uniform' ? 2 + random.int(50) : positive + random.int(9),
      q: Math.abs(real()) + 0.001,
      mu: real(),
      sigma: Math.abs(real()),
      a: Math.abs(real()) + 0.1,
      b: Math.abs(real()) + 0.1,
    };
    return { kind, ...Object.fromEntries(FIELDS[kind].map((key) => [key, all[key]])) } as unknown as Distribution;
  }

  function specification(): Draft {
    const maybe = <T>(make: () => T): T | undefined => (random.int(2) ? make() : undefined);
    const parameters = ['a', 'b.c', 'd-e.f_g', 'h']
      .filter(() => random.int(2))
      .map((name): [string, DraftParameter] => {
        const when = maybe(() => 'x.y == "z" and 1 < 2');
        return [name, { ...parameterOf(distribution()), ...(when === undefined ? {} : { when }) }];
      });
    return draft.parse({
      method: ['grid', 'random'][random.int(2)],
      name: maybe(() => 'n: #1'),
      notes: maybe(() => 'two\nlines'),
      metric: maybe(() => ({ name: 'val/loss', goal: 'maximize', target: real() })),
      runCap: maybe(() => 1 + random.int(99)),
      seeds: maybe(() => (random.int(2) ? 1 + random.int(9) : [3, 1, 2])),
      recipe: maybe(() => 'quick'),
      sweepSeed: random.int(3),
      parameters: Object.fromEntries(parameters),
      settings: Object.fromEntries(['s.t', 'u'].filter(() => random.int(2)).map((name) => [name, value()])),
      constraints: maybe(() => ['a.b % 2 == 0', 'c in ["x", "y"]']),
      earlyTerminate: maybe(() => ({ type: 'hyperband', min_iter: 3 })),
      program: maybe(() => 'x.py'),
      command: maybe(() => ['a', 1]),
      imageUri: maybe(() => 'i'),
    });
  }

  it('writes what it reads back equal, for 500 random sweeps (property; catches a key or a quote lost)', () => {
    for (let i = 0; i < 500; i++) {
      const sweep = specification();
      const text = sweepToYaml(sweep);
      const back = parseSweep(text);
      expect(back.problems, text).toEqual([]);
      expect(back.sweep).toEqual(sweep);
      // The database keeps it as JSON.
      expect(storedSweep(JSON.parse(JSON.stringify(sweep)))).toEqual(sweep);
    }
  });

  it('writes only keys that W&B knows when no extension is used (catches our defaults leaking into the file)', () => {
    const sweep = parseSweep('method: grid\nname: n\nparameters: { a: { values: [1, 2] } }').sweep!;
    expect(parse(sweepToYaml(sweep))).toEqual({ method: 'grid', name: 'n', parameters: { a: { values: [1, 2] } } });
  });
});

describe('places', () => {
  it('stands beside every kind of problem (catches a message that leaves the line to be searched for)', () => {
    const text = `method: grid
settings:
  model: { width: [64] }
constraints:
  - "ok == 1"
  - 3
seeds: [1, x]
metric: { name: val/loss, goal: minimise }
early_terminate: { type: hyperband, min_iter: 0 }
nonsense: 1
parameters:
  a: { values: 3 }
  b: { min: 1, max: 2, distributoin: uniform }
  c: 4
`;
    const found = parseSweep(text, 's.yaml').problems.map(({ setting, where }) => [setting, where]);
    expect(Object.fromEntries(found)).toEqual({
      'settings.model.width': 's.yaml:3:12',
      constraints: 's.yaml:4:1',
      seeds: 's.yaml:7:1',
      'metric.goal': 's.yaml:8:27',
      'early_terminate.min_iter': 's.yaml:9:37',
      nonsense: 's.yaml:10:1',
      'parameters.a.values': 's.yaml:12:8',
      'parameters.b.distributoin': 's.yaml:13:24',
      'parameters.c': 's.yaml:14:3',
    });
  });

  it('survives anchors that hold themselves (catches an endless walk)', () => {
    for (const text of ['settings: &a\n  x: *a\n', 'parameters: &a\n  parameters: *a\n', 'constraints: &a [*a]\n'])
      expect(parseSweep(`method: grid\n${text}`).problems.length, text).toBeGreaterThan(0);
  });
});

describe('sweeps of older databases', () => {
  /** As the version before this one stored it. */
  const older = {
    method: 'random',
    name: 'n',
    description: 'what for',
    metric: { name: 'val/loss', goal: 'minimize' },
    runCap: 7,
    parameters: [
      { name: 'model.depth', distribution: { kind: 'categorical', values: [2, 4] }, where: 'sweep.yaml:3:5' },
      { name: 'optimizer.lr', distribution: { kind: 'log_uniform_values', min: 1e-4, max: 1e-2 }, when: 'seed > 0' },
    ],
    wandb: { program: 'train.py', image_uri: 'i' },
    constraints: ['seed > 0'],
    recipe: 'quick',
    settings: { 'stop.steps': 10 },
    sweepSeed: 3,
  };

  it('are read as the drafts that they are (catches a sweep that can no longer be opened)', () => {
    expect(storedSweep(older)).toEqual({
      ...EMPTY_DRAFT,
      method: 'random',
      name: 'n',
      notes: 'what for',
      metric: { name: 'val/loss', goal: 'minimize' },
      runCap: 7,
      parameters: {
        'model.depth': { values: [2, 4] },
        'optimizer.lr': { distribution: 'log_uniform_values', min: 1e-4, max: 1e-2, when: 'seed > 0' },
      },
      program: 'train.py',
      imageUri: 'i',
      constraints: ['seed > 0'],
      recipe: 'quick',
      settings: { 'stop.steps': 10 },
      sweepSeed: 3,
    });
  });

  it.each([[null], [3], [{}.toString], [{ method: 3 }], [{ ...older, parameters: [null] }], [{ ...older, x: 1 }]])(
    'are null where they cannot be read: %j',
    (stored) => expect(storedSweep(stored)).toBeNull(),
  );
});
