import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type * as files from '../../../main/files/atomic.ts';
import { routes } from '../../../preload/contract/api.ts';
import { CREDIT, MOST_PRESSURE } from '../../../preload/contract/rpc.ts';
import type { HostMessage } from '../../../preload/contract/rpc.ts';
import { openStore } from '../../../main/store/index.ts';
import type { Port } from '../../../preload/contract/port.ts';
import { unpackRuns } from '../../../preload/contract/runTable.ts';
import { unpackSeries } from '../../../preload/contract/seriesTable.ts';
import { DRAFT, finishing, holding, TestLab, Watch } from './support.ts';
import type { Script } from './support.ts';
import { draftOfRecipe } from '../../../preload/shared/sweeps/recipe.ts';

/** Files for which the disk has no room. */
const full = vi.hoisted(() => new Set<string>());
vi.mock('../../../main/files/atomic.ts', async (original) => {
  const real = await original<typeof files>();
  const replaceFile: typeof files.replaceFile = async (path, ...rest) => {
    if (full.has(path)) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    return await real.replaceFile(path, ...rest);
  };
  return { ...real, replaceFile };
});

let lab: TestLab;
beforeEach(() => {
  lab = new TestLab();
});
afterEach(() => lab.close());

/** Everything that a raw port gets; resolves when `test` holds for one of it. */
function listen(port: Port) {
  const messages: HostMessage[] = [];
  const wakers = new Set<() => void>();
  port.onMessage((message) => {
    messages.push(message as HostMessage);
    for (const wake of wakers) wake();
  });
  const until = async (test: (message: HostMessage) => boolean): Promise<HostMessage> => {
    for (;;) {
      const found = messages.find(test);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => wakers.add(resolve));
      wakers.clear();
    }
  };
  return { messages, until };
}

/**
 * The longest turn of this thread until `work` is done, in ms of its own computing: on a machine that has other work too, the clock would
 * say more. @param meanwhile done in each turn
 */
async function longestTurn(work: Promise<unknown>, meanwhile?: () => Promise<unknown>): Promise<number> {
  const done = new AbortController();
  void work.finally(() => done.abort()).catch(() => undefined);
  let longest = 0;
  while (!done.signal.aborted) {
    const begun = process.threadCpuUsage();
    await new Promise((resolve) => setImmediate(resolve));
    await meanwhile?.();
    const { user, system } = process.threadCpuUsage(begun);
    longest = Math.max(longest, (user + system) / 1000);
  }
  return longest;
}

describe('calls', () => {
  it('answer wrong input of every route with a code, and the lab goes on (would catch a route without a schema or a service)', async () => {
    await lab.open(finishing);
    const port = lab.port();
    const { until } = listen(port);
    let id = 0;
    const call = async (route: string, input: unknown): Promise<HostMessage> => {
      const own = ++id;
      port.post({ kind: 'request', id: own, route, input });
      return await until((message) => message.kind === 'reply' && message.id === own);
    };
    for (const route of Object.keys(routes)) {
      for (const input of [{ nonsense: 1 }, [], 'text', 3])
        expect(await call(route, input)).toMatchObject({ ok: false, code: 'input' });
    }
    for (const route of ['constructor', '__proto__', 'runs.erase', ''])
      expect(await call(route, {})).toMatchObject({ ok: false, code: 'route' });
    expect(await call('runs.note', { id: 'x', note: 'n'.repeat(100_001) })).toMatchObject({ code: 'input' });
    for (const message of [
      null,
      7,
      'hello',
      { kind: 'request' },
      { kind: 'request', id: -1, route: 'app.info' },
      { kind: 'credit', frames: 1e9 },
    ])
      port.post(message);
    await until((message) => message.kind === 'reply' && message.id === 0);
    expect(await call('app.info', {})).toMatchObject({ ok: true, value: { dataDir: lab.home } });
  });

  it('name what is not there and what is not allowed', async () => {
    await lab.open(finishing);
    const client = lab.client();
    await expect(client.call('runs.get', { id: 'nope' })).rejects.toMatchObject({ code: 'not-found' });
    await expect(client.call('sweeps.stop', { id: 'nope' })).rejects.toMatchObject({ code: 'not-found' });
    await expect(client.call('settings.check', { values: {}, recipe: 'quik' })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('quick'),
    });
    // As many wrong values as a list may have: an answer of megabytes helps nobody.
    const values = Array.from({ length: 9999 }, () => 'model.depth');
    const launch = client.call('sweeps.launch', { draft: { parameters: { 'model.depth': { values } } } });
    await expect(launch).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/and \d+ more/u),
      details: expect.toSatisfy((details: unknown[]) => details.length === 20),
    });
    const long = Array.from({ length: 30 }, (_, i) => `${i}${'x'.repeat(15_000)}`);
    const further = client.call('sweeps.launch', { draft: { parameters: { 'model.depth': { values: long } } } });
    await expect(further).rejects.toSatisfy(({ details }) => JSON.stringify(details).length < 60_000);
    await expect(client.call('fit.report', { values: {}, gpu: 'no such card' })).rejects.toMatchObject({
      code: 'invalid',
    });
    const apart = { 'model.heads': 3, 'model.width': 128 };
    await expect(client.call('fit.report', { values: apart })).rejects.toMatchObject({ code: 'invalid' });
    await expect(client.call('export.runs', { runs: [], path: join(lab.home, 'x.csv') })).rejects.toMatchObject({
      code: 'input',
    });
    expect(existsSync(join(lab.home, 'x.csv'))).toBe(false);
  });

  it('can be cancelled, also while they plan (would catch a builder that waits for old drafts)', async () => {
    await lab.open(finishing);
    const client = lab.client();
    const controller = new AbortController();
    const parameters = { 'model.depth': { values: [1, 2, 3, 4, 5, 6] }, 'model.width': { values: [32, 64, 96, 128] } };
    const slow = client.call('sweeps.plan', { draft: { ...DRAFT, parameters } }, { signal: controller.signal });
    controller.abort();
    await expect(slow).rejects.toMatchObject({ code: 'cancelled', name: 'AbortError' });
    const plan = await client.call('sweeps.plan', { draft: DRAFT });
    expect(plan.groups.map(({ labels }) => labels)).toEqual([['depth=2'], ['depth=1']]);
  });

  it('a card says of a recipe what its plan says, all of its runs (would catch the fit of a base that nobody trains)', async () => {
    await lab.open(finishing);
    const client = lab.client();
    const { recipes } = await client.call('recipes.list', {});
    for (const name of ['quick', 'shakespeare']) {
      const check = await client.call('recipes.check', { recipe: name });
      const plan = await client.call('sweeps.plan', {
        draft: draftOfRecipe(recipes.find((each) => each.name === name)!),
      });
      const [largest] = plan.groups;
      expect(check).toMatchObject({
        fit: largest.fit,
        neededBytes: largest.bytes,
        parameters: largest.parameters,
        time: [plan.seconds!.low, plan.seconds!.high],
        measured: false,
        runs: plan.runs,
        settings: plan.settings.length,
        seeds: plan.seeds.length,
      });
    }
    await expect(client.call('recipes.check', { recipe: 'quik' })).rejects.toMatchObject({ code: 'not-found' });
    await expect(client.call('recipes.check', { recipe: './quick.yaml' })).rejects.toMatchObject({ code: 'denied' });
  });

  it('say why there is no device to plan for, and are done (would catch a form that asks for the rest of a check for ever)', async () => {
    await lab.open(finishing);
    const plan = await lab.client().call('sweeps.plan', { draft: DRAFT, gpu: 'RTX 9999' });
    expect(plan).toMatchObject({ runs: 2, groups: [], device: null, pending: 0 });
    expect(plan.deviceProblem).toContain('RTX 9999');
  });

  it('do not wait for a large plan (would catch planning in the process that serves)', async () => {
    await lab.open(finishing);
    const client = lab.client();
    await client.call('sweeps.plan', { draft: DRAFT });
    const settings = { 'model.depth': 12, 'model.width': 768, 'model.heads': 12 };
    const big = client.call('fit.report', { values: settings });
    const longest = await longestTurn(big, () => client.call('queue.get', {}));
    expect((await big).plan.parameterCount).toBeGreaterThan(80e6);
    expect(longest).toBeLessThan(250);
  });

  it('do not wait for ten thousand combinations (would catch a sweep that is planned in the process that serves)', async () => {
    await lab.open(finishing);
    const client = lab.client();
    await client.call('sweeps.plan', { draft: DRAFT });
    const many = (from: number, to: number): { values: number[] } => ({
      values: Array.from({ length: 100 }, (_, i) => from + ((to - from) * i) / 99),
    });
    const parameters = { 'optimizer.lr': many(1e-4, 1e-2), 'optimizer.weight_decay': many(0, 0.5) };
    const planning = client.call('sweeps.plan', { draft: { ...DRAFT, parameters }, budget: 100 });
    const longest = await longestTurn(planning);
    const plan = await planning;
    expect(plan).toMatchObject({ runs: 10_000, combinations: 10_000, problems: [] });
    expect(plan.settings).toHaveLength(10_000);
    // In this process it would stop everything for half a second; what is left is taking the answer over.
    expect(longest).toBeLessThan(300);
  });

  it('look at data, its tokens and its text (would catch an answer about other data, or a text that does not go on)', async () => {
    await lab.open(finishing);
    const client = lab.client();
    const values = { 'data.size': 50_000 };
    const progress = new Watch(client, 'data');
    const summary = await client.call('data.stats', { values });
    expect(summary.tokenizer.kind).toBe('byte');
    expect(progress.events.every(({ corpus }) => corpus === 'stories')).toBe(true);
    // Named although no run has used it yet (the table would show a hash).
    const { prepared } = await client.call('data.list', {});
    expect(prepared.map(({ corpus }) => corpus)).toEqual(['stories']);
    const text = 'To be, or not to be 🦜';
    const { tokens } = await client.call('data.tokens', { values, text });
    expect(Buffer.concat(tokens.map(({ bytes }) => bytes)).toString('utf8')).toBe(text);
    const first = await client.call('data.sample', { values, from: 0 });
    const second = await client.call('data.sample', { values, from: first.next });
    expect([first.from, second.from, second.documents]).toEqual([0, first.next, first.documents]);
    expect(first.next).toBeGreaterThan(0);
    expect(second.text).not.toBe(first.text);
    const { contentHash } = summary;
    await expect(client.call('data.remove', { contentHash: '../..' })).rejects.toMatchObject({ code: 'not-found' });
    expect((await client.call('data.remove', { contentHash })).freed).toBe(prepared[0].bytesOnDisk);
    expect((await client.call('data.list', {})).prepared).toEqual([]);
    const left = 'a'.repeat(32);
    mkdirSync(join(lab.home, 'cache', 'datasets', 'partial', left), { recursive: true });
    writeFileSync(join(lab.home, 'cache', 'datasets', 'partial', left, 'train-00000.bin'), 'some');
    expect((await client.call('data.list', {})).unfinished).toMatchObject([{ id: left, bytesOnDisk: 4 }]);
    expect(await client.call('data.removeUnfinished', { id: left })).toEqual({ freed: 4 });
    const gone = client.call('data.removeUnfinished', { id: left });
    await expect(gone).rejects.toMatchObject({ code: 'not-found' });
    mkdirSync(join(lab.home, 'cache', 'downloads'), { recursive: true });
    writeFileSync(join(lab.home, 'cache', 'downloads', 'text.txt'), 'words');
    expect(await client.call('data.list', {})).toMatchObject({ downloadedBytes: 5 });
    expect(await client.call('data.removeDownloads', {})).toEqual({ freed: 5 });
    // Prepared again for who asks (would catch a lab that believes it is still there).
    await client.call('data.stats', { values: { ...values, 'data.batching': 'documents' } });
    const wrong = client.call('data.stats', { values: { 'data.corpus': join(lab.home, 'nothing.txt') } });
    await expect(wrong).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('nothing.txt') });
  });

  it('read a file again once it was changed (would catch numbers of a text that is no more)', async () => {
    await lab.open(finishing, { folders: [lab.home] });
    const client = lab.client();
    const path = join(lab.home, 'changing.txt');
    const values = { 'data.corpus': path, 'data.validation': 0.5 };
    for (const [count, word] of [
      [20, 'old'],
      [30, 'new'],
    ] as const) {
      writeFileSync(path, Array.from({ length: count }, (_, i) => `${word} text ${i}`).join('\n\n'));
      expect((await client.call('data.stats', { values })).reading.corpus?.documents).toBe(count);
      expect((await client.call('data.sample', { values, from: 0 })).text).toContain(word);
    }
  });

  it('keep a method that cannot be planned, and refuse to plan it (would catch bayes that is silently a grid)', async () => {
    await lab.open(finishing);
    const client = lab.client();
    const yaml = (method: string) =>
      `method: ${method}\nmetric: { name: val/loss }\nparameters: { model.depth: { min: 1, max: 4 } }\n`;
    const { draft, problems } = await client.call('sweeps.fromYaml', { yaml: yaml('bayes') });
    expect(problems).toEqual([]);
    const plan = await client.call('sweeps.plan', { draft: draft! });
    expect(plan.problems).toMatchObject([{ setting: 'method', value: 'bayes', nearest: 'random' }]);
    expect(plan.runs).toBe(0);
    await expect(client.call('sweeps.launch', { draft: draft! })).rejects.toMatchObject({ code: 'invalid' });
    expect((await client.call('sweeps.list', {})).sweeps).toEqual([]);
    const grid = await client.call('sweeps.fromYaml', { yaml: yaml('grid') });
    expect(grid.draft).toMatchObject({ method: 'grid', metric: { name: 'val/loss', goal: 'minimize' } });
  });

  it('say once that layouts cannot be saved, and that they can again (would catch a full disk that nobody hears of)', async () => {
    await lab.open(finishing);
    const client = lab.client();
    const notices = new Watch(client, 'notice');
    await client.call('views.set', { key: 'a', value: 1 });
    full.add(join(lab.home, 'views.json'));
    for (const value of [2, 3])
      await expect(client.call('views.set', { key: 'a', value })).rejects.toMatchObject({
        code: 'storage',
        message: expect.stringMatching(/the disk is full/u),
      });
    // What people see meanwhile is what they chose.
    expect(await client.call('views.get', { key: 'a' })).toEqual({ value: 3 });
    full.clear();
    await client.call('views.set', { key: 'a', value: 4 });
    await notices.until(({ message }) => message === 'Layouts are saved again');
    expect(notices.events.map(({ level }) => level)).toEqual(['warn', 'good']);
  });

  it('are kept nowhere while the data folder is gone (would catch files in a folder that somebody removed or put there)', async () => {
    await lab.open(finishing);
    const client = lab.client();
    const aside = `${lab.home}-aside`;
    const inPlace = [() => undefined, () => mkdirSync(lab.home), () => writeFileSync(lab.home, 'a file')];
    for (const put of inPlace) {
      renameSync(lab.home, aside);
      put();
      await expect(client.call('views.set', { key: 'a', value: 1 })).rejects.toMatchObject({ code: 'storage' });
      if (existsSync(lab.home) && statSync(lab.home).isDirectory()) expect(readdirSync(lab.home)).toEqual([]);
      rmSync(lab.home, { recursive: true, force: true });
      renameSync(aside, lab.home);
    }
    await client.call('views.set', { key: 'a', value: 2 });
  });

  it('keep layouts over a restart, and take none that is too large', async () => {
    await lab.open(finishing);
    let client = lab.client();
    await client.call('views.set', { key: 'board', value: { x: 'tokens' } });
    await client.call('views.set', { key: 'gone', value: 1 });
    await client.call('views.set', { key: 'gone', value: null });
    const large = 'x'.repeat(1_000_000);
    await expect(client.call('views.set', { key: 'big', value: large + large })).rejects.toMatchObject({
      code: 'input',
    });
    for (const key of ['a', 'b', 'c', 'd']) await client.call('views.set', { key, value: large });
    await expect(client.call('views.set', { key: 'e', value: large })).rejects.toMatchObject({ code: 'storage' });
    client.close();
    await lab.server.close();
    await lab.open(finishing);
    client = lab.client();
    expect(await client.call('views.get', { key: 'board' })).toEqual({ value: { x: 'tokens' } });
    expect(await client.call('views.get', { key: 'gone' })).toEqual({ value: null });
  });
});

describe('training', () => {
  it('is seen alike by two clients, and goes on without any (would catch training tied to a window)', async () => {
    const { script, release, held } = holding();
    await lab.open(script);
    const [first, second] = [lab.client(), lab.client()];
    const watches = [first, second].map((client) => ({
      points: new Watch(client, 'points'),
      runs: new Watch(client, 'runs'),
      sweeps: new Watch(client, 'sweeps'),
    }));
    const { sweepId, runIds } = await first.call('sweeps.launch', { draft: DRAFT });
    await held;
    for (const { points, runs, sweeps } of watches) {
      // Where the run begins is told at once, its points when they are committed; both in one frame where that is soon.
      const [begun] = (await points.until(({ runs: all }) => all.length > 0)).runs;
      expect(begun).toMatchObject({ runId: runIds[0], keepUpTo: -1 });
      const [entry] = (await points.until(({ runs: all }) => all.some(({ columns }) => columns.length > 0))).runs;
      expect(entry!.columns).toEqual([
        { metric: 'train/loss', steps: new Float64Array([1, 2, 3]), values: new Float64Array([5, 2.5, 5 / 3]) },
      ]);
      await runs.until((event) => event.runs.some(({ id, state }) => id === runIds[0] && state === 'running'));
      await sweeps.until((event) => event.sweeps.some(({ state }) => state === 'running'));
    }
    first.close();
    second.close();
    release();
    // Both runs end although nobody is there.
    const later = lab.client();
    const sweeps = new Watch(later, 'sweeps');
    const { sweep } = await later.call('sweeps.get', { id: sweepId });
    if (sweep.state !== 'finished')
      await sweeps.until((event) => event.sweeps.some(({ state }) => state === 'finished'));
    const runs = unpackRuns((await later.call('runs.list', { filter: { sweepId } })).runs);
    expect(runs.map(({ state }) => state)).toEqual(['finished', 'finished']);
  });

  it('goes on with the next run when an engine is killed, and says so (would catch a queue that dies with an engine)', async () => {
    let first = true;
    const script: Script = (engine, start) => {
      if (!first) return finishing(engine, start);
      first = false;
      engine.emit({ type: 'begin', step: 0, keepUpTo: -1 });
      engine.points('train/loss', 1, 3, () => 2);
      engine.exit({ signal: 'SIGKILL' });
    };
    await lab.open(script);
    const client = lab.client();
    const notices = new Watch(client, 'notice');
    const sweeps = new Watch(client, 'sweeps');
    const { sweepId, runIds } = await client.call('sweeps.launch', { draft: DRAFT });
    const { path, details } = await notices.until(({ level }) => level === 'bad');
    expect([path, details]).toEqual([`/run/${runIds[0]}`, expect.stringContaining('SIGKILL')]);
    await sweeps.until((event) => event.sweeps.some(({ state }) => state === 'finished'));
    const runs = unpackRuns((await client.call('runs.list', { filter: { sweepId } })).runs);
    expect(runs.map(({ state }) => state)).toEqual(['failed', 'finished']);
    // What was committed before the end is there.
    const series = unpackSeries(
      (await client.call('series.read', { runs: [runIds[0]!, 'unknown'], metric: 'train/loss' })).series,
    );
    expect(series.map(({ runId, value }) => [runId, value.length])).toEqual([[runIds[0], 3]]);
  });

  it('continues with the next host where the last one ended, and clients come back by themselves', async () => {
    const { script, release, held } = holding();
    await lab.open(script);
    const client = lab.client();
    const states: string[] = [];
    client.onState((state) => states.push(state));
    const { instance } = await client.call('app.info', {});
    const { sweepId, runIds } = await client.call('sweeps.launch', { draft: DRAFT });
    await held;
    const old = lab.server;
    const sweeps = new Watch(client, 'sweeps');
    const queue = new Watch(client, 'queue');
    await queue.until(({ running }) => running.length === 1);
    await old.close();
    release();
    await lab.open(script);
    // The subscription of before tells of the new host's queue.
    await sweeps.until((event) => event.sweeps.some(({ state }) => state === 'finished'));
    await queue.until(({ running, waiting }) => running.length === 0 && waiting.length === 0);
    expect((await client.call('app.info', {})).instance).not.toBe(instance);
    expect(states).toEqual(expect.arrayContaining(['open', 'lost']));
    expect(states.at(-1)).toBe('open');
    const runs = unpackRuns((await client.call('runs.list', { filter: { sweepId } })).runs);
    expect(runs.map(({ state, attempt }) => [state, attempt])).toEqual([
      ['finished', 2],
      ['finished', 1],
    ]);
    const series = unpackSeries(
      (await client.call('series.read', { runs: [runIds[0]!], metric: 'train/loss' })).series,
    );
    expect([...series[0]!.step]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('waits while the disk is full, says so, and loses no point (would catch a run that fails or has a hole for want of space)', async () => {
    const full = Promise.withResolvers<void>();
    await lab.open(async (engine) => {
      engine.emit({ type: 'begin', step: 0, keepUpTo: -1 });
      engine.points('train/loss', 1, 5, (step) => 5 / step);
      await engine.acknowledged();
      lab.server.lab.store.limitSize(1);
      // More than the free pages of the file take.
      for (let metric = 0; metric < 40; metric++) engine.points(`train/m${metric}`, 1, 3000, (step) => Math.sin(step));
      full.resolve();
      await engine.acknowledged();
      engine.points('train/loss', 6, 10, (step) => 5 / step);
      await engine.acknowledged();
      engine.end('finished', 'stop.steps reached (10 steps)', 10);
    });
    const client = lab.client();
    const notices = new Watch(client, 'notice');
    const runs = new Watch(client, 'runs');
    const { runIds } = await client.call('sweeps.launch', { draft: { ...DRAFT, parameters: {} } });
    await full.promise;
    const bad = await notices.until(({ level }) => level === 'bad');
    expect(bad.message).toBe('Points cannot be written; training waits');
    expect((await client.call('runs.get', { id: runIds[0]! })).run.state).toBe('running');
    // A page that is opened now did not hear the notice.
    const late = lab.client();
    expect((await late.call('queue.get', {})).trouble).toContain('no space left');
    lab.server.lab.store.limitSize(Infinity);
    await notices.until(({ message }) => message === 'Points are written to the database again');
    expect((await late.call('queue.get', {})).trouble).toBe(null);
    await runs.until(({ runs: [run] }) => run?.state === 'finished');
    const series = unpackSeries(
      (await client.call('series.read', { runs: [...runIds], metric: 'train/m39', maxPoints: 5000 })).series,
    );
    expect(series[0]!.points).toBe(3000);
    expect(notices.events.filter(({ level }) => level === 'bad')).toHaveLength(1);
  });

  it('obeys pause, more places, stop and retry', async () => {
    const { script, release, held } = holding();
    await lab.open(script, { paused: true });
    const client = lab.client();
    const queue = new Watch(client, 'queue');
    const parameters = { 'model.depth': { values: [1, 2, 3] } };
    const { sweepId, runIds } = await client.call('sweeps.launch', { draft: { ...DRAFT, parameters } });
    expect((await client.call('queue.get', {})).waiting).toEqual(runIds);
    await client.call('queue.setConcurrency', { concurrency: 2 });
    await client.call('queue.resume', {});
    await held;
    await queue.until(({ running, waiting }) => running.length === 2 && waiting.length === 1);
    const { run } = await client.call('runs.stop', { id: runIds[0]! });
    expect([run.state, run.endReason]).toEqual(['stopped', expect.stringContaining('cancelled by the user')]);
    await expect(client.call('runs.remove', { id: runIds[1]! })).rejects.toMatchObject({ code: 'state' });
    const { sweep } = await client.call('sweeps.stop', { id: sweepId });
    expect([sweep.state, sweep.counts.stopped]).toEqual(['stopped', 3]);
    release();
    const runs = new Watch(client, 'runs');
    await client.call('runs.resume', { id: runIds[0]! });
    await runs.until((event) => event.runs.some(({ id, state }) => id === runIds[0] && state === 'finished'));
    expect((await client.call('runs.get', { id: runIds[0]! })).run.state).toBe('finished');
    await expect(client.call('runs.resume', { id: runIds[0]! })).rejects.toMatchObject({ code: 'state' });
  });

  it('shows what people do with runs and sweeps to everyone, with undo', async () => {
    await lab.open(finishing);
    const [client, other] = [lab.client(), lab.client()];
    const seen = new Watch(other, 'runs');
    const sweeps = new Watch(other, 'sweeps');
    const { sweepId, runIds } = await client.call('sweeps.launch', { draft: DRAFT });
    const id = runIds[0]!;
    await sweeps.until((event) => event.sweeps.some(({ state }) => state === 'finished'));
    await client.call('runs.rename', { id, name: 'mine' });
    await client.call('runs.tag', { id, tags: ['a', 'b'] });
    await client.call('runs.tag', { id, tags: ['b', 'c'] });
    await client.call('runs.note', { id, note: '= 1' });
    await seen.until((event) =>
      event.runs.some((run) => run.name === 'mine' && run.tags.join() === 'b,c' && run.note === '= 1'),
    );
    await client.call('runs.remove', { id });
    await seen.until((event) => event.runs.some((run) => run.id === id && run.deletedAt !== null));
    await client.call('runs.restore', { id });
    await client.call('sweeps.remove', { id: sweepId });
    await sweeps.until((event) => event.sweeps.some((sweep) => sweep.deletedAt !== null));
    expect((await client.call('sweeps.list', {})).sweeps).toEqual([]);
    await client.call('sweeps.restore', { id: sweepId });
    await client.call('sweeps.rename', { id: sweepId, name: 'again' });
    expect((await client.call('sweeps.list', {})).sweeps.map(({ name }) => name)).toEqual(['again']);
    const { sweep, draft } = await client.call('sweeps.get', { id: sweepId });
    expect(draft).toMatchObject({ recipe: 'quick', parameters: DRAFT.parameters, settings: DRAFT.settings });
    expect(sweep.counts.finished).toBe(2);
  });

  it('exports for a browser and, where the app chose it, to a file', async () => {
    await lab.open(finishing);
    const client = lab.client(true);
    const sweeps = new Watch(client, 'sweeps');
    const { runIds } = await client.call('sweeps.launch', { draft: DRAFT });
    await sweeps.until((event) => event.sweeps.some(({ state }) => state === 'finished'));
    const { url, bytes } = await client.call('export.runs', { runs: runIds });
    const file = lab.server.download(url!.split('/').at(-1)!)!;
    const text = readFileSync(file.path, 'utf8');
    expect([text.length, text.split('\n').length]).toEqual([bytes, 1 + 2 * 10 + 1]);
    const path = join(lab.home, 'chosen.csv');
    expect(await client.call('export.runs', { runs: runIds, format: 'csv-wide', path })).toMatchObject({ url: null });
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(4);
    expect(lab.server.download('../runs.sqlite')).toBeUndefined();
  });
});

describe('slow clients', () => {
  /** Points in two batches with a pause, so that a client can fall behind between them. */
  const bursts =
    (go: Promise<void>): Script =>
    async (engine) => {
      engine.emit({ type: 'begin', step: 0, keepUpTo: -1 });
      for (let i = 0; i < 60; i++) {
        engine.points('train/loss', i * 2000 + 1, (i + 1) * 2000, (step) => step);
        await engine.acknowledged();
      }
      await go;
      engine.points('train/loss', 120_001, 120_001, (step) => step);
      await engine.acknowledged();
      engine.end('finished', 'stop.steps reached', 120_001);
    };

  it('get no more live frames than they take, but every state (would catch memory that grows behind a sleeping laptop)', async () => {
    const { promise: go, resolve } = Promise.withResolvers<void>();
    await lab.open(bursts(go));
    const fast = lab.client();
    const watch = new Watch(fast, 'points');
    const finished = new Watch(fast, 'sweeps');
    // A client that never gives credit.
    const port = lab.port();
    const { messages, until } = listen(port);
    for (const topic of ['points', 'progress', 'runs', 'sweeps']) port.post({ kind: 'subscribe', topic });
    const parameters = { 'model.depth': { values: [1] } };
    const { runIds } = await fast.call('sweeps.launch', { draft: { ...DRAFT, parameters } });
    await watch.until(({ runs }) => runs.some(({ columns }) => columns.some(({ steps }) => steps.at(-1) === 120_000)));
    resolve();
    await finished.until((event) => event.sweeps.some(({ state }) => state === 'finished'));
    await until(
      (message) =>
        message.kind === 'event' && message.topic === 'sweeps' && JSON.stringify(message.data).includes('"finished"'),
    );
    await until(
      (message) =>
        message.kind === 'event' &&
        message.topic === 'runs' &&
        JSON.stringify(message.data).includes('"state":"finished"'),
    );
    const lossy = messages.filter(
      (message) => message.kind === 'event' && ['points', 'progress'].includes(message.topic),
    );
    expect(lossy).toHaveLength(CREDIT);
    // One frame at a time: what was missed comes from the database, reduced, and reaches the end.
    let last = 0;
    let count = 0;
    const { promise: complete, resolve: finish } = Promise.withResolvers<void>();
    port.onMessage((message) => {
      const { kind, topic, data } = message as {
        kind: string;
        topic: string;
        data: { runs: { columns: { steps: Float64Array }[] }[] };
      };
      if (kind === 'event' && topic === 'points') {
        for (const { columns } of data.runs)
          for (const { steps } of columns) {
            last = Math.max(last, steps.at(-1)!);
            count += steps.length;
          }
      }
      port.post({ kind: 'credit', frames: 1 });
      if (last === 120_001) finish();
    });
    port.post({ kind: 'credit', frames: 1 });
    await complete;
    expect(count).toBeLessThan(60_000);
    const series = unpackSeries((await fast.call('series.read', { runs: runIds, metric: 'train/loss' })).series);
    expect(series[0]!.points).toBe(120_001);
  });

  it('get states as soon as their carrier has room, each thing once', async () => {
    await lab.open(finishing);
    const client = lab.client();
    const own = lab.port();
    let full = true;
    const posted: HostMessage[] = [];
    const port: Port = {
      ...own,
      post: (message) => posted.push(message as HostMessage),
      pressure: () => (full ? MOST_PRESSURE : 0),
    };
    let receive: (message: unknown) => void = () => {};
    lab.server.connect({ ...port, onMessage: (listener) => (receive = listener) }, { trusted: false });
    for (const topic of ['runs', 'sweeps', 'queue', 'notice']) receive({ kind: 'subscribe', topic });
    const sweeps = new Watch(client, 'sweeps');
    const { runIds } = await client.call('sweeps.launch', { draft: DRAFT });
    await sweeps.until((event) => event.sweeps.some(({ state }) => state === 'finished'));
    const events = (topic: string) => posted.filter((message) => message.kind === 'event' && message.topic === topic);
    expect(events('runs')).toEqual([]);
    full = false;
    while (events('notice').length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const [runs, ...more] = events('runs') as unknown as { data: { runs: { id: string; state: string }[] } }[];
    expect(more.length).toBeLessThanOrEqual(1);
    expect(runs!.data.runs.map(({ id, state }) => [id, state]).sort()).toEqual(
      runIds.map((id) => [id, 'finished']).sort(),
    );
    expect(events('queue')).toHaveLength(1);
    expect(events('queue')[0]).toMatchObject({ data: { running: [], waiting: [] } });
  });
});

describe('a real engine', () => {
  it('that is killed with -9 is shown as failed, and a new run can train (would catch a host that waits for it)', async () => {
    await lab.open(undefined);
    const client = lab.client();
    const progress = new Watch(client, 'progress');
    const runs = new Watch(client, 'runs');
    const settings = { 'data.size': 20_000, 'stop.steps': 1_000_000, device: 'tfjs-cpu', 'eval.every_steps': 0 };
    const draft = { recipe: 'quick', settings };
    const { runIds } = await client.call('sweeps.launch', { draft });
    await progress.until(({ progress: all }) => all.some(({ step }) => step > 0));
    const folder = join(lab.home, 'engines');
    const [note] = readdirSync(folder);
    process.kill(Number.parseInt(note!, 10), 'SIGKILL');
    await runs.until((event) => event.runs.some(({ id, state }) => id === runIds[0] && state === 'failed'));
    const { run } = await client.call('runs.get', { id: runIds[0]! });
    expect(run.endReason).toContain('SIGKILL');
    const resumed = await client.call('runs.resume', { id: run.id });
    expect(['queued', 'running']).toContain(resumed.run.state);
    await runs.until((event) =>
      event.runs.some(({ id, state, attempt }) => id === run.id && state === 'running' && attempt === 2),
    );
    await client.call('runs.stop', { id: run.id });
  });
});

describe('a lab whose process was killed', () => {
  it('goes on with what trained, and says so to the first page (would catch a night without training, and a silent restart)', async () => {
    const dead = openStore(join(lab.home, 'runs.sqlite'));
    const { id } = dead.createRun({ name: 'a run', config: {}, seed: 0, settingKey: 'k' });
    dead.claimNext();
    dead.close();
    const hold = holding();
    await lab.open(hold.script);
    const notices = new Watch(lab.client(), 'notice');
    await expect(notices.until(() => true)).resolves.toMatchObject({
      level: 'info',
      message: 'An interrupted run goes on from the last checkpoint',
    });
    await hold.held;
    expect(lab.server.lab.store.getRun(id)).toMatchObject({ state: 'running', attempt: 2 });
    hold.release();
  });
});
