/** Engine processes killed with SIGKILL at random moments, on the built-in corpus: the run must end as an undisturbed one. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Config } from '../../preload/contract/settings.ts';
import type { EngineMessage, EngineStart } from '../../preload/contract/engine.ts';
import { Stream } from '../../main/engine/random/stream.ts';
import { testConfig } from '../engine/train/helpers.ts';
import { FakeHost, tensorsOf } from '../engine/train/laboratory.ts';

const ENTRY = fileURLToPath(new URL('../../main/engine/main.ts', import.meta.url));
const ROUNDS = 25;
const CONFIG = testConfig({
  device: 'tfjs-wasm',
  'stop.steps': 60,
  'eval.every_steps': 7,
  'log.checkpoint_steps': 5,
  'model.dropout': 0.1,
  'batch.micro': 2,
  'data.batching': 'documents',
});

let cache: string;
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'sweeplab-cache-'));
});
afterAll(() => rm(cache, { recursive: true, force: true }));

/** Sequences that grow, as many batches as the gradient asks for. */
const GROWING: Config = {
  ...CONFIG,
  'batch.micro': 0,
  'batch.micro_tokens': 40,
  'batch.kind': 'tokens',
  'batch.tokens': 64,
  'batch.length': 'doubling',
  'batch.length_start': 4,
  'batch.length_every_tokens': 900,
  'batch.accumulation': 'gradient_norm',
  'batch.norm_every': 2,
  'batch.norm_target': 0.05,
  'batch.norm_most': 6,
};

type Way = 'kill' | 'disconnect' | 'never';

/** One engine process until it exits; it is broken off before message number `at`. */
async function attempt(
  config: Config,
  folder: string,
  host: FakeHost,
  resume: boolean,
  way: Way,
  at: number,
): Promise<void> {
  const child = fork(ENTRY, [], {
    serialization: 'advanced',
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let count = 0;
  let broken = false;
  child.on('message', (data) => {
    const message = data as EngineMessage;
    if (message.type === 'ready') {
      const paths = { checkpoints: join(folder, 'run'), cache };
      const start: EngineStart = { type: 'start', runId: 'r', config, paths, resume, plugins: [] };
      child.send(start);
      return;
    }
    if (broken) return;
    if (way !== 'never' && count++ >= at) {
      broken = true;
      if (way === 'kill') child.kill('SIGKILL');
      else child.disconnect();
      return;
    }
    host.receive(message, undefined);
    if (message.type === 'metrics') child.send({ type: 'ack', seq: message.seq }, () => {});
  });
  await once(child, 'exit');
}

test.each([
  ['of one length', CONFIG],
  ['while batches change', GROWING],
])(`${ROUNDS} rounds of kills and lost hosts %s end bit for bit like an undisturbed run`, async (_, config) => {
  const random = new Stream(17, 'kills');
  const run = async (breaks: number) => {
    const folder = await mkdtemp(join(tmpdir(), 'sweeplab-kill-'));
    try {
      const host = new FakeHost();
      for (let i = 0; i < breaks; i++) {
        await attempt(config, folder, host, i > 0, random.int(3) === 0 ? 'disconnect' : 'kill', 5 + random.int(120));
      }
      await attempt(config, folder, host, breaks > 0, 'never', 0);
      expect(host.of('end').at(-1)).toMatchObject({ state: 'finished', steps: 60 });
      return { series: host.reproducible, tensors: await tensorsOf(host), begins: host.of('begin') };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
  const whole = await run(0);
  const begins = new Set<number>();
  for (let round = 0; round < ROUNDS; round++) {
    const broken = await run(1 + random.int(3));
    expect(broken.series).toEqual(whole.series);
    expect(broken.tensors).toEqual(whole.tensors);
    for (const { step } of broken.begins) begins.add(step);
  }
  // The kills really came at many different places.
  expect(begins.size).toBeGreaterThan(5);
});
