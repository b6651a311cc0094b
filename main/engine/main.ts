/**
 * The engine process: trains one run and exits. Started by the host with `fork` and `serialization: 'advanced'`; the messages
 * are those of preload/contract/engine.ts.
 *
 * Exit codes: 0 the end was reported · 1 an unforeseen error (reported where the channel still works) · 2 not started by a host.
 */
import type { EngineEnd, EngineMessage, EngineStart, HostMessage } from '../../preload/contract/engine.ts';
import { loadCatalog } from './plugins.ts';
import { TrainingControl } from './train/control.ts';
import type { MetricRecorder } from './train/recorder.ts';
import { failureReason, run } from './train/run.ts';

const control = new TrainingControl();
let recorder: MetricRecorder | undefined;
let started = false;

/** Sends a message; resolves when the channel took it, or at once when there is none any more. */
function send(message: EngineMessage): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected || process.send === undefined) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}

const failure = (error: unknown): EngineEnd => ({
  type: 'end',
  state: 'failed',
  reason: `engine error: ${failureReason(error)}`,
  steps: 0,
  tokens: 0,
  summary: {},
});

/** Says why and exits; a second error on the way just exits. */
function crash(error: unknown): void {
  process.removeAllListeners('uncaughtException').on('uncaughtException', () => process.exit(1));
  console.error(error instanceof Error ? error.stack : error);
  recorder?.flush();
  void send(failure(error)).then(() => process.exit(1));
  // A channel that takes nothing must not keep a broken process alive.
  setTimeout(() => process.exit(1), 2000).unref();
}

async function train(start: EngineStart): Promise<void> {
  const end = await run({
    start,
    control,
    loadKinds: loadCatalog,
    emit: (message) => void send(message),
    onRecorder: (made) => (recorder = made),
  });
  await send(end);
  // Leaving by itself would wait for worker threads and timers of libraries.
  process.exit(0);
}

function receive(message: HostMessage): void {
  switch (message.type) {
    case 'start':
      if (started) throw new Error('an engine process trains one run, and this one has begun');
      started = true;
      train(message).catch(crash);
      return;
    case 'stop':
      control.stop(message.urgent);
      return;
    case 'ack':
      recorder?.acknowledge(message.seq);
      return;
  }
}

if (process.send === undefined) {
  console.error('This is the engine of Sweeplab. It is started by the application: use `sweeplab train`.');
  process.exitCode = 2;
} else {
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  process.on('message', (message) => {
    try {
      receive(message as HostMessage);
    } catch (error) {
      crash(error);
    }
  });
  process.on('disconnect', () => {
    if (started) control.abandon();
    else process.exit(0);
  });
  // With the host, the readers of these pipes are gone too; that must not keep the last checkpoint from being saved.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  // Ctrl-C in a terminal reaches every process of the group; the host decides what it means.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {
    if (started) control.stop(true);
    else process.exit(0);
  });
  void send({ type: 'ready', pid: process.pid });
}
