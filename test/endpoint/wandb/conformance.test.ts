/** What the real client sends, replayed: recorded from wandb 0.30.0 running a script of some lines, and the same script again. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { KEY, listening, recorded, replay } from './listening.ts';

const only = <T>(list: readonly T[]): T => {
  expect(list).toHaveLength(1);
  return list[0]!;
};

it('takes init, log, config, summary, alert and finish of the client (would catch an answer that it does not understand, a value lost)', async () => {
  const lab = await listening();
  const replies = await replay(lab, recorded('run'));
  expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200));
  const run = only(lab.store.listRuns());
  expect(run).toMatchObject({
    name: 'a first run',
    origin: 'wandb',
    state: 'finished',
    seed: 7,
    note: 'a note',
    tags: ['one', 'three', 'two'],
    config: { lr: 0.1, 'model.depth': 2, 'model.widths': '[3,4]', late: 5, seed: 7 },
    steps: 5,
  });
  // Recorded long ago: it began and ended when its own clock said so.
  expect(new Date(run.startedAt!).toISOString()).toMatch(/^2023-09-27T01:25:/u);
  expect(run.endedAt! - run.startedAt!).toBeLessThan(5000);
  // A place is no setting, and nothing is no value.
  expect(Object.keys(run.config).sort()).toEqual(['late', 'lr', 'model.depth', 'model.widths', 'seed']);
  expect(run.environment).toMatchObject({
    project: 'char-lm',
    group: 'g1',
    job_type: 'train',
    output_dir: '/x/y',
    wandb: '0.30.0',
  });
  expect(run.summary).toMatchObject({ loss: 1 / 6, best: 0.05, 'val/acc': 1, 'nested.a': 5 });
  const points = (metric: string): number[][] => {
    const { step, value } = lab.store.readAll(run.id, metric);
    return [[...step], [...value]];
  };
  expect(points('loss')).toEqual([
    [0, 1, 2, 3, 4, 5],
    [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5, 1 / 6],
  ]);
  expect(points('odd')).toEqual([
    [0, 1, 2, 3, 4, 5],
    [1, 1, 1, Number.NaN, Number.NEGATIVE_INFINITY, 1],
  ]);
  expect(points('even')[1]).toEqual([1, 0, 1, 0, 1, 0]);
  expect(points('seconds')[0]).toEqual([0, 1, 2, 3, 4, 5]);
  expect(points('text')).toEqual([[], []]);
  const system = lab.store.metricNames(run.id).filter((name) => name.startsWith('system/'));
  expect(system).toContain('system/cpu');
  const log = lab.store.readEvents({ runId: run.id, kinds: ['log'] }).map(({ message }) => message);
  expect(log).toEqual([...[0, 1, 2, 3, 4, 5].map((i) => `step ${i}`), 'progress 2', 'last words']);
  const warnings = lab.store.readEvents({ runId: run.id, kinds: ['warning'] }).map(({ message }) => message);
  expect(warnings).toEqual(['Hot: the loss is low', 'not numbers, and not kept as points: text']);
  expect(lab.store.getSweep(run.sweepId!)).toMatchObject({ name: 'char-lm', origin: 'wandb', state: 'finished' });
});

it('keeps the files of a run, and each address takes one file (would catch a file that nobody finds, or an address for all)', async () => {
  const lab = await listening();
  const requests = recorded('run');
  const replies = await replay(lab, requests);
  const at = requests.findIndex(({ body }) => body.operationName === 'CreateRunFiles');
  const { files } = replies[at]!.data.createRunFiles as { files: { name: string; uploadUrl: string }[] };
  expect(files.map(({ name }) => name)).toContain('config.yaml');
  const { name, uploadUrl } = files.find((file) => file.name === 'config.yaml')!;
  const path = new URL(uploadUrl).pathname;
  const put = { method: 'PUT', key: null } as const;
  expect((await lab.send(path, 'lr: 0.1\n', put)).status).toBe(200);
  const [{ id }] = lab.store.listRuns();
  expect(readFileSync(join(lab.folder, 'files', id, name), 'utf8')).toBe('lr: 0.1\n');
  expect((await lab.send(path, 'other', put)).status).toBe(404);
  expect(readFileSync(join(lab.folder, 'files', id, name), 'utf8')).toBe('lr: 0.1\n');
});

it('goes on with a run that the client resumes (would catch points that are doubled, or steps that begin again)', async () => {
  const lab = await listening();
  const requests = recorded('resume');
  const begins = requests.flatMap(({ body }, i) => (body.operationName === 'RunResumeStatus' ? [i] : []));
  expect(begins).toHaveLength(2);
  const replies = await replay(lab, requests);
  const [first, second] = begins.map(
    (i) => (replies[i]!.data.model as { bucket: Record<string, string> | null }).bucket,
  );
  expect(first).toBeNull();
  expect(second).toMatchObject({ name: 'resume01', historyLineCount: 4, wandbConfig: '{"t":{}}' });
  const [tail] = JSON.parse(second!.historyTail!) as string[];
  expect(JSON.parse(tail!)).toMatchObject({ _step: 3 });
  expect(JSON.parse(second!.config!)).toMatchObject({ lr: { value: 0.2 }, seed: { value: 3 } });
  expect(JSON.parse(second!.summaryMetrics!)).toMatchObject({ loss: 0.25, _step: 3 });
  const run = only(lab.store.listRuns());
  expect([...lab.store.readAll(run.id, 'loss').step]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(run).toMatchObject({ state: 'failed', endReason: 'the script ended with exit code 3', attempt: 2, seed: 3 });
  expect(lab.ended.map(({ state }) => state)).toEqual(['finished', 'failed']);
});

it('counts a batch once that comes twice, overlaps, or comes after a restart (would catch lines that are taken for new)', async () => {
  const lab = await listening();
  const upsert = recorded('run').find(({ body }) => body.operationName === 'UpsertBucket')!;
  await replay(lab, [upsert]);
  const stream = '/files/sweeplab/char-lm/first001/file_stream';
  const lines = Array.from({ length: 10 }, (_, i) => JSON.stringify({ _step: i, _runtime: i, loss: 10 - i }));
  const said = Array.from({ length: 10 }, (_, i) => `2023-09-27T01:25:1${i}.000000 line ${i}`);
  const batch = (from: number, to: number) => ({
    files: {
      'wandb-history.jsonl': { offset: from, content: lines.slice(from, to) },
      'output.log': { offset: from, content: said.slice(from, to) },
    },
  });
  await lab.send(stream, batch(0, 4));
  await lab.send(stream, batch(0, 4));
  await lab.send(stream, batch(2, 6));
  await lab.restart();
  await lab.send(stream, batch(0, 10));
  await lab.send(stream, { complete: true, exitcode: 0 });
  const run = only(lab.store.listRuns());
  expect([...lab.store.readAll(run.id, 'loss').value]).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  const log = lab.store.readEvents({ runId: run.id, kinds: ['log'] }).map(({ message }) => message);
  expect(log).toEqual(Array.from({ length: 10 }, (_, i) => `line ${i}`));
  expect(lab.store.readEvents({ runId: run.id, kinds: ['warning'] })).toEqual([]);
});

it('writes a large batch in pieces, whole, once, and none of a wrong one (would catch pieces that are lost, doubled or out of turn)', async () => {
  const lab = await listening();
  await lab.graphql('UpsertBucket', { name: 'large', project: 'p', config: '{}' });
  const stream = '/files/sweeplab/p/large/file_stream';
  const [ROWS, COLUMNS] = [300, 200];
  const content = Array.from({ length: ROWS }, (_, step) =>
    JSON.stringify({
      _step: step,
      ...Object.fromEntries(Array.from({ length: COLUMNS }, (_each, k) => [`k${k}`, step * k])),
    }),
  );
  const files = { 'wandb-history.jsonl': { offset: 0, content } };
  const wrong = { 'wandb-history.jsonl': { offset: 0, content: [...content, 'no JSON'] } };
  expect((await lab.send(stream, { files: wrong })).status).toBe(400);
  expect(lab.store.metricStates(lab.store.listRuns()[0]!.id)).toEqual({});
  // The client sends again what it takes for lost while the first is at work.
  const answers = await Promise.all([1, 2, 3].map(() => lab.send(stream, { files })));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  const { id } = lab.store.listRuns()[0]!;
  for (const k of [0, 7, COLUMNS - 1]) {
    const { step, value } = lab.store.readAll(id, `k${k}`);
    expect([...step]).toEqual(content.map((_, i) => i));
    expect([...value]).toEqual(content.map((_, i) => i * k));
  }
  expect(lab.store.readEvents({ runId: id, kinds: ['warning'] })).toEqual([]);
});

it('takes packed bodies, and a stop reaches the client with its next batch', async () => {
  const lab = await listening();
  await replay(lab, recorded('run').slice(0, 3));
  const run = only(lab.store.listRuns());
  const stream = '/files/sweeplab/char-lm/first001/file_stream';
  const body = { files: { 'wandb-history.jsonl': { offset: 0, content: ['{"_step":0,"loss":NaN}'] } } };
  const packed = gzipSync(JSON.stringify(body));
  expect((await lab.send(stream, packed, { headers: { 'content-encoding': 'gzip' } })).text).not.toContain('stopped');
  expect([...lab.store.readAll(run.id, 'loss').value]).toEqual([Number.NaN]);
  lab.runs.byId(run.id)!.stopWanted = true;
  expect(JSON.parse((await lab.send(stream, {})).text)).toMatchObject({ stopped: true });
  await lab.send(stream, { complete: true, exitcode: 255 });
  expect(lab.store.getRun(run.id)).toMatchObject({ state: 'stopped', stopCause: 'cancelled' });
});

it('gives up a run that is silent, and takes it up when it speaks again (would catch a crash that nobody sees)', async () => {
  const clock = { now: Date.now() };
  const lab = await listening(clock);
  await replay(lab, recorded('run').slice(0, 3));
  const run = only(lab.store.listRuns());
  lab.runs.endSilent();
  expect(lab.store.getRun(run.id)!.state).toBe('running');
  clock.now += 6 * 60_000;
  lab.runs.endSilent();
  expect(lab.store.getRun(run.id)).toMatchObject({
    state: 'failed',
    endReason: 'crashed: nothing was heard of it for 5 minutes',
  });
  await lab.send('/files/sweeplab/char-lm/first001/file_stream', {});
  expect(lab.store.getRun(run.id)!.state).toBe('running');
});

it('lets nobody in without the key, and says what to do (would catch a door that a web page or another user can open)', async () => {
  const lab = await listening();
  const viewer = { operationName: 'Viewer', query: 'query Viewer { viewer { id } }', variables: {} };
  for (const key of [null, '', 'f'.repeat(40), KEY.slice(1), `${KEY}0`]) {
    const reply = await lab.send('/graphql', viewer, { key });
    expect(reply.status).toBe(401);
    expect(reply.text).toContain('sweeplab wandb env');
  }
  expect((await lab.send('/graphql', viewer, { headers: { origin: 'http://127.0.0.1' } })).status).toBe(403);
  expect((await lab.send('/graphql', viewer, { headers: { host: 'evil.example:80' } })).status).toBe(421);
  expect((await lab.send('/graphql', viewer)).data.viewer).toMatchObject({ entity: 'sweeplab' });
  expect((await lab.send('/sdk/otel/v1/metrics', 'x', { key: null })).status).toBe(200);
});

it('answers questions that it does not know with nulls (would catch a client that asks again for minutes)', async () => {
  const lab = await listening();
  const query = 'query Some ($a: String) { first: entity(name: $a) { id organization { coreWeave } } second { x } }';
  expect((await lab.send('/graphql', { query, variables: { a: 'b' } })).data).toEqual({ first: null, second: null });
});

it('refuses changes that it does not make, with words (would catch a client that ends itself over an artifact that is null)', async () => {
  const lab = await listening();
  await lab.graphql('UpsertBucket', { name: 'r', project: 'p', config: '{}' });
  const query =
    'mutation CreateArtifact ($input: CreateArtifactInput!) { createArtifact(input: $input) { artifact { id } } }';
  const variables = { input: { projectName: 'p', runName: 'r', artifactCollectionName: 'model' } };
  const { status, text } = await lab.send('/graphql', { query, variables });
  expect(status).toBe(400);
  expect(text).toContain('this lab keeps no artifacts');
  const { id } = lab.store.listRuns()[0]!;
  expect(lab.store.readEvents({ runId: id, kinds: ['warning'] }).map(({ message }) => message)).toEqual([
    expect.stringContaining('artifact model is not kept'),
  ]);
  const other = await lab.send('/graphql', { query: 'mutation DeleteRun { deleteRun { x } }', variables: {} });
  expect(other.text).toContain('DeleteRun is nothing that this lab does');
});

it('refuses what is too long, packed or not, before it is taken into memory (would catch an archive of zeros that fills it)', async () => {
  const lab = await listening();
  const bomb = gzipSync(Buffer.alloc(80 << 20));
  expect(bomb.length).toBeLessThan(100_000);
  const before = process.memoryUsage().rss;
  const reply = await lab.send('/graphql', bomb, { headers: { 'content-encoding': 'gzip' } });
  expect(reply.status).toBe(413);
  expect(process.memoryUsage().rss - before).toBeLessThan(60 << 20);
});

it('keeps files within the folder of their run, whatever they are called', async () => {
  const lab = await listening();
  await replay(lab, recorded('run').slice(0, 3));
  const names = [
    '../x',
    '/etc/x',
    'a/../../x',
    '..',
    '.',
    '',
    'a//b',
    'C:\\x',
    'a\\..\\b',
    'nul',
    'x\u0000',
    'a/b.',
    `${'d/'.repeat(20)}x`,
    7,
    null,
  ];
  for (const name of names) {
    const body = {
      operationName: 'CreateRunFiles',
      query: '',
      variables: { project: 'char-lm', run: 'first001', files: [name] },
    };
    const reply = await lab.send('/graphql', body);
    expect(reply.status, String(name)).toBe(400);
  }
  expect(existsSync(join(lab.folder, 'x'))).toBe(false);
});
