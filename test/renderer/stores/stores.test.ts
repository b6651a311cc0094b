import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { nextTick } from 'vue';
import { packRuns } from '../../../preload/contract/runTable.ts';
import { useConnection } from '../../../renderer/stores/connection.ts';
import { DEFAULTS, readPreferences } from '../../../renderer/stores/preferences.ts';
import { useRuns } from '../../../renderer/stores/runs.ts';
import { EMPTY_DRAFT } from '../../../preload/contract/draft.ts';
import { useBuilder } from '../../../renderer/stores/draft.ts';
import { useToasts } from '../../../renderer/stores/toasts.ts';
import { testLab, testRun } from './support.ts';

describe('runs', () => {
  it('stay current by events and leave out the bin', async () => {
    const lab = testLab({ 'runs.list': () => ({ runs: packRuns([testRun('a'), testRun('b')]) }) });
    const store = useRuns();
    store.start();
    await store.load();
    lab.emit('runs', { runs: [testRun('c', { state: 'running' }), testRun('a', { deletedAt: 5 })] });
    // A shallow map that is changed in place and not triggered would still show the old list.
    expect(store.list.map(({ id }) => id)).toEqual(['c', 'b']);
    expect(store.running.map(({ id }) => id)).toEqual(['c']);
  });

  it('drop the progress of a run that ended, so that no bar stays behind', () => {
    const lab = testLab();
    const store = useRuns();
    store.start();
    lab.emit('progress', { progress: [{ runId: 'a', step: 5, fraction: 0.5 }] });
    expect(store.progress.get('a')?.step).toBe(5);
    lab.emit('runs', { runs: [testRun('a', { state: 'failed' })] });
    expect(store.progress.has('a')).toBe(false);
  });

  it('can be deleted and brought back by the undo of the message', async () => {
    const lab = testLab({
      'runs.remove': () => ({ run: testRun('a', { deletedAt: 9 }) }),
      'runs.restore': () => ({ run: testRun('a') }),
    });
    const store = useRuns();
    store.start();
    lab.emit('runs', { runs: [testRun('a')] });
    await store.remove('a');
    expect(store.list).toEqual([]);
    await useToasts().toasts[0].action!.run();
    expect(store.list.map(({ id }) => id)).toEqual(['a']);
  });

  it('that are stopped can be resumed from the message', async () => {
    const lab = testLab({
      'runs.stop': () => ({ run: testRun('a', { state: 'stopped' }) }),
      'runs.resume': () => ({ run: testRun('a', { state: 'queued' }) }),
    });
    const store = useRuns();
    store.start();
    lab.emit('runs', { runs: [testRun('a', { state: 'running' })] });
    await store.stop('a');
    expect(store.get('a')?.state).toBe('stopped');
    await useToasts().toasts[0].action!.run();
    expect(store.get('a')?.state).toBe('queued');
  });

  it('report a refused change and keep the record', async () => {
    const lab = testLab();
    const store = useRuns();
    store.start();
    lab.emit('runs', { runs: [testRun('a')] });
    await store.rename('a', 'b');
    expect(store.get('a')?.name).toBe('a');
    expect(useToasts().toasts[0]).toMatchObject({
      level: 'bad',
      message: expect.stringContaining('Could not rename a'),
    });
  });
});

describe('the connection', () => {
  it('counts reconnections, so that everything is read again', async () => {
    const lab = testLab({ 'app.info': () => ({ version: '1', dataDir: '/d' }) });
    const store = useConnection();
    store.start();
    lab.connection('open');
    lab.connection('lost', new Error('the socket closed'));
    expect(store.problem).toBe('the socket closed');
    expect(store.lostAt).not.toBeNull();
    lab.connection('open');
    expect(store.generation).toBe(2);
    expect(store.lostAt).toBeNull();
    await nextTick();
    expect(store.app?.version).toBe('1');
  });
});

describe('messages', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    testLab();
  });
  afterEach(() => vi.useRealTimers());

  it('let a later message about the same take the place of an earlier one (would catch "is queued" beside "has finished")', () => {
    testLab();
    const store = useToasts();
    store.show({
      message: 'Quick start is queued',
      about: '/sweep/a',
      action: { label: 'Show', run: () => undefined },
    });
    store.show({ message: 'Another is queued', about: '/sweep/b' });
    store.show({ level: 'bad', message: 'x failed', about: '/sweep/a' });
    store.show({ level: 'bad', message: '2 runs of Quick start failed', about: '/sweep/a' });
    store.show({ level: 'good', message: 'Quick start has finished', about: '/sweep/a' });
    expect(store.toasts.map(({ message }) => message)).toEqual(['Another is queued', 'Quick start has finished']);
  });

  it('of a draft that was replaced stand alone, however often it was (catches a pile of messages over the fields)', async () => {
    const lab = testLab({ 'sweeps.plan': () => new Promise(() => undefined) });
    const builder = useBuilder();
    const store = useToasts();
    store.show({ message: 'A sweep has finished' });
    for (const name of ['one', 'two', 'three']) builder.replace({ ...EMPTY_DRAFT, name }, `A new draft from ${name}`);
    expect(store.toasts.map(({ message }) => message)).toEqual(['A sweep has finished', 'A new draft from three']);
    await store.toasts[1]!.action!.run();
    expect(builder.draft.name).toBe('two');
    builder.clear();
    expect(store.toasts.at(-1)!.message).toBe('The draft was cleared');
    expect(store.toasts).toHaveLength(2);
    expect(lab.calls.map(({ route }) => route)).not.toContain('sweeps.launch');
  });

  it('name the file that a draft was taken from, and give back what was typed before (would catch a text that is lost)', async () => {
    testLab({ 'sweeps.plan': () => new Promise(() => undefined), 'views.set': () => null });
    const builder = useBuilder();
    const store = useToasts();
    builder.takeText('seeds: 2', 'a.sweeplab');
    expect(store.toasts).toMatchObject([{ message: 'The draft is now that of a.sweeplab' }]);
    expect(store.toasts[0]!.action).toBeUndefined();
    builder.yaml = { text: 'parameters: [typed' };
    builder.takeText('seeds: 3', 'b.sweeplab');
    builder.takeText('seeds: 4', 'c.sweeplab');
    expect(store.toasts).toMatchObject([{ message: 'The draft is now that of c.sweeplab' }]);
    await store.toasts[0]!.action!.run();
    expect(builder.yaml.text).toBe('seeds: 3');
    builder.yaml = { text: 'parameters: [typed' };
    builder.takeText('seeds: 3', 'b.sweeplab');
    await store.toasts.at(-1)!.action!.run();
    expect(builder.yaml.text).toBe('parameters: [typed');
  });

  it('go after a while, but not while they are read', () => {
    const store = useToasts();
    const id = store.show({ message: 'Done' });
    store.hold(id);
    vi.advanceTimersByTime(60_000);
    expect(store.toasts).toHaveLength(1);
    store.release(id);
    vi.advanceTimersByTime(6000);
    expect(store.toasts).toEqual([]);
  });

  it('of errors stay, once each, and four at most', () => {
    const store = useToasts();
    for (let i = 0; i < 3; i++) store.fail('Could not load', new Error('refused'));
    expect(store.toasts).toHaveLength(1);
    for (let i = 0; i < 9; i++) store.show({ message: `m${i}` });
    expect(store.toasts).toHaveLength(4);
  });

  it('say nothing about calls that were given up', () => {
    const store = useToasts();
    store.fail('Could not load', new DOMException('aborted', 'AbortError'));
    expect(store.toasts).toEqual([]);
  });
});

describe('preferences', () => {
  it('survive text that is not theirs', () => {
    expect(readPreferences('{"theme":"neon","listWidth":"wide","density":"compact"}')).toEqual({
      ...DEFAULTS,
      density: 'compact',
    });
    expect(readPreferences('not json')).toEqual(DEFAULTS);
    expect(readPreferences('null')).toEqual(DEFAULTS);
    expect(readPreferences('{"listWidth":5000}').listWidth).toBe(560);
  });
});
