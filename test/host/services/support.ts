/** A lab with scripted engines, and clients of it in memory. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadWorkshop } from '../../../main/host/lab.ts';
import { LabServer } from '../../../main/host/services/labServer.ts';
import type { LabServerOptions } from '../../../main/host/services/labServer.ts';
import type { Events, Input, Topic } from '../../../preload/contract/api.ts';
import { memoryPorts } from '../../../preload/contract/port.ts';
import type { Port } from '../../../preload/contract/port.ts';
import { createClient } from '../../../renderer/connect/client.ts';
import type { Client } from '../../../renderer/connect/client.ts';
import { fakeLauncher } from '../../lab/queue/fakeEngine.ts';
import type { FakeEngine, Script } from '../../lab/queue/fakeEngine.ts';

export type { FakeEngine, Script };

/** Small enough to be prepared in a moment; the engines are scripted, so nothing trains on it. */
export const DRAFT: Input<'sweeps.launch'>['draft'] = {
  recipe: 'quick',
  settings: { 'data.size': 20_000, 'stop.steps': 10 },
  parameters: { 'model.depth': { values: [1, 2] } },
};

/** Ten points, then the end. */
export const finishing: Script = async (engine) => {
  engine.emit({ type: 'begin', step: 0, keepUpTo: -1 });
  engine.points('train/loss', 1, 10, (step) => 5 / step);
  await engine.acknowledged();
  engine.end('finished', 'stop.steps reached (10 steps)', 10);
};

/** Trains until it is told to stop, or `release` is called. */
export function holding(): { readonly script: Script; release(): void; readonly held: Promise<FakeEngine> } {
  const released = new AbortController();
  const first = Promise.withResolvers<FakeEngine>();
  const script: Script = async (engine, start) => {
    engine.emit({ type: 'begin', step: 0, keepUpTo: start.resume ? 3 : -1 });
    engine.points('train/loss', start.resume ? 4 : 1, start.resume ? 6 : 3, (step) => 5 / step);
    await engine.acknowledged();
    first.resolve(engine);
    while (!released.signal.aborted && !engine.stopping && !engine.gone)
      await new Promise((resolve) => setTimeout(resolve, 2));
    if (engine.gone) return;
    if (engine.stopping) engine.end('stopped', 'stopped', 3);
    else engine.end('finished', 'stop.steps reached (10 steps)', 10);
  };
  return { script, release: () => released.abort(), held: first.promise };
}

export class TestLab {
  readonly home = mkdtempSync(join(tmpdir(), 'sweeplab-server-'));
  readonly engines: FakeEngine[] = [];
  readonly clients: Client[] = [];
  server!: LabServer;

  async open(script: Script | undefined, options: Omit<LabServerOptions, 'launch'> = {}): Promise<LabServer> {
    let launch: LabServerOptions['launch'];
    if (script !== undefined) {
      const fake = fakeLauncher(script);
      launch = (runId, onMessage, slot) => {
        const handle = fake.launch(runId, onMessage, slot);
        this.engines.push(fake.engines.at(-1)!);
        return handle;
      };
    }
    const workshop = await loadWorkshop({ home: this.home });
    // Threads that a test does not ask would take most of its time to start.
    this.server = await LabServer.open(workshop, { concurrency: 1, launch, warm: false, ...options });
    return this.server;
  }

  /** A port of the present server, as a client gets it. */
  port(trusted = false): Port {
    const [own, other] = memoryPorts();
    this.server.connect(other, { trusted });
    return own;
  }

  client(trusted = false): Client {
    const client = createClient({ connect: async () => this.port(trusted), pauses: [5] });
    this.clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    for (const client of this.clients) client.close();
    await this.server.close('kill');
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** Collects the events of a topic and waits for one. */
export class Watch<T extends Topic> {
  readonly events: Events[T][] = [];
  readonly #waiting = new Set<() => void>();

  constructor(client: Client, topic: T) {
    client.subscribe(topic, (data) => {
      this.events.push(data);
      for (const wake of this.#waiting) wake();
    });
  }

  /** The first event, past or coming, for which `test` holds. */
  async until(test: (data: Events[T]) => boolean): Promise<Events[T]> {
    for (;;) {
      const found = this.events.find(test);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }
}
