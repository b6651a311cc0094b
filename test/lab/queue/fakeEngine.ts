/** Engines that live in this process and follow a script: the queue's side of the protocol can be tested without waiting for anything. */
import { setImmediate } from 'node:timers/promises';
import type { EngineMessage, EngineStart, HostMessage } from '../../../preload/contract/engine.ts';
import type { EngineExit, LaunchEngine } from '../../../main/lab/queue/engine.ts';

/** What a run of the script does, chosen by its setting `fake`. */
export type Script = (engine: FakeEngine, start: EngineStart) => Promise<void> | void;

export class FakeEngine {
  readonly runId: string;
  readonly received: HostMessage[] = [];
  readonly #onMessage: (message: EngineMessage) => void;
  readonly #exit: (exit: EngineExit) => void;
  #seq = 0;
  #gone = false;
  stopping = false;

  constructor(runId: string, onMessage: (message: EngineMessage) => void, exit: (exit: EngineExit) => void) {
    this.runId = runId;
    this.#onMessage = onMessage;
    this.#exit = exit;
  }

  emit(message: EngineMessage): void {
    if (!this.#gone) this.#onMessage(message);
  }

  exit(exit: Partial<EngineExit> = {}): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#exit({ code: exit.signal ? null : (exit.code ?? 0), signal: null, stderr: [], ...exit });
  }

  get gone(): boolean {
    return this.#gone;
  }

  points(metric: string, from: number, to: number, value: (step: number) => number): void {
    const steps = Float64Array.from({ length: to - from + 1 }, (_, i) => from + i);
    this.emit({ type: 'metrics', seq: ++this.#seq, columns: [{ metric, steps, values: steps.map(value) }] });
  }

  /** Resolves once everything sent so far is acknowledged. */
  async acknowledged(): Promise<void> {
    while (!this.#gone && !this.received.some((message) => message.type === 'ack' && message.seq >= this.#seq))
      await new Promise((resolve) => setTimeout(resolve, 2));
  }

  end(state: 'finished' | 'failed' | 'stopped', reason: string, steps: number): void {
    this.emit({ type: 'end', state, reason, steps, tokens: steps * 10, summary: { 'val/loss': 1 } });
    this.exit();
  }
}

/** A launcher of scripted engines; `engines` collects them in the order of their starts. */
export function fakeLauncher(script: Script): { launch: LaunchEngine; engines: FakeEngine[] } {
  const engines: FakeEngine[] = [];
  const launch: LaunchEngine = (runId, onMessage) => {
    const { promise: exited, resolve } = Promise.withResolvers<EngineExit>();
    const engine = new FakeEngine(runId, onMessage, resolve);
    engines.push(engine);
    void setImmediate().then(() => engine.emit({ type: 'ready', pid: 1 }));
    return {
      pid: undefined,
      exited,
      kill: () => engine.exit({ signal: 'SIGKILL' }),
      send: (message) => {
        engine.received.push(message);
        if (message.type === 'start') void Promise.resolve().then(() => script(engine, message));
        if (message.type === 'stop') engine.stopping = true;
      },
    };
  };
  return { launch, engines };
}
