/**
 * The real, unmodified client against the lab. It needs a Python with wandb: SWEEPLAB_PYTHON, or python3. Where there is none, the tests say so
 * and are skipped.
 */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { exportedFiles, exportedRun, expectSame } from '../endpoint/wandb/exportedRun.ts';
import { KEY, listening } from '../endpoint/wandb/listening.ts';
import type { Listening } from '../endpoint/wandb/listening.ts';
import { newStore, temporaryFolder } from '../store/support.ts';

const PYTHON = process.env.SWEEPLAB_PYTHON ?? 'python3';
const found = spawnSync(PYTHON, ['-c', 'import sys, wandb; print(wandb.__version__, sys.prefix)'], {
  encoding: 'utf8',
});
const there = found.status === 0;
if (!there) console.warn(`skipped: ${PYTHON} has no wandb; SWEEPLAB_PYTHON names a Python that does`);

interface Ended {
  readonly code: number | null;
  readonly text: string;
}

function environment({ endpoint }: Pick<Listening, 'endpoint'>, folder: string): NodeJS.ProcessEnv {
  const inside = (name: string): string => join(folder, name);
  return {
    ...process.env,
    PATH: `${dirname(PYTHON)}${delimiter}${process.env.PATH ?? ''}`,
    HOME: folder,
    WANDB_BASE_URL: endpoint.url,
    WANDB_API_KEY: KEY,
    WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL: '1',
    WANDB_DIR: folder,
    WANDB_CACHE_DIR: inside('cache'),
    WANDB_CONFIG_DIR: inside('config'),
    WANDB_DATA_DIR: inside('data'),
  };
}

function start(
  lab: Listening,
  folder: string,
  args: readonly string[],
): ChildProcess & { readonly ended: Promise<Ended> } {
  const child = spawn(PYTHON, args, { cwd: folder, env: environment(lab, folder), detached: true });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, text })));
  return Object.assign(child, { ended });
}

const CLI = ['-c', 'import sys; from wandb.cli.cli import cli; sys.exit(cli())'];

describe.skipIf(!there)(`the W&B client ${found.stdout?.split(' ')[0] ?? ''}`, () => {
  it('logs, to the row, and goes on with a run (would catch points that are lost between two processes)', async () => {
    const lab = await listening();
    const folder = temporaryFolder();
    const script = `
import sys, wandb
run = wandb.init(project="rows", id="again", resume="allow", config={"lr": 0.1, "seed": 4})
begin = 1000 if run.resumed else 0
for i in range(begin, begin + 1000): wandb.log({"k%d" % j: i * 200 + j for j in range(50)})
`;
    writeFileSync(join(folder, 'rows.py'), script);
    for (let times = 1; times <= 2; times++) {
      const { code, text } = await start(lab, folder, ['rows.py']).ended;
      expect(code, text).toBe(0);
      const [run] = lab.store.listRuns();
      expect(run).toMatchObject({ state: 'finished', seed: 4, attempt: times, steps: times * 1000 - 1 });
      for (const j of [0, 17, 49]) {
        const { step, value } = lab.store.readAll(run!.id, `k${j}`);
        expect([...step]).toEqual(Array.from({ length: times * 1000 }, (_, i) => i));
        expect([...value]).toEqual(Array.from({ length: times * 1000 }, (_, i) => i * 200 + j));
      }
    }
  }, 240_000);

  it('runs a sweep with two agents, one of which is killed (would catch a combination that is lost with its agent)', async () => {
    const lab = await listening();
    const folder = temporaryFolder();
    writeFileSync(
      join(folder, 'swept.py'),
      `
import argparse, os, time, wandb
p = argparse.ArgumentParser()
p.add_argument("--lr", type=float); p.add_argument("--seed", type=int)
a = p.parse_args()
wandb.init(config=vars(a))
open(os.environ["WANDB_RUN_ID"] + ".pid", "w").write(str(os.getpid()))
for i in range(10):
    wandb.log({"loss": a.lr / (i + 1) + a.seed}); time.sleep(0.3)
`,
    );
    writeFileSync(
      join(folder, 'sweep.yaml'),
      'program: swept.py\nmethod: grid\nseeds: 2\nparameters: { lr: { values: [1, 2, 3] } }\n',
    );
    const made = await start(lab, folder, [...CLI, 'sweep', '--project', 'swept', 'sweep.yaml']).ended;
    const id = /wandb agent (\S+)/u.exec(made.text)?.[1];
    expect(id, made.text).toBeDefined();
    const sweepId = lab.store.listSweeps()[0]!.id;
    const doomed = start(lab, folder, [...CLI, 'agent', id!]);
    const other = start(lab, folder, [...CLI, 'agent', id!]);
    const running = (): string[] => lab.store.listRuns({ sweepId, state: 'running' }).map((run) => run.id);
    while (running().length < 2 || !running().every((run) => existsSync(join(folder, `${run}.pid`)))) await pause(200);
    await pause(2000);
    // The agent first, so that it cannot tell of its script's end; each agent has one of the two that run.
    const before = running();
    process.kill(doomed.pid!, 'SIGKILL');
    for (const id of before) {
      const pid = Number(readFileSync(join(folder, `${id}.pid`), 'utf8'));
      const parent = /^PPid:\s*(\d+)/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      if (Number(parent) !== other.pid) process.kill(pid, 'SIGKILL');
    }
    const { code, text } = await other.ended;
    expect(code, text).toBe(0);
    const states = lab.store.listRuns({ sweepId }).map(({ state }) => state);
    expect(states.filter((state) => state === 'finished')).toHaveLength(5);
    // Where nobody speaks for it any more, silence ends it.
    for (const lost of running()) lab.store.setRunState(lost, 'failed', { reason: 'crashed' });
    expect(lab.sweeps.requeue(sweepId, true)).toBe(1);
    expect((await start(lab, folder, [...CLI, 'agent', id!]).ended).code).toBe(0);
    const runs = lab.store.listRuns({ sweepId });
    expect(runs.map(({ state }) => state)).toEqual(runs.map(() => 'finished'));
    const combinations = runs.map(({ config }) => `${String(config.lr)} ${String(config.seed)}`).sort();
    expect(combinations).toEqual(['1 1', '1 2', '2 1', '2 2', '3 1', '3 2']);
    for (const run of runs) expect(lab.store.readAll(run.id, 'loss').step).toHaveLength(10);
  }, 400_000);

  it('sends an exported folder back, equal (would catch a round trip that loses)', async () => {
    const here = newStore();
    const sent = await exportedRun(here);
    const lab = await listening();
    const folder = temporaryFolder();
    for (const { path, content } of exportedFiles(here, sent)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    const [run] = readdirSync(folder).filter((name) => name.startsWith('offline-run-'));
    const { text } = await start(lab, folder, [...CLI, 'sync', run!]).ended;
    expect(lab.store.listRuns(), text).toHaveLength(1);
    expectSame(lab.store, lab.store.listRuns()[0]!, here, sent);
  }, 240_000);

  it('is told why a wrong key is refused', async () => {
    const lab = await listening();
    const folder = temporaryFolder();
    writeFileSync(
      join(folder, 'key.py'),
      'import os, wandb\nos.environ["WANDB_API_KEY"] = "f" * 40\nwandb.init(project="p", resume="allow", id="x")\n',
    );
    const { code, text } = await start(lab, folder, ['key.py']).ended;
    expect(code).not.toBe(0);
    expect(text).toContain('sweeplab wandb env');
  }, 240_000);
});
