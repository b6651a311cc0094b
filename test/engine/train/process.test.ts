import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { EngineMessage, EngineStart } from '../../../preload/contract/engine.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { temporaryFolder, testConfig } from './helpers.ts';

const ENTRY = fileURLToPath(new URL('../../../main/engine/main.ts', import.meta.url));

/** A real engine process with its messages. */
class Engine {
  readonly child: ChildProcess;
  readonly messages: EngineMessage[] = [];
  readonly exited: Promise<[number | null, string | null]>;
  stderr = '';

  constructor(onMessage: (message: EngineMessage, child: ChildProcess) => void = () => {}) {
    this.child = fork(ENTRY, [], {
      serialization: 'advanced',
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.exited = once(this.child, 'exit') as Promise<[number | null, string | null]>;
    this.child.stderr!.on('data', (data) => (this.stderr += String(data)));
    this.child.on('message', (message) => {
      this.messages.push(message as EngineMessage);
      onMessage(message as EngineMessage, this.child);
    });
    onTestFinished(() => void this.child.kill('SIGKILL'));
  }

  of<T extends EngineMessage['type']>(type: T): Extract<EngineMessage, { type: T }>[] {
    return this.messages.filter((each): each is Extract<EngineMessage, { type: T }> => each.type === type);
  }
}

function startMessage(folder: string, config: Config, resume = false): EngineStart {
  return {
    type: 'start',
    runId: 'r',
    config: testConfig(config),
    paths: { checkpoints: join(folder, 'run'), cache: join(folder, 'cache') },
    resume,
    plugins: [],
  };
}

describe('engine process', () => {
  test('trains on the built-in corpus and reports everything in order', async () => {
    const folder = await temporaryFolder();
    const engine = new Engine((message, child) => {
      if (message.type === 'ready') child.send(startMessage(folder, { 'log.sample_tokens': 5, 'stop.steps': 6 }));
      if (message.type === 'metrics') child.send({ type: 'ack', seq: message.seq });
    });
    expect(await engine.exited, engine.stderr).toEqual([0, null]);
    const end = engine.messages.at(-1)!;
    expect(end).toMatchObject({ type: 'end', state: 'finished', steps: 6, reason: 'stop.steps reached (6 steps)' });
    const [info] = engine.of('info');
    expect(info).toMatchObject({ plannedSteps: 6, tokensPerStep: 64 });
    expect(info!.dataset.entropyFloor).toBeGreaterThan(0.1);
    expect(info!.memory.arenaBytes).toBeGreaterThan(0);
    expect(engine.of('sample').map(({ step }) => step)).toEqual([0, 4, 6]);
    const seqs = engine.of('metrics').map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.map((_, i) => i + 1));
    // Typed arrays survive the channel.
    for (const { columns } of engine.of('metrics')) {
      for (const { steps, values } of columns) {
        expect(steps).toBeInstanceOf(Float64Array);
        expect(values).toBeInstanceOf(Float64Array);
        expect(values.length).toBe(steps.length);
      }
    }
    // A checkpoint is announced after the points up to its step.
    engine.messages.forEach((message, at) => {
      if (message.type !== 'checkpoint' || message.kind !== 'last') return;
      const before = engine.messages.slice(0, at).filter((each) => each.type === 'metrics');
      const losses = before.flatMap(({ columns }) => columns.filter(({ metric }) => metric === 'train/loss'));
      expect(losses.reduce((total, { steps }) => total + steps.length, 0)).toBe(message.step);
    });
  });

  test('without its host it saves and exits by itself (catches an orphan that trains for ever)', async () => {
    const folder = await temporaryFolder();
    const engine = new Engine((message, child) => {
      if (message.type === 'ready')
        child.send(startMessage(folder, { 'stop.steps': 1_000_000, 'eval.every_steps': 0 }));
      if (message.type === 'metrics' && child.connected) child.disconnect();
    });
    expect(await engine.exited).toEqual([0, null]);
    expect((await readdir(join(folder, 'run'))).filter((name) => name.startsWith('last-'))).toHaveLength(1);
  });

  test('a stop message ends it with a checkpoint; a broken setting with a reason; never with a crash', async () => {
    const folder = await temporaryFolder();
    const engine = new Engine((message, child) => {
      if (message.type === 'ready') child.send(startMessage(folder, { 'stop.steps': 1_000_000 }));
      if (message.type === 'progress' && message.step > 1) child.send({ type: 'stop' });
    });
    expect(await engine.exited).toEqual([0, null]);
    expect(engine.messages.at(-1)).toMatchObject({ type: 'end', state: 'stopped' });

    const broken = new Engine((message, child) => {
      if (message.type === 'ready') child.send(startMessage(folder, { 'data.corpus': '/no/such/file.txt' }));
    });
    expect(await broken.exited).toEqual([0, null]);
    expect(broken.messages.at(-1)).toMatchObject({ type: 'end', state: 'failed' });
    expect((broken.messages.at(-1) as { reason: string }).reason).toContain('/no/such/file.txt');
  });

  test('a model from a plug-in file trains; one that does not load is named', async () => {
    const folder = await temporaryFolder();
    const plugin = join(folder, 'tiny.ts');
    await writeFile(
      plugin,
      `export default ({ ops }: { ops: any }) => ({
        name: 'tiny',
        models: { tiny: { name: 'tiny', build(m: any) {
          const table = m.parameter('table', [m.vocabularySize, 8], { role: 'embedding', initial: { kind: 'normal', std: 0.02 } });
          return { hidden: ops.gather(table, m.tokens), head: table };
        } } },
      });`,
    );
    const run = async (file: string) => {
      const engine = new Engine((message, child) => {
        if (message.type === 'ready')
          child.send({ ...startMessage(folder, { 'model.kind': 'tiny', 'stop.steps': 3 }), plugins: [file] });
      });
      await engine.exited;
      return engine.messages.at(-1);
    };
    expect(await run(plugin)).toMatchObject({ type: 'end', state: 'finished', steps: 3 });
    expect(await run(join(folder, 'absent.ts'))).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('absent.ts'),
    });
  });

  test('started by hand it says what it is', async () => {
    const { spawnSync } = await import('node:child_process');
    const { status, stderr } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', ENTRY], {
      encoding: 'utf8',
    });
    expect(status).toBe(2);
    expect(stderr).toContain('sweeplab train');
  });
});
