import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Draft } from '../../../preload/contract/draft.ts';
import { EMPTY_DRAFT } from '../../../preload/contract/draft.ts';
import { finishing, TestLab } from './support.ts';

let lab: TestLab;
let folder: string;
beforeEach(() => {
  lab = new TestLab();
  folder = mkdtempSync(join(tmpdir(), 'sweeplab-program-'));
});
afterEach(async () => {
  await lab.close();
  rmSync(folder, { recursive: true, force: true });
});

function draftOf(text: string, parts: Partial<Draft> = {}): Draft {
  const program = join(folder, 'script.mjs');
  writeFileSync(program, text);
  return {
    ...EMPTY_DRAFT,
    program,
    command: [process.execPath, '${program}', '${args}'],
    parameters: { lr: { values: [1, 2] } },
    ...parts,
  };
}

it('starts no program for a page that nobody was asked about (would catch a page that starts one)', async () => {
  await lab.open(finishing);
  const client = lab.client();
  const draft = draftOf('');
  const plan = await client.call('programs.plan', { draft, folder });
  expect(plan).toMatchObject({ runs: 2, settings: 2, problems: [], folder });
  expect(plan.commands[0]).toContain('script.mjs --lr=1');
  expect(plan.denied).toContain('serve --programs');
  await expect(client.call('programs.start', { draft, folder, limit: 1 })).rejects.toThrow('serve --programs');
  // Nor by the way that trains models, where the file has no effect.
  expect(lab.server.lab.store.listRuns()).toEqual([]);
});

it('asks the person with the very commands, and starts nothing after a no', async () => {
  const askStart = vi
    .fn<(words: string) => Promise<boolean>>()
    .mockResolvedValueOnce(false)
    .mockResolvedValueOnce(true);
  await lab.open(finishing, { askStart });
  const client = lab.client();
  const draft = draftOf('console.log(JSON.stringify({ step: 1, loss: 3 }))');
  await expect(client.call('programs.start', { draft, folder, limit: 1 })).rejects.toThrow('not started');
  expect(lab.server.lab.store.listRuns()).toEqual([]);
  const { sweepId } = await client.call('programs.start', { draft, folder, limit: 1 });
  expect(askStart.mock.calls[1]![0]).toContain('script.mjs --lr=2');
  const { store } = lab.server.lab;
  await vi.waitFor(() => expect(store.getSweep(sweepId)!.state).toBe('finished'), 20_000);
  expect(store.listRuns({ sweepId }).map(({ summary }) => summary)).toEqual([{ loss: 3 }, { loss: 3 }]);
  // Once more, as it was asked for.
  const [first] = store.listRuns({ sweepId });
  const { run } = await client.call('runs.rerun', { id: first!.id });
  await vi.waitFor(() => expect(store.getRun(run.id)!.state).toBe('finished'), 20_000);
});

it('stops a program, and goes on with it, from the page (would catch a run that nobody can end)', async () => {
  await lab.open(finishing, { askStart: () => Promise.resolve(true) });
  const client = lab.client();
  const draft = draftOf(
    `if (process.argv.includes('--again')) process.exit(0);
     console.log('ready'); setInterval(() => {}, 1000);`,
    { parameters: {}, resume: ['--again'] },
  );
  const { sweepId } = await client.call('programs.start', { draft, folder, limit: 1 });
  const { store } = lab.server.lab;
  const { id } = store.listRuns({ sweepId })[0]!;
  await vi.waitFor(() => expect(store.readEvents({ runId: id, kinds: ['log'] })).toHaveLength(1), 20_000);
  expect((await client.call('runs.stop', { id })).run).toMatchObject({ state: 'stopped', stopCause: 'cancelled' });
  await client.call('runs.resume', { id });
  await vi.waitFor(() => expect(store.getRun(id)).toMatchObject({ state: 'finished', attempt: 2 }), 20_000);
});

it('makes sweeps for agents, and says what cannot be started', async () => {
  await lab.open(finishing);
  const client = lab.client();
  const draft = draftOf('', { project: 'mine' });
  const { sweepId, agent } = await client.call('programs.handOut', { draft });
  expect(agent).toBe(`wandb agent sweeplab/mine/${sweepId}`);
  expect(lab.server.lab.store.getSweep(sweepId)).toMatchObject({ origin: 'wandb', counts: { queued: 2 } });
  const plan = await client.call('programs.plan', { draft: { ...draft, method: 'random' }, folder: 'relative' });
  expect(plan.problems.join(' ')).toMatch(/run_cap.*whole path/u);
  await expect(client.call('programs.handOut', { draft: { ...draft, method: 'bayes' } })).rejects.toThrow('bayes');
});

it('shows the memory that earlier runs of the script needed, whoever started them (would catch a peak of another script)', async () => {
  await lab.open(finishing);
  const { store } = lab.server.lab;
  const ran = async (program: string, bytes: number): Promise<string> => {
    const name = `${program} ${bytes}`;
    const run = { name, config: {}, seed: 1, settingKey: name, state: 'finished', origin: 'wandb' } as const;
    const { id } = store.createRun({ ...run, environment: { program } });
    const column = (metric: string, values: number[]) => ({
      metric,
      steps: Float64Array.from(values, (_, i) => i),
      values: Float64Array.from(values),
    });
    await store.appendMetrics(id, [
      column('system/gpu.0.memoryAllocatedBytes', [bytes, bytes / 2]),
      column('system/proc.memory.rssMB', [10]),
    ]);
    return id;
  };
  await ran('/home/me/script.mjs', 1000);
  const most = await ran('/elsewhere/script.mjs', 3000);
  await ran('/home/me/another.mjs', 9000);
  const { memory, hostBytes } = await lab.client().call('programs.plan', { draft: draftOf(''), folder });
  expect(memory).toMatchObject({ script: 'script.mjs', runs: 2, card: { bytes: 3000, run: most } });
  expect(memory!.host!.bytes).toBe(10 * 2 ** 20);
  expect(hostBytes).toBeGreaterThan(0);
  const other = { ...draftOf(''), program: 'none.mjs' };
  expect((await lab.client().call('programs.plan', { draft: other, folder })).memory).toBeNull();
});
