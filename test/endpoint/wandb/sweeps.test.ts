/** Sweeps of the client: what it creates, what its agents are handed out, and what the person at the lab wants of them. */
import { expect, it } from 'vitest';
import { parseSweep } from '../../../main/lab/sweeps/index.ts';
import { nextRuns, scriptSweep } from '../../../main/lab/outside/sweepPlan.ts';
import type { Listening } from './listening.ts';
import { listening, recorded } from './listening.ts';

interface Command {
  readonly type: string;
  readonly run_id: string;
  readonly program: string;
  readonly args: Readonly<Record<string, { readonly value: unknown }>>;
}

const GRID = `
program: train.py
method: grid
metric: { name: loss, goal: minimize }
seeds: 2
parameters:
  lr: { values: [0.1, 0.2, 0.3] }
  n: { value: 3 }
`;

async function sweepOf(lab: Listening, config: string): Promise<string> {
  const answer = await lab.graphql('UpsertSweep', { config, projectName: 'swept', entityName: null });
  return (answer.upsertSweep as { sweep: { name: string } }).sweep.name;
}

/** An agent as the client's: asks, runs what it is given, asks again. */
async function agentOf(lab: Listening, sweep: string) {
  const created = await lab.graphql('CreateAgent', { sweep, projectName: 'swept', host: 'desk' });
  const { id } = (created.createAgent as { agent: { id: string } }).agent;
  return async (busy: readonly string[] = []): Promise<Command | undefined> => {
    const runState = JSON.stringify(Object.fromEntries(busy.map((run) => [run, true])));
    const answer = await lab.graphql('Heartbeat', { id, metrics: '{}', runState });
    const commands = JSON.parse((answer.agentHeartbeat as { commands: string }).commands) as Command[];
    expect(commands.length).toBeLessThan(2);
    return commands[0];
  };
}

async function runScript(lab: Listening, sweep: string, { run_id: name, args }: Command, exitcode = 0): Promise<void> {
  const config = JSON.stringify({ ...args, extra: { value: 1 } });
  const begun = await lab.graphql('UpsertBucket', { name, project: 'swept', sweep, config });
  expect(begun.upsertBucket).toMatchObject({ inserted: false, bucket: { sweepName: sweep } });
  const history = { offset: 0, content: [0, 1, 2].map((i) => JSON.stringify({ _step: i, loss: 3 - i })) };
  await lab.send(`/files/sweeplab/swept/${name}/file_stream`, {
    files: { 'wandb-history.jsonl': history, 'wandb-summary.json': { offset: 0, content: ['{"loss":1}'] } },
    complete: true,
    exitcode,
  });
}

it('answers the client as it asks (recorded from wandb sweep and wandb agent)', async () => {
  const lab = await listening();
  const asked = recorded('sweep');
  const created = await lab.send(
    '/graphql',
    asked.find(({ body }) => String(body.query).includes('UpsertSweep'))!.body,
  );
  const { name: id } = (created.data.upsertSweep as { sweep: { name: string } }).sweep;
  const withId = (word: string) => {
    const { body } = asked.find(({ body: { query } }) => String(query).includes(`${word}(`))!;
    return { ...body, variables: { ...(body.variables as object), sweep: id } };
  };
  const whole = await lab.send('/graphql', withId('SweepWithRuns'));
  expect(whole.data.project).toMatchObject({ sweep: { name: id, method: 'grid', state: 'RUNNING' } });
  expect((whole.data.project as { sweep: { config: string } }).sweep.config).toContain('swept.py');
  const agent = await lab.send('/graphql', withId('CreateAgent'));
  const { id: agentId } = (agent.data.createAgent as { agent: { id: string } }).agent;
  const beat = asked.find(({ body }) => String(body.query).includes('Heartbeat'))!.body;
  const reply = await lab.send('/graphql', { ...beat, variables: { ...(beat.variables as object), id: agentId } });
  const [command] = JSON.parse((reply.data.agentHeartbeat as { commands: string }).commands) as Command[];
  expect(command).toMatchObject({
    type: 'run',
    program: 'swept.py',
    args: { lr: { value: 0.1 }, n: { value: 3 }, seed: { value: 1 } },
  });
});

it('hands out each setting with each seed once, to whoever asks, over a restart (would catch a combination that runs twice or never)', async () => {
  const lab = await listening();
  const sweep = await sweepOf(lab, GRID);
  const agents = [await agentOf(lab, sweep), await agentOf(lab, sweep), await agentOf(lab, sweep)];
  const given: Command[] = [];
  for (const [i, turn] of [0, 1, 2, 0, 1].entries()) {
    const command = (await agents[turn]!())!;
    given.push(command);
    // While it works it is given nothing.
    expect(await agents[turn]!([command.run_id])).toBeUndefined();
    await runScript(lab, sweep, command);
    if (i === 2) await lab.restart();
  }
  given.push((await agents[2]!())!);
  expect((await agents[0]!())!.type).toBe('exit');
  await runScript(lab, sweep, given.at(-1)!);
  const combinations = given.map(({ args }) => `${String(args.lr!.value)} ${String(args.seed!.value)}`);
  expect(combinations.sort()).toEqual(['0.1 1', '0.1 2', '0.2 1', '0.2 2', '0.3 1', '0.3 2']);
  const runs = lab.store.listRuns({ sweepId: sweep });
  expect(runs).toHaveLength(6);
  expect(new Set(runs.map(({ settingKey }) => settingKey)).size).toBe(3);
  expect(
    runs.every(({ state, config }) => state === 'finished' && config.extra === 1 && config.seed !== undefined),
  ).toBe(true);
  expect(lab.store.getSweep(sweep)!.state).toBe('finished');
});

it('hands failed runs out again on request, without what they logged before (would catch points of two tries in one curve)', async () => {
  const lab = await listening();
  const sweep = await sweepOf(lab, GRID.replace('seeds: 2', 'seeds: 1').replace('[0.1, 0.2, 0.3]', '[0.1]'));
  const agent = await agentOf(lab, sweep);
  const first = (await agent())!;
  expect(first.args.seed).toBeUndefined();
  await runScript(lab, sweep, first, 1);
  expect((await agent())!.type).toBe('exit');
  const { sweeps } = lab;
  expect(sweeps.requeue(sweep, true)).toBe(1);
  const second = (await agent())!;
  expect(second.run_id).toBe(first.run_id);
  await runScript(lab, sweep, second);
  const [run] = lab.store.listRuns({ sweepId: sweep });
  expect(run).toMatchObject({ state: 'finished', attempt: 2 });
  expect([...lab.store.readAll(run!.id, 'loss').value]).toEqual([3, 2, 1]);
});

it('stops a run, and a sweep, through the next heartbeat (would catch an agent that goes on for nobody)', async () => {
  const lab = await listening();
  const sweep = await sweepOf(lab, GRID);
  const agent = await agentOf(lab, sweep);
  const first = (await agent())!;
  const { sweeps } = lab;
  sweeps.stopRun(lab.store.getRun(first.run_id)!);
  expect(await agent([first.run_id])).toMatchObject({ type: 'stop', run_id: first.run_id });
  await lab.send(`/files/sweeplab/swept/${first.run_id}/file_stream`, { complete: true, exitcode: 255 });
  expect(lab.store.getRun(first.run_id)).toMatchObject({ state: 'stopped', stopCause: 'cancelled' });
  const second = (await agent())!;
  sweeps.stopSweep(sweep);
  expect(await agent([second.run_id])).toMatchObject({ type: 'stop' });
  expect((await agent())!.type).toBe('exit');
  expect(lab.store.listRuns({ sweepId: sweep, state: 'queued' })).toEqual([]);
  // Four were never begun; the cancelled one stays so.
  expect(sweeps.requeue(sweep, false)).toBe(4);
});

it.each([
  [
    'method: bayes\nmetric: { name: loss }\nparameters: { lr: { min: 0.1, max: 0.2 } }',
    /method is bayes; allowed: grid or random/u,
  ],
  [
    'method: grid\nearly_terminate: { type: hyperband, min_iter: 3 }\nparameters: { lr: { values: [1] } }',
    /early_terminate is hyperband/u,
  ],
  ['method: grid\nparameters: { lr: { min: 0.1, max: 0.2 } }', /values/u],
  ['method: grid\nparameters: { lr: { valuess: [1] } }', /valuess/u],
  ['method: [', /Flow sequence/u],
  ['', /empty/u],
])('refuses what it cannot run, with words, and makes nothing of it: %s', async (config, words) => {
  const lab = await listening();
  const body = { operationName: 'UpsertSweep', query: '', variables: { config, projectName: 'swept' } };
  const reply = await lab.send('/graphql', body);
  expect(reply.status).toBe(400);
  expect(reply.text).toMatch(words);
  expect(lab.store.listSweeps()).toEqual([]);
});

it('plans sweeps without an end some ahead, and goes on where it was (would catch draws that begin again)', () => {
  const { sweep } = parseSweep(
    'method: random\nseeds: 3\nparameters: { lr: { distribution: uniform, min: 0, max: 1 } }',
  );
  const first = nextRuns(scriptSweep(sweep!), 0);
  const second = nextRuns(scriptSweep(sweep!), first.length);
  const keys = [...first, ...second].map(({ config }) => JSON.stringify(config));
  expect(first.length % 3).toBe(0);
  expect(first.length).toBeGreaterThan(3);
  expect(new Set(keys).size).toBe(keys.length);
  const capped = parseSweep(
    'method: random\nrun_cap: 7\nseeds: 3\nparameters: { lr: { distribution: uniform, min: 0, max: 1 } }',
  );
  const runs = nextRuns(scriptSweep(capped.sweep!), 0);
  // No setting is left with some of its seeds.
  expect(runs.map(({ seed }) => seed)).toEqual([1, 2, 3, 1, 2, 3]);
  expect(nextRuns(scriptSweep(capped.sweep!), 6)).toEqual([]);
  const seeded = parseSweep('method: grid\nparameters: { seed: { values: [5, 7] }, lr: { values: [1, 2] } }');
  expect(nextRuns(scriptSweep(seeded.sweep!), 0).map(({ config, seed }) => [config.lr, seed])).toEqual([
    [1, 5],
    [1, 7],
    [2, 5],
    [2, 7],
  ]);
});

it('keeps the settings of a sweep together while its scripts say more of themselves (would catch seeds torn apart, or arguments that no script knows)', async () => {
  const lab = await listening();
  const id = await sweepOf(lab, GRID);
  const ask = await agentOf(lab, id);
  const first = (await ask())!;
  await runScript(lab, id, first, 1);
  const runs = () => lab.store.listRuns({ sweepId: id });
  expect(runs().map(({ config }) => [config.lr, config.seed, config.extra])).toEqual([
    [0.1, 1, 1],
    [0.1, 2, 1],
    [0.2, 1, undefined],
    [0.2, 2, undefined],
    [0.3, 1, undefined],
    [0.3, 2, undefined],
  ]);
  expect(new Set(runs().map(({ settingKey }) => settingKey)).size).toBe(3);
  expect((await ask())!.args).toEqual({ lr: { value: 0.1 }, n: { value: 3 }, seed: { value: 2 } });
  lab.sweeps.requeue(id, true);
  const again = (await ask())!;
  expect(again).toMatchObject({ run_id: first.run_id });
  expect(again.args).toEqual(first.args);
});

it('takes a script for stopped that its agent has ended without a word (would catch a run that trains for ever, or has crashed)', async () => {
  const lab = await listening();
  const id = await sweepOf(lab, GRID);
  const ask = await agentOf(lab, id);
  const other = await agentOf(lab, id);
  const first = (await ask())!;
  const kept = (await other())!;
  const run = (name: string) => lab.store.getRun(name)!;
  lab.sweeps.stopRun(run(first.run_id));
  expect(await ask([first.run_id])).toMatchObject({ type: 'stop', run_id: first.run_id });
  // The word of another agent is none about it.
  expect(await other([kept.run_id])).toBeUndefined();
  expect(run(first.run_id).state).toBe('running');
  expect(await ask()).toMatchObject({ type: 'run' });
  expect(run(first.run_id)).toMatchObject({ state: 'stopped', stopCause: 'cancelled' });
  expect(run(kept.run_id).state).toBe('running');
});
