/** Every bad input names the setting, the value, what is allowed and the nearest valid choice, and starts nothing. */
import { describe, expect, it } from 'vitest';
import { builtInRegistry, listRecipes, parseConfigFile, resolveConfig } from '../../../main/lab/settings/index.ts';
import { Stream } from '../../../main/engine/random/stream.ts';
import { parseSweep, planSweep, sweepFromFlags } from '../../../main/lab/sweeps/index.ts';
import { expectNamed, type Row } from './named.ts';

const registry = builtInRegistry();
const recipes = await listRecipes();

type Flags = Record<string, string>;

const flagRows: [Flags, Row][] = [
  [
    { 'model.widht': '64' },
    { setting: 'model.widht', value: '64', allowed: 'the name of a setting', nearest: 'model.width' },
  ],
  [
    { learning_rate: '1' },
    { setting: 'learning_rate', value: '1', allowed: 'the name of a setting', nearest: 'optimizer.lr' },
  ],
  [{ width: '1' }, { setting: 'width', value: '1', allowed: 'the name of a setting', nearest: 'model.width' }],
  [{ 'zz.qqqqqqq': '1' }, { setting: 'zz.qqqqqqq', value: '1', allowed: 'the name of a setting' }],
  [
    { optimizer: 'adamw' },
    { setting: 'optimizer', value: 'adamw', allowed: 'a setting of the section optimizer', nearest: 'optimizer.kind' },
  ],
  [{ 'model.depth': 'two' }, { setting: 'model.depth', value: '"two"', allowed: 'an integer from 1 to 1024' }],
  [{ 'model.depth': '0' }, { setting: 'model.depth', value: '0', allowed: 'an integer from 1 to 1024', nearest: 1 }],
  [{ 'model.depth': '2.4' }, { setting: 'model.depth', value: '2.4', allowed: 'an integer', nearest: 2 }],
  [{ 'model.depth': '99999' }, { setting: 'model.depth', value: '99999', allowed: 'from 1 to 1024', nearest: 1024 }],
  [{ seed: '-1' }, { setting: 'seed', value: '-1', allowed: 'an integer at least 0', nearest: 0 }],
  [{ 'optimizer.lr': '0' }, { setting: 'optimizer.lr', value: '0', allowed: 'a number above 0', nearest: 0.001 }],
  [{ 'optimizer.lr': '1e-3x' }, { setting: 'optimizer.lr', value: '"1e-3x"', allowed: 'a number above 0' }],
  [
    { 'optimizer.beta1': '1' },
    { setting: 'optimizer.beta1', value: '1', allowed: 'at least 0 and below 1', nearest: 0.99 },
  ],
  [{ 'model.dropout': '1' }, { setting: 'model.dropout', value: '1', allowed: 'below 1', nearest: 0.99 }],
  [{ 'model.dropout': '-0.1' }, { setting: 'model.dropout', value: '-0.1', allowed: 'at least 0', nearest: 0 }],
  [{ 'data.validation': '0.9' }, { setting: 'data.validation', value: '0.9', allowed: 'from 0 to 0.5', nearest: 0.5 }],
  [{ 'data.corpus': '' }, { setting: 'data.corpus', value: '""', allowed: 'a corpus name, a path' }],
  [
    { 'tokenizer.vocabulary': '256' },
    { setting: 'tokenizer.vocabulary', value: '256', allowed: 'from 257 to 65536', nearest: 257 },
  ],
  [
    { 'tokenizer.kind': 'bytes' },
    { setting: 'tokenizer.kind', value: 'bytes', allowed: 'one of byte, bpe, gpt2', nearest: 'byte' },
  ],
  [
    { 'optimizer.kind': 'Adam' },
    { setting: 'optimizer.kind', value: 'Adam', allowed: 'one of adamw, muon', nearest: 'adam' },
  ],
  [{ 'optimizer.kind': 'lamb' }, { setting: 'optimizer.kind', value: 'lamb', allowed: 'one of adamw, muon, lion' }],
  [{ 'model.tied': 'maybe' }, { setting: 'model.tied', value: 'maybe', allowed: 'true or false' }],
  [
    { device: 'cpu:1' },
    { setting: 'device', value: 'cpu:1', allowed: 'or cuda:0, cuda:1 … for one of several', nearest: 'cpu' },
  ],
  [{ device: 'cuda:01' }, { setting: 'device', value: 'cuda:01', allowed: 'one of auto', nearest: 'cuda' }],
  [{ device: 'gpu' }, { setting: 'device', value: 'gpu', allowed: 'one of auto', nearest: 'cpu' }],
  [
    { 'model.width': '64', 'model.heads': '3' },
    {
      setting: 'model.heads',
      value: '3',
      allowed: '1, 2, 4, 8, 16, 32, 64',
      nearest: 4,
      also: ['64 % 3 = 1', 'model.width 63'],
    },
  ],
  [
    { 'model.width': '100', 'model.heads': '4', 'model.positions': 'rotary' },
    { setting: 'model.heads', value: '4', allowed: 'even', nearest: 5, also: ['100 / 4 = 25'] },
  ],
  [
    { 'model.positions': 'rotary', 'model.head_size': '15' },
    { setting: 'model.head_size', value: '15', allowed: 'even', nearest: 16 },
  ],
  [
    { 'model.positions': 'sinusoidal', 'model.width': '65', 'model.heads': '5' },
    { setting: 'model.width', value: '65', allowed: 'even', nearest: 70 },
  ],
  [
    { 'model.kv_heads': '3' },
    { setting: 'model.kv_heads', value: '3', allowed: '1, 2, 4', nearest: 4, also: ['4 % 3 = 1'] },
  ],
  [
    { 'model.mlp_ratio': '0.001' },
    { setting: 'model.mlp_ratio', value: '0.001', allowed: 'at least', nearest: 1 / 128 },
  ],
  [
    { 'model.window': '129' },
    { setting: 'model.window', value: '129', allowed: 'at most model.context 128', nearest: 128 },
  ],
  [
    { 'batch.micro': '7' },
    {
      setting: 'batch.micro',
      value: '7',
      allowed: 'a divisor of batch.sequences 32',
      nearest: 8,
      also: ['32 % 7 = 4'],
    },
  ],
  [
    { 'batch.micro': '64' },
    { setting: 'batch.micro', value: '64', allowed: 'a divisor of batch.sequences 32', nearest: 32 },
  ],
  [
    { 'schedule.warmup_steps': '9', 'schedule.warmup_tokens': '9' },
    {
      setting: 'schedule.warmup_tokens',
      value: '9',
      allowed: 'one of schedule.warmup_steps, schedule.warmup_tokens and schedule.warmup_fraction, the others 0',
      nearest: 0,
    },
  ],
  [
    { 'schedule.warmup_steps': '501' },
    { setting: 'schedule.warmup_steps', value: '501', allowed: 'at most 500', nearest: 500 },
  ],
  [
    { 'schedule.warmup_tokens': '10k', 'schedule.horizon_steps': '2' },
    { setting: 'schedule.warmup_tokens', value: '10000', allowed: 'at most 8192', nearest: 8192 },
  ],
  [
    { 'schedule.kind': 'step' },
    { setting: 'schedule.step_every_steps', value: '0', allowed: 'at least 1', nearest: 166 },
  ],
  [{ 'stop.steps': '0' }, { setting: 'stop.steps', value: '0', allowed: 'at least one of stop.steps', nearest: 500 }],
  [
    { 'stop.loss': '2', 'stop.steps': '0', 'schedule.kind': 'cosine' },
    {
      setting: 'schedule.kind',
      value: 'cosine',
      allowed: 'constant',
      nearest: 'constant',
      also: ['stop.loss alone'],
    },
  ],
  [
    { 'stop.loss': '2', 'eval.every_steps': '0' },
    { setting: 'eval.every_steps', value: '0', allowed: 'at least 1', nearest: 100 },
  ],
  [{ 'data.validation': '0' }, { setting: 'data.validation', value: '0', allowed: 'above 0', nearest: 0.05 }],
  [
    { 'data.size': '1000', 'data.validation': '0.05' },
    { setting: 'data.size', value: '1000', allowed: 'at least 2580 bytes', nearest: 2580, also: ['50 bytes held out'] },
  ],
  [
    { 'optimizer.kind': 'sgd', 'optimizer.nesterov': 'yes' },
    { setting: 'optimizer.momentum', value: '0', allowed: 'above 0 and below 1', nearest: 0.9 },
  ],
];

describe('flags', () => {
  it('a flag is not told at the line of the file that it replaces (would catch quick.yaml:27 for --stop.steps 0x10)', () => {
    const file = parseConfigFile('stop.steps: 30\n', 'c.yaml');
    const [found] = resolveConfig({ registry, file, overrides: { 'stop.steps': '0x10' } }).problems;
    expect(found).toMatchObject({ setting: 'stop.steps', nearest: 16 });
    expect(found!.where).toBeUndefined();
    expect(found!.message).not.toContain('c.yaml');
  });

  it.each(flagRows)('%o', (overrides, row) => {
    expectNamed(resolveConfig({ registry, overrides }).problems, row);
    // The same through a sweep, where nothing may be planned either.
    const { sweep, problems } = sweepFromFlags(
      Object.fromEntries(Object.entries(overrides).map(([name, value]) => [name, [value]])),
      { registry },
    );
    const found = planSweep({ registry, sweep, recipes });
    expect([...problems, ...found.problems].length).toBeGreaterThan(0);
    expect(problems.length > 0 || found.runs.length === 0).toBe(true);
  });

  it('mends every row by its nearest choice, where it names one (catches advice that does not help)', () => {
    for (const [overrides, row] of flagRows) {
      if (row.nearest === undefined || !registry.has(row.setting)) continue;
      const after = resolveConfig({ registry, overrides: { ...overrides, [row.setting]: row.nearest } });
      expect(after.problems.map(({ message }) => message)).toEqual([]);
    }
  });
});

const fileRows: [string, Row][] = [
  [
    'model:\n  widht: 64\n',
    { setting: 'model.widht', value: '64', allowed: 'the name', nearest: 'model.width', also: ['c.yaml:2:3'] },
  ],
  ['model.width: "64"\n', { setting: 'model.width', value: '"64"', allowed: 'an integer', also: ['c.yaml:1:1'] }],
  ['model.width: [64, 128]\n', { setting: 'model.width', value: '[64,128]', allowed: 'an integer' }],
  ['model.width:\n', { setting: 'model.width', value: 'empty', allowed: 'an integer' }],
  [
    'model.width: 64\nmodel: { width: 32 }\n',
    { setting: 'model.width', value: '32', allowed: 'each setting once', also: ['c.yaml:2:10', 'c.yaml:1:1'] },
  ],
  [
    'model.width: 64\nmodel.width: 32\n',
    { setting: 'c.yaml', value: 'c.yaml:2:1', allowed: 'the same key is given twice' },
  ],
  ['model: {\n', { setting: 'c.yaml', value: 'c.yaml:2:1', allowed: 'Flow map' }],
  ['a: b: c\n', { setting: 'c.yaml', value: 'c.yaml:1:', allowed: 'Nested mappings' }],
  ['- 1\n- 2\n', { setting: 'c.yaml', value: 'c.yaml:1:1', allowed: '`name: value` lines' }],
  ['\tmodel.width: 3\n', { setting: 'c.yaml', value: 'c.yaml:1', allowed: 'Tabs' }],
  ['optimizer.lr: .nan\n', { setting: 'optimizer.lr', value: 'NaN', allowed: 'a number above 0' }],
  ['recipe: [a]\n', { setting: 'c.yaml', value: '["a"]', allowed: 'the name of a recipe' }],
  [
    'model.width: 64\nmodel.heads: 3\n',
    { setting: 'model.heads', value: '3', allowed: 'a divisor', nearest: 4, also: ['c.yaml:2:1'] },
  ],
];

describe('config files', () => {
  it.each(fileRows)('%j', (text, row) => {
    expectNamed(resolveConfig({ registry, file: parseConfigFile(text, 'c.yaml') }).problems, row);
  });
});

const one = (body: string): string => `method: random\nrun_cap: 3\nparameters:\n  ${body}\n`;

const sweepRows: [string, Row][] = [
  ['', { setting: 's.yaml', value: 's.yaml', allowed: 'a sweep with method and parameters' }],
  [
    'method: gird\n',
    { setting: 'method', value: '"gird"', allowed: 'one of grid, random', nearest: 'grid', also: ['s.yaml:1:1'] },
  ],
  ['parameters: { a: { value: 1 } }\n', { setting: 'method', value: 'empty', allowed: 'one of grid', nearest: 'grid' }],
  [
    'method: grid\nparametres: {}\n',
    {
      setting: 'parametres',
      value: 'parametres',
      allowed: 'method, metric, metrics',
      nearest: 'parameters',
      also: ['s.yaml:2:1'],
    },
  ],
  ['method: grid\nrun_cap: 0\n', { setting: 'run_cap', value: '0', allowed: 'an integer at least 1', nearest: 1 }],
  ['method: grid\nseeds: 0\n', { setting: 'seeds', value: '0', allowed: 'an integer at least 1' }],
  ['method: grid\nseeds: [1, 1]\n', { setting: 'seeds', value: '[1,1]', allowed: 'different seeds' }],
  ['method: grid\nparameters: {}\n', { setting: 'parameters', value: '{}', allowed: 'at least one parameter' }],
  [
    one('model.width: [64]'),
    { setting: 'parameters.model.width', value: '[64]', allowed: 'a map', nearest: '{ values: [64] }' },
  ],
  [
    one('model.width: { values: [] }'),
    { setting: 'parameters.model.width.values', value: '[]', allowed: 'at least one value' },
  ],
  [
    one('model.width: { valeus: [1] }'),
    { setting: 'parameters.model.width.valeus', value: 'valeus', allowed: 'one of distribution', nearest: 'values' },
  ],
  [one('model.width: { min: 3 }'), { setting: 'parameters.model.width', value: '{"min":3}', allowed: 'min and max' }],
  [
    one('model.width: { min: 3, max: 1 }'),
    { setting: 'parameters.model.width.min', value: '3', allowed: 'at most max 1', nearest: 1 },
  ],
  [
    one('a.b: { values: [1, 2], probabilities: [1] }'),
    { setting: 'parameters.a.b.probabilities', value: '[1]', allowed: 'as many as values' },
  ],
  [
    one('a.b: { values: [1], mu: 3 }'),
    { setting: 'parameters.a.b.mu', value: '3', allowed: 'values for the distribution categorical' },
  ],
  [
    one('a.b: { distribution: log_unifrom, min: 1, max: 2 }'),
    {
      setting: 'parameters.a.b.distribution',
      value: 'log_unifrom',
      allowed: 'one of constant',
      nearest: 'log_uniform',
    },
  ],
  [
    one('a.b: { distribution: log_uniform_values, min: 0, max: 2 }'),
    { setting: 'parameters.a.b.min', value: '0', allowed: 'above 0' },
  ],
  [
    one('optimizer.lr: { distribution: log_uniform, min: 0.0001, max: 0.1 }'),
    {
      setting: 'parameters.optimizer.lr.min',
      value: '0.0001',
      allowed: 'natural logarithms',
      nearest: 'log_uniform_values',
      also: ['1 to 1.105', 's.yaml:4:46'],
    },
  ],
  [one('a.b: { distribution: q_normal, q: 0 }'), { setting: 'parameters.a.b.q', value: '0', allowed: 'above 0' }],
  [
    one('a.b: { distribution: normal, sigma: -1 }'),
    { setting: 'parameters.a.b.sigma', value: '-1', allowed: 'at least 0', nearest: 0 },
  ],
  [
    one('a.b: { distribution: int_uniform, min: 1.5, max: 3 }'),
    { setting: 'parameters.a.b.min', value: '1.5', allowed: 'an integer', nearest: 2 },
  ],
  [one('"a b": { value: 1 }'), { setting: 'parameters.a b', value: '"a b"', allowed: 'letters, digits' }],
  [
    'method: grid\nmetric: { goal: minimise }\n',
    { setting: 'metric.goal', value: 'minimise', allowed: 'one of minimize', nearest: 'minimize' },
  ],
  ['method: bayes\n', { setting: 'metric', value: 'empty', allowed: 'a metric to optimise' }],
  [
    'method: grid\nearly_terminate: { type: hyperband }\n',
    { setting: 'early_terminate', value: 'hyperband', allowed: 'min_iter, or max_iter with s' },
  ],
  ['method: grid\nmethod: random\n', { setting: 's.yaml', value: 's.yaml:2:1', allowed: 'given twice' }],
  ['method: [grid]\n', { setting: 'method', value: '["grid"]', allowed: 'one of grid', nearest: 'grid' }],
  [
    one('model: { parameters: { width: { value: 1 } }, value: 3 }'),
    { setting: 'parameters.model.parameters', value: '"width"', allowed: 'parameters alone' },
  ],
  [one('a.b: { values: [*none] }'), { setting: 's.yaml', value: 's.yaml:4:19', allowed: '*none stands for nothing' }],
  [one('? [a, b]\n  : { value: 1 }'), { setting: 's.yaml', value: 's.yaml:4:5', allowed: 'a name must be plain text' }],
  [
    'a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b]\nd: &d [*c, *c, *c]\ne: &e [*d, *d, *d]\nf: [*e, *e, *e]\n',
    { setting: 's.yaml', value: 's.yaml:1:1', allowed: 'alias' },
  ],
  // From here on the file is well formed, and the settings say no.
  [
    'method: bayes\nmetric: { name: val/loss }\nparameters: { seed: { value: 1 } }\n',
    {
      setting: 'method',
      value: 'bayes',
      allowed: 'grid or random',
      nearest: 'random',
      also: ['not available yet: grid and random run now'],
    },
  ],
  [
    'method: grid\nearly_terminate: { type: hyperband, min_iter: 3 }\n',
    { setting: 'early_terminate', value: 'hyperband', allowed: 'no early_terminate', also: ['not available yet'] },
  ],
  [
    'method: random\nparameters: { model.depth: { min: 1, max: 2 } }\n',
    { setting: 'run_cap', value: 'empty', allowed: 'an integer at least 1', nearest: 20 },
  ],
  ['method: grid\nrecipe: quik\n', { setting: 'recipe', value: 'quik', allowed: 'one of', nearest: 'quick' }],
  [
    'method: grid\nsettings: { model: { widht: 3 } }\n',
    { setting: 'model.widht', value: '3', allowed: 'the name', nearest: 'model.width' },
  ],
  [
    'method: grid\nsettings: { __proto__: 3 }\n',
    { setting: '__proto__', value: '3', allowed: 'the name of a setting' },
  ],
  [
    one('model.widht: { values: [7] }'),
    { setting: 'model.widht', value: '7', allowed: 'the name', nearest: 'model.width', also: ['s.yaml:4:3'] },
  ],
  [
    one('model.width: { values: [64, 0] }'),
    { setting: 'model.width', value: '0', allowed: 'from 1 to 65536', nearest: 1, also: ['s.yaml:4:3'] },
  ],
  [
    one('model.width: { min: 64.0, max: 100.5 }'),
    { setting: 'model.width', value: 'uniform', allowed: 'int_uniform', nearest: 'int_uniform' },
  ],
  [one('model.width: { min: 0, max: 99 }'), { setting: 'model.width', value: '0', allowed: 'from 1', nearest: 1 }],
  [
    one('model.width: { distribution: q_log_uniform, min: 64, max: 512 }'),
    {
      setting: 'parameters.model.width.min',
      value: '64',
      allowed: 'natural logarithms',
      nearest: 'q_log_uniform_values',
    },
  ],
  [
    one('model.width: { distribution: q_uniform, min: 0, max: 256, q: 64 }'),
    { setting: 'model.width', value: '0', allowed: 'from 1', nearest: 64, also: ['the lower end of q_uniform'] },
  ],
  [
    'method: grid\nparameters: { seed: { value: 1 }, data.size: { min: 1, max: 9999999 } }\n',
    { setting: 'data.size', value: 'int_uniform', allowed: 'method: random', also: ['too many values'] },
  ],
  [one('model.mlp: { min: 0, max: 9 }'), { setting: 'model.mlp', value: 'int_uniform', allowed: 'one of gelu' }],
  [
    'method: grid\nparameters: { optimizer.lr: { min: 0.1, max: 0.2 } }\n',
    { setting: 'optimizer.lr', value: 'uniform', allowed: 'method: random' },
  ],
  [
    'method: grid\nconstraints: ["model.width % model.headz == 0"]\n',
    {
      setting: 'constraints.0',
      value: 'model.headz',
      allowed: 'an expression',
      also: ['column 15', 'did you mean model.heads?'],
    },
  ],
  [
    'method: grid\nconstraints: ["model.width %"]\n',
    { setting: 'constraints.0', value: 'model.width %', allowed: 'an expression', also: ['column 14'] },
  ],
  [
    'method: grid\nparameters: { model.depth: { values: [1], when: "model.mlp == \'gleu\'" } }\n',
    { setting: 'parameters.model.depth.when', value: 'gleu', allowed: 'an expression', also: ['gelu'] },
  ],
  [
    'method: grid\nconstraints: ["model.depth > 9"]\nparameters: { model.depth: { values: [1, 2] } }\n',
    {
      setting: 'parameters',
      value: '2',
      allowed: 'at least one combination',
      also: ['all 2 combinations were dropped', 'model.depth = 1'],
    },
  ],
];

describe('sweep files', () => {
  it.each(sweepRows)('%j', (text, row) => {
    const { sweep, problems, places } = parseSweep(text, 's.yaml');
    const found = sweep ? planSweep({ registry, sweep, places, recipes }) : undefined;
    expect(found?.runs ?? []).toEqual([]);
    expectNamed(found?.problems ?? problems, row);
  });
});

describe('damaged files', () => {
  it('never throw, and plan nothing while there is a problem (property; catches a crash instead of a message)', () => {
    const whole = `method: grid
seeds: [1, 2]
metric: { name: val/loss, goal: minimize }
constraints: ["model.width % model.heads == 0 and model.depth in [1, 2]"]
parameters:
  model.width: { values: [64, 128], when: 'model.depth > 1' }
  optimizer: { parameters: { lr: { values: [1e-4, 1e-2] } } }
settings: { model.depth: 2 }
`;
    const bits = [
      '{',
      '}',
      '[',
      ':',
      ',',
      '"',
      "'",
      '\n',
      '  ',
      '*a',
      '&a',
      '!!x',
      '.nan',
      'null',
      '%',
      '?',
      '__proto__',
      '\t',
      '-1',
      '(',
    ];
    const random = new Stream(5, 'test');
    let damaged = 0;
    for (let i = 0; i < 500; i++) {
      const at = random.int(whole.length);
      const text = whole.slice(0, at) + bits[random.int(bits.length)] + whole.slice(at + random.int(5));
      const { sweep, problems } = parseSweep(text);
      const found = sweep ? planSweep({ registry, sweep }) : undefined;
      expect(sweep === undefined).toBe(problems.length > 0);
      if (found && found.problems.length > 0) expect(found.runs).toEqual([]);
      if (problems.length > 0 || (found?.problems.length ?? 0) > 0) damaged++;
      for (const { message } of resolveConfig({ registry, file: parseConfigFile(text, 'c') }).problems)
        expect(message.length).toBeGreaterThan(10);
    }
    expect(damaged).toBeGreaterThan(200);
  });
});
