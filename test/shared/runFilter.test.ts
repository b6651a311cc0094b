/** The search language: what its words mean, and that lists in memory and the database give the same answer. */
import { describe, expect, it } from 'vitest';
import { metricCatalog } from '../../main/engine/train/measures/index.ts';
import { builtInRegistry } from '../../main/lab/settings/index.ts';
import type { NewRun, RunComparison, RunFilter, RunRecord } from '../../preload/contract/runs.ts';
import { COMPARISONS } from '../../preload/contract/runs.ts';
import {
  hasTerm,
  matchesRun,
  metricNames,
  namesOf,
  parseCondition,
  parseSearch,
  resolveField,
  RUN_COLUMNS,
  termOf,
  toggleTerm,
  valueKindOf,
} from '../../preload/shared/runFilter.ts';
import type { FilterNames } from '../../preload/shared/runFilter.ts';
import { newRun, newStore, randomNumbers } from '../store/support.ts';

const registry = builtInRegistry();
const names: FilterNames = {
  settings: new Map(registry.specs.map((spec) => [spec.name, valueKindOf(spec)])),
  metrics: metricNames(metricCatalog()),
};
const field = (name: string): string => {
  const found = resolveField(name, names);
  return 'problem' in found ? found.problem : found.field;
};
const searched = (text: string, among: FilterNames = names) => {
  const { where = [], words = [], problems } = parseSearch(text, among);
  return {
    where: where.map(({ field: of, op, value }) => `${of} ${op} ${JSON.stringify(value)}`),
    words,
    problems: problems.map(({ message }) => message),
  };
};

describe('names', () => {
  it('mean what a person means (would catch lr as the last decayed value, and loss as the rule to stop at one)', () => {
    expect(
      ['lr', 'loss', 'bpb', 'depth', 'accuracy', 'tokens', 'steps', 'seed', 'seconds', 'norm', 'flops', 'corpus'].map(
        field,
      ),
    ).toEqual([
      'config.optimizer.lr',
      'summary.val/loss',
      'summary.val/bpb',
      'config.model.depth',
      'summary.val/accuracy',
      'tokens',
      'steps',
      'seed',
      'summary.seconds',
      'config.model.norm',
      'summary.flops',
      'config.data.corpus',
    ]);
    expect(['stop.loss', 'val/loss', 'train/loss', 'summary.lr', 'eval/f1'].map(field)).toEqual([
      'config.stop.loss',
      'summary.val/loss',
      'summary.train/loss',
      'summary.lr',
      'summary.eval/f1',
    ]);
  });
  it('are also the titles of tables', () => {
    expect(['created', 'time', 'tags', 'reason', 'state', 'parameters'].map(field)).toEqual([
      'createdAt',
      'time',
      'tags',
      'endReason',
      'state',
      'parameters',
    ]);
  });
  it('that mean nothing or several things are told, with the nearest', () => {
    expect(field('kind')).toMatch(/^kind can be .*optimizer\.kind/u);
    expect(field('model.dept')).toBe('model.dept is no column, setting or metric; nearest: model.depth');
    expect(field('constructor')).toMatch(/^constructor is no column/u);
  });
});

describe('a search', () => {
  it('is words and conditions', () => {
    expect(searched('warm lr<=1e-3 state:fail "long run" tag="my tag" bpb<2.5 tokens>10k tied=on')).toEqual({
      where: [
        'config.optimizer.lr <= 0.001',
        'state : "fail"',
        'tags = "my tag"',
        'summary.val/bpb < 2.5',
        'tokens > 10000',
        'config.model.tied = true',
      ],
      words: ['warm', 'long run'],
      problems: [],
    });
    expect(searched('depth = 4  seed:2')).toMatchObject({ where: ['config.model.depth = 4', 'seed = 2'] });
    expect(searched('created>2026-03-01').where).toEqual([`createdAt > ${new Date(2026, 2, 1).getTime()}`]);
    expect(searched('separator="\\n"').where).toEqual(['config.data.separator = "\\n"']);
  });
  it('tells what it cannot read and goes on with the rest', () => {
    expect(searched('lr= warm')).toMatchObject({
      words: [],
      problems: [expect.stringContaining('"warm" is no number')],
    });
    expect(searched('warm lr=')).toEqual({ where: [], words: ['warm'], problems: ['lr=: a value is missing'] });
    expect(searched('depht=4 a').problems).toEqual(['depht is no column, setting or metric; nearest: model.depth']);
    expect(searched('name<3').problems).toEqual(['name<: < needs numbers, and this is text']);
    expect(searched('tied=maybe').problems).toEqual(['tied=: "maybe" is neither true nor false']);
    // No conditions at all.
    expect(searched('http://x 12:30')).toEqual({ where: [], words: ['http://x', '12:30'], problems: [] });
    expect(searched('')).toEqual({ where: [], words: [], problems: [] });
  });
  it('knows the names of runs from elsewhere', () => {
    const runs = [{ config: { hidden: 3, act: 'gelu', bias: true }, summary: { 'eval/f1': 0.5 } }];
    expect(searched('hidden>2 act=gelu bias=off f1>0.4', namesOf(runs))).toMatchObject({
      where: ['config.hidden > 2', 'config.act = "gelu"', 'config.bias = false', 'summary.eval/f1 > 0.4'],
      problems: [],
    });
  });
  it('means the same before anything is logged (would catch loss as the rule to stop at one)', () => {
    const runs = [{ config: { 'stop.loss': 0, 'optimizer.lr': 0.003 }, summary: {} }];
    expect(searched('loss<2 lr=0.003', namesOf(runs, { metrics: names.metrics })).where).toEqual([
      'summary.val/loss < 2',
      'config.optimizer.lr = 0.003',
    ]);
  });
  it('one condition takes all that follows as its value', () => {
    expect(parseCondition('data.corpus = my text 8 ', names)).toEqual({
      field: 'config.data.corpus',
      op: '=',
      value: 'my text 8',
    });
    expect(parseCondition('model.depth == "4"', names)).toMatchObject({ op: '=', value: 4 });
    expect(parseCondition('model.depth', names)).toMatchObject({
      message: expect.stringContaining('is not a condition'),
    });
    expect(parseCondition('model.depth=x', names)).toMatchObject({ message: 'model.depth=: "x" is no number' });
  });
  it('takes and loses a term whole', () => {
    const term = termOf('tag', '=', 'my tag');
    expect(term).toBe('tag="my tag"');
    const search = toggleTerm('warm  lr<1', term);
    expect(search).toBe('warm lr<1 tag="my tag"');
    expect([hasTerm(search, term), hasTerm('warm', term)]).toEqual([true, false]);
    expect(toggleTerm(search, term)).toBe('warm lr<1');
  });
});

it('lists in memory answer as the database does, on random runs and filters', () => {
  const seed = Math.floor(Math.random() * 1e9);
  const random = randomNumbers(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  const some = <T>(list: readonly T[], share: number): T[] => list.filter(() => random() < share);
  const TEXTS = ['Alpha', 'beta gamma', '100%_sure', 'ÄÖ straße', "it's", 'a"b', 'NaN', '4', 'true', '', 'x\ny', '\\d'];
  const NUMBERS = [0, -0, 1, 4, -3, 0.001, 1e-3, 0.1 + 0.2, 1e300, 5e-324, 123456789012, 2 ** 53];
  const WANTED = [...TEXTS, ...NUMBERS, true, false];
  const value = () => pick<string | number | boolean>([pick(TEXTS), pick(NUMBERS), random() < 0.5]);
  const store = newStore();
  const sweeps = ['Widths', 'two words'].map((name) => store.createSweep({ name, spec: {} }, []).sweep);
  const make = (): NewRun =>
    newRun({
      name: pick(TEXTS) || 'unnamed',
      note: pick(TEXTS),
      seed: Math.floor(random() * 4),
      settingKey: pick(['k', 'l']),
      sweepId: pick([null, ...sweeps.map(({ id }) => id)]),
      tags: some(['old', 'New one', 'a%b'], 0.4),
      state: pick(['queued', 'finished', 'failed', 'stopped'] as const),
      endReason: pick([null, 'Diverged at step 3', 'stop.steps reached']),
      startedAt: pick([null, 1000, 5000]),
      endedAt: pick([null, 9500, 8000]),
      parameters: pick([null, 4, 1e6]),
      config: Object.fromEntries(some(['a.x', 'a.y', 'b.x', 'seed', 'plain'], 0.7).map((name) => [name, value()])),
      summary: Object.fromEntries(
        some(['val/loss', 'lr', 'a.x'], 0.7).map((name) => [name, random() < 0.2 ? Number.NaN : pick(NUMBERS)]),
      ),
    });
  store.createRuns(Array.from({ length: 120 }, make));
  const all = store.listRuns({ deleted: 'any' });
  store.deleteRuns(some(all, 0.1).map(({ id }) => id));
  const runs = store.listRuns({ deleted: 'any' });
  const sweepName = (id: string) => store.getSweep(id)?.name;
  const FIELDS = [
    ...Object.keys(RUN_COLUMNS),
    'config.a.x',
    'config.seed',
    'a.y',
    'plain',
    'summary.lr',
    'val/loss',
    'summary.a.x',
    'nothing',
  ];
  const comparison = (): RunComparison => ({ field: pick(FIELDS), op: pick(COMPARISONS), value: pick(WANTED) });
  const filter = (): RunFilter => ({
    ...(random() < 0.7 ? { where: Array.from({ length: 1 + Math.floor(random() * 2) }, comparison) } : {}),
    ...(random() < 0.2 ? { search: pick(['alpha', 'WIDTHS', '%', 'step 3', 'old', 'failed', '_', 'ö']) } : {}),
    ...(random() < 0.2 ? { words: [pick(['two words', "it's", 'new ONE', '\\d'])] } : {}),
    ...(random() < 0.2 ? { tags: [pick(['old', 'a%b'])] } : {}),
    ...(random() < 0.2 ? { state: pick(['failed', 'queued'] as const) } : {}),
    ...(random() < 0.1 ? { sweepId: sweeps[0].id } : {}),
    ...(random() < 0.3 ? { deleted: pick(['only', 'any'] as const) } : {}),
  });
  let matched = 0;
  for (let trial = 0; trial < 1500; trial++) {
    const wanted = filter();
    const inMemory = runs.filter((run: RunRecord) => matchesRun(run, wanted, { sweepName })).map(({ id }) => id);
    expect(inMemory, `seed ${seed}: ${JSON.stringify(wanted)}`).toEqual(store.listRuns(wanted).map(({ id }) => id));
    if (inMemory.length > 0 && inMemory.length < runs.length) matched++;
  }
  // Filters that let all or nothing through would agree by themselves.
  expect(matched).toBeGreaterThan(300);
});
