import { describe, expect, test } from 'vitest';
import { nextId } from '../../main/store/ids.ts';
import type { RunFilter } from '../../preload/contract/runs.ts';
import { namesOf, parseCondition } from '../../preload/shared/runFilter.ts';
import { codeOf, column, newRun, newStore, open, randomNumbers } from './support.ts';

test('a run comes back as it was created, also to another connection (catches: a column forgotten or swapped)', () => {
  const store = newStore();
  const { sweep } = store.createSweep({
    name: 'depths',
    spec: { method: 'grid' },
    yaml: 'method: grid',
    plan: { count: 1 },
  });
  const run = {
    name: 'deep',
    config: { 'model.depth': 4, 'data.corpus': 'stories', 'model.tied': true, 'optimizer.lr': 1e-3 },
    seed: 3,
    settingKey: 'abc',
    sweepId: sweep.id,
    tags: ['b', 'a'],
    note: 'a "note" with ünïcode',
    origin: 'import',
    state: 'stopped',
    endReason: 'no promise',
    stopCause: 'pruned',
    createdAt: 1000,
    startedAt: 2000,
    endedAt: 3000,
    steps: 10,
    tokens: 640,
    summary: { 'val/loss': 2.5, 'train/loss': null },
    parameters: 123_456,
    environment: { node: 'v24', cpu: 'x', cores: 2 },
    codeVersion: 'abc123',
    color: 7,
  } as const;
  const created = store.createRun(run);
  expect(created).toEqual({
    ...run,
    tags: ['a', 'b'],
    trained: 1000,
    sessionAt: null,
    id: created.id,
    attempt: 1,
    checkpoint: null,
    place: null,
    deletedAt: null,
  });
  const reader = open(store.path, { readOnly: true });
  expect(reader.getRun(created.id)).toEqual(created);
  expect(reader.getSweep(sweep.id)).toEqual({ ...sweep, counts: { ...sweep.counts, stopped: 1 } });
  expect(reader.listSweeps()).toHaveLength(1);
  expect(store.getRun('nobody')).toBeUndefined();
});

test('a sweep is created with all its runs or not at all (catches: half a sweep after an error)', () => {
  const store = newStore();
  const runs = [newRun(), newRun({ seed: 1.5 })];
  expect(() => store.createSweep({ name: 's', spec: {} }, runs)).toThrow('seed is 1.5; it must be a whole number');
  expect(store.listSweeps()).toEqual([]);
  expect(store.listRuns()).toEqual([]);
  const { sweep, runs: created } = store.createSweep({ name: 's', spec: {} }, [newRun(), newRun({ seed: 2 })]);
  expect(created.map((run) => run.sweepId)).toEqual([sweep.id, sweep.id]);
  expect(store.getSweep(sweep.id)!.counts.queued).toBe(2);
  expect(store.updateSweep(sweep.id, { state: 'paused', name: 't' })).toMatchObject({ state: 'paused', name: 't' });
});

test('invalid runs are refused (catches: NaN settings stored as null, runs that begin in the middle)', async () => {
  const store = newStore();
  const create = (overrides: Parameters<typeof newRun>[0]): Promise<string> =>
    codeOf(() => store.createRun(newRun(overrides)));
  expect(await create({ config: { 'optimizer.lr': NaN } })).toBe('invalid');
  expect(await create({ name: '  ' })).toBe('invalid');
  expect(await create({ state: 'running' })).toBe('state');
  expect(await create({ sweepId: 'nobody' })).toBe('not-found');
  expect(await create({ tags: [''] })).toBe('invalid');
  expect(await create({ steps: -1 })).toBe('invalid');
  expect(store.countRuns()).toBe(0);
});

test('ids sort in the order of creation, whatever the clock does (catches: a list in the wrong order, double ids)', () => {
  const store = newStore();
  const runs = store.createRuns(Array.from({ length: 500 }, (_, i) => newRun({ seed: i })));
  const ids = runs.map((run) => run.id);
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(500);
  const now = Date.UTC(2026, 5, 1);
  const first = nextId(null, now, () => 0.999);
  expect(first).toMatch(/^[0-9a-z]{9}$/);
  expect(nextId(first, now - 3_600_000, () => 0) > first).toBe(true);
  expect(nextId(first, now + 1000, () => 0) > first).toBe(true);
  expect(nextId(null, Date.UTC(2058, 0, 1), () => 0.999)).toHaveLength(9);
});

test('seeds of one setting share a color, settings differ (catches: a legend where colors mean nothing)', () => {
  const store = newStore();
  const specs = ['a', 'a', 'b', 'c', 'b'].map((settingKey, seed) => newRun({ settingKey, seed }));
  const { runs } = store.createSweep({ name: 's', spec: {} }, specs);
  expect(runs.map((run) => run.color)).toEqual([0, 0, 1, 2, 1]);
  const other = store.createSweep({ name: 't', spec: {} }, [newRun({ settingKey: 'c' })]);
  expect(other.runs[0].color).toBe(0);
});

test('colors of runs made at once are those of runs made one by one (catches: a color counted past one that was given)', () => {
  const seed = Date.now() % 1e9;
  const random = randomNumbers(seed);
  const specs = Array.from({ length: 60 }, (_, i) =>
    newRun({
      settingKey: `setting ${Math.floor(random() * 25)}`,
      seed: i,
      ...(random() < 0.2 ? { color: Math.floor(random() * 40) } : {}),
    }),
  );
  const store = newStore();
  const { sweep } = store.createSweep({ name: 'one by one', spec: {} }, []);
  const single = specs.map((spec) => store.createRun({ ...spec, sweepId: sweep.id }).color);
  const { runs } = store.createSweep({ name: 'at once', spec: {} }, specs);
  expect(
    runs.map(({ color }) => color),
    `seed ${seed}`,
  ).toEqual(single);
});

test('updates change only what they name; summaries merge (catches: a wiped note, lost numbers)', () => {
  const store = newStore();
  const { id } = store.createRun(newRun({ note: 'keep', summary: { a: 1, b: 2 } }));
  const updated = store.updateRun(id, { name: 'new', summary: { b: NaN, c: 3 }, tokens: 5, parameters: 9 });
  expect(updated).toMatchObject({ name: 'new', note: 'keep', tokens: 5, steps: 0, parameters: 9 });
  expect(updated.summary).toEqual({ a: 1, b: null, c: 3 });
  expect(() => store.updateRun('nobody', { note: '' })).toThrow('there is no run nobody');
});

test('progress is committed together with its points (catches: a step count ahead of its metrics)', async () => {
  const store = newStore();
  const { id } = store.createRun(newRun());
  const appended = store.appendMetrics(id, [column('m', [1], () => 2)], { steps: 1, tokens: 64, summary: { m: 2 } });
  expect(store.getRun(id)).toMatchObject({ steps: 0, tokens: 0, summary: {} });
  await appended;
  expect(store.getRun(id)).toMatchObject({ steps: 1, tokens: 64, summary: { m: 2 } });
});

describe('filters', () => {
  function filled() {
    const store = newStore();
    const make = (name: string, depth: number, loss: number | null, more = {}): ReturnType<typeof newRun> =>
      newRun({
        name,
        config: { 'model.depth': depth, 'model.tied': depth > 3, 'data.corpus': `text ${depth}` },
        settingKey: `d${depth}`,
        summary: { 'val/loss': loss },
        ...more,
      });
    store.createRuns([
      make('alpha', 2, 3.5, { tags: ['base', 'old'], seed: 1 }),
      make('100%_sure', 4, 2.5, { seed: 2 }),
    ]);
    const { sweep, runs } = store.createSweep({ name: 'Widths sweep', spec: {} }, [
      make('beta', 4, 2, { tags: ['base'], seed: 1, note: 'looks Promising' }),
      make('gamma', 8, null, { seed: 2, state: 'failed', endReason: 'diverged' }),
    ]);
    store.setRunState(runs[0].id, 'running');
    const names = (filter: RunFilter): string[] => store.listRuns(filter).map((run) => run.name);
    return { names, sweepId: sweep.id, known: namesOf(store.listRuns()) };
  }

  test('by state, sweep, tags, setting (catches: a condition that is ignored or too wide)', () => {
    const { names, sweepId } = filled();
    expect(names({})).toEqual(['alpha', '100%_sure', 'beta', 'gamma']);
    expect(names({ state: 'queued' })).toEqual(['alpha', '100%_sure']);
    expect(names({ state: ['running', 'failed'] })).toEqual(['beta', 'gamma']);
    expect(names({ sweepId })).toEqual(['beta', 'gamma']);
    expect(names({ tags: ['base'] })).toEqual(['alpha', 'beta']);
    expect(names({ tags: ['base', 'old'] })).toEqual(['alpha']);
    expect(names({ settingKey: 'd4' })).toEqual(['100%_sure', 'beta']);
    expect(names({ ids: [] })).toEqual([]);
  });

  test('by comparisons of settings, metrics and columns (catches: text compared as numbers, null taken for 0)', () => {
    const { names, known } = filled();
    const where = (...texts: string[]): string[] =>
      names({
        where: texts.map((text) => {
          const condition = parseCondition(text, known);
          if ('message' in condition) throw new Error(condition.message);
          return condition;
        }),
      });
    expect(where('model.depth=4')).toEqual(['100%_sure', 'beta']);
    expect(where('model.depth!=4')).toEqual(['alpha', 'gamma']);
    expect(where('model.depth >= 4', 'seed=2')).toEqual(['100%_sure', 'gamma']);
    expect(where('model.tied=true')).toEqual(['100%_sure', 'beta', 'gamma']);
    expect(where('data.corpus=text 8')).toEqual(['gamma']);
    expect(where('val/loss<3')).toEqual(['100%_sure', 'beta']);
    expect(where('summary.val/loss>=2.5')).toEqual(['alpha', '100%_sure']);
    expect(where('name="beta"')).toEqual(['beta']);
    expect(where("endReason='diverged'")).toEqual(['gamma']);
    expect(where('depth>4', 'reason:DIV')).toEqual(['gamma']);
    expect(where('loss<3', 'tag!=old')).toEqual(['beta']);
    expect(names({ where: [{ field: 'absent.setting', op: '=', value: 1 }] })).toEqual([]);
    expect(names({ where: [{ field: 'constructor', op: '!=', value: 1 }] })).toEqual([]);
  });

  test('by words (catches: wildcards in the search, case, a word found in one place only)', () => {
    const { names } = filled();
    expect(names({ search: 'promising' })).toEqual(['beta']);
    expect(names({ search: 'widths' })).toEqual(['beta', 'gamma']);
    expect(names({ search: 'widths gam' })).toEqual(['gamma']);
    expect(names({ search: '%' })).toEqual(['100%_sure']);
    expect(names({ search: 'old' })).toEqual(['alpha']);
    expect(names({ search: "' OR 1=1" })).toEqual([]);
  });

  test('order and page (catches: runs without a value first, an unstable page)', () => {
    const { names } = filled();
    expect(names({ order: { field: 'val/loss' } })).toEqual(['beta', '100%_sure', 'alpha', 'gamma']);
    expect(names({ order: { field: 'val/loss', descending: true } })).toEqual(['alpha', '100%_sure', 'beta', 'gamma']);
    expect(names({ order: { field: 'createdAt', descending: true }, limit: 2 })).toEqual(['gamma', 'beta']);
    expect(names({ order: { field: 'model.depth' }, limit: 2, offset: 1 })).toEqual(['100%_sure', 'beta']);
    expect(() => names({ limit: -2 })).toThrow('limit is -2');
  });

  test('conditions that are none are refused (catches: SQL from outside, a typing error that selects everything)', () => {
    const { names } = filled();
    expect(() => names({ where: [{ field: 'a"b', op: '=', value: 1 }] })).toThrow('"a"b" is neither');
    expect(() => names({ where: [{ field: 'seed', op: 'OR' as '=', value: 1 }] })).toThrow('"OR" is not a comparison');
  });
});

test('a run is found by the beginning of its id or its name (catches: guessing when it is ambiguous)', async () => {
  const store = newStore();
  const [a, b] = store.createRuns([newRun({ name: 'one' }), newRun({ name: 'two' })]);
  expect(store.resolveRun(a.id).id).toBe(a.id);
  expect(store.resolveRun('two').id).toBe(b.id);
  expect(await codeOf(() => store.resolveRun(a.id.slice(0, 3)))).toBe('ambiguous');
  expect(await codeOf(() => store.resolveRun('three'))).toBe('not-found');
  expect(await codeOf(() => store.resolveRun(''))).toBe('not-found');
});

test('tags (catches: doubles, tags of other runs)', () => {
  const store = newStore();
  const [a, b] = store.createRuns([newRun(), newRun()]);
  store.tagRuns([a.id, b.id], ['x', ' y ']);
  store.tagRuns([a.id], ['x']);
  store.untagRuns([b.id], ['x']);
  expect(store.getRun(a.id)!.tags).toEqual(['x', 'y']);
  expect(store.getRun(b.id)!.tags).toEqual(['y']);
});

test('deleted runs can be restored until purged, and purging frees the space (catches: data that never goes, or too early)', async () => {
  const store = newStore();
  const [a, b] = store.createRuns([newRun({ tags: ['t'] }), newRun({ name: 'stays' })]);
  const many = column(
    'm',
    Array.from({ length: 50_000 }, (_, i) => i),
    (step) => step / 3,
  );
  await Promise.all([store.appendMetrics(a.id, [many]), store.appendMetrics(b.id, [many])]);
  await store.appendEvent({ runId: a.id, kind: 'log', message: 'hello' });
  store.setCheckpoint({ runId: a.id, kind: 'last', step: 1, path: 'p', valLoss: null, savedAt: 1 });
  expect(await codeOf(() => store.purgeRuns([a.id]))).toBe('state');
  store.deleteRuns([a.id]);
  expect(store.listRuns().map((run) => run.name)).toEqual(['stays']);
  expect(store.listRuns({ deleted: 'only' }).map((run) => run.id)).toEqual([a.id]);
  store.restoreRuns([a.id]);
  expect(store.countRuns()).toBe(2);
  expect(store.readAll(a.id, 'm').step).toHaveLength(50_000);
  store.deleteRuns([a.id]);
  const path = store.path;
  store.close();
  const again = open(path);
  const before = again.sizeOnDisk();
  again.purgeRuns([a.id]);
  expect(await codeOf(() => again.readAll(a.id, 'm'))).toBe('not-found');
  expect(again.readAll(b.id, 'm').value).toEqual(many.values);
  expect(again.check()).toEqual([]);
  again.close();
  expect(open(path).sizeOnDisk()).toBeLessThan(before * 0.6);
});
