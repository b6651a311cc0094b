import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Stream } from '../../../main/engine/random/stream.ts';
import { EMPTY_SWEEP, parseSweep, type SweepSpec, sweepToYaml } from '../../../main/lab/sweeps/index.ts';
import { FIELDS, type Distribution } from '../../../preload/shared/sweeps/distributions.ts';
import type { Parameter } from '../../../main/lab/sweeps/spec.ts';

/** The specification without places in the file. */
function plain(sweep: SweepSpec | undefined): unknown {
  if (!sweep) return undefined;
  return { ...sweep, parameters: sweep.parameters.map((parameter) => ({ ...parameter, where: undefined })) };
}

const parameter = (text: string): Distribution | undefined =>
  parseSweep(`method: random\nrun_cap: 1\nparameters:\n  a.b: ${text}\n`).sweep?.parameters[0].distribution;

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
    const { sweep, problems, extensions } = parseSweep(text);
    expect(problems).toEqual([]);
    expect(extensions).toEqual([]);
    expect(sweep).toMatchObject({
      method: 'bayes',
      runCap: 5,
      metric: { name: 'val/loss', goal: 'minimize', target: 1.5, impute: 'best', impute_while_running: 'false' },
      earlyTerminate: { type: 'hyperband', max_iter: 27, s: 2, eta: 3, strict: true },
      wandb: { program: 'train.py', command: ['python', 'train.py'], controller: { type: 'local' }, kind: 'sweep' },
    });
    expect(sweep?.parameters[0]).toMatchObject({ name: 'optimizer.lr', where: 'sweep.yaml:18:30' });
    expect(plain(parseSweep(sweepToYaml(sweep!)).sweep)).toEqual(plain(sweep));
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

  function specification(): SweepSpec {
    const maybe = <T>(make: () => T): T | undefined => (random.int(2) ? make() : undefined);
    const parameters = ['a', 'b.c', 'd-e.f_g', 'h']
      .filter(() => random.int(2))
      .map((name): Parameter => {
        const when = maybe(() => 'x.y == "z" and 1 < 2');
        return { name, distribution: distribution(), ...(when === undefined ? {} : { when }) };
      });
    const found: Record<string, unknown> = {
      ...EMPTY_SWEEP,
      method: ['grid', 'random'][random.int(2)],
      name: maybe(() => 'n: #1'),
      description: maybe(() => 'two\nlines'),
      metric: maybe(() => ({ name: 'val/loss', goal: 'maximize', target: real() })),
      runCap: maybe(() => 1 + random.int(99)),
      seeds: maybe(() => (random.int(2) ? 1 + random.int(9) : [3, 1, 2])),
      recipe: maybe(() => 'quick'),
      sweepSeed: random.int(3),
      parameters,
      settings: Object.fromEntries(['s.t', 'u'].filter(() => random.int(2)).map((name) => [name, value()])),
      constraints: maybe(() => ['a.b % 2 == 0', 'c in ["x", "y"]']) ?? [],
      wandb: maybe(() => ({ program: 'x.py', command: ['a', 1] })) ?? {},
    };
    return Object.fromEntries(Object.entries(found).filter(([, v]) => v !== undefined)) as unknown as SweepSpec;
  }

  it('writes what it reads back equal, for 500 random sweeps (property; catches a key or a quote lost)', () => {
    for (let i = 0; i < 500; i++) {
      const sweep = specification();
      const text = sweepToYaml(sweep);
      const back = parseSweep(text);
      expect(back.problems, text).toEqual([]);
      expect(plain(back.sweep)).toEqual(plain(sweep));
    }
  });

  it('writes only keys that W&B knows when no extension is used (catches our defaults leaking into the file)', () => {
    const sweep = parseSweep('method: grid\nname: n\nparameters: { a: { values: [1, 2] } }').sweep!;
    expect(parse(sweepToYaml(sweep))).toEqual({ method: 'grid', name: 'n', parameters: { a: { values: [1, 2] } } });
  });
});
