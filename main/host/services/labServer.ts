/**
 * The lab as a service: one long-lived owner of the database, the queue and the caches, and any number of clients over ports.
 *
 *     const server = await LabServer.open(workshop);
 *     server.connect(port, { trusted: false });
 *     await server.close();                        // runs in training are queued again
 */
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { RouteName } from '../../../preload/contract/api.ts';
import type { Port } from '../../../preload/contract/port.ts';
import { FRAMES_PER_SECOND, MOST_PRESSURE } from '../../../preload/contract/rpc.ts';
import type { Notice, RunProgress } from '../../../preload/contract/shapes.ts';
import { selectExecutor } from '../../engine/executors/select.ts';
import { defaultConcurrency } from '../../lab/queue/queue.ts';
import type { QueueEvent } from '../../lab/queue/queue.ts';
import { openLab } from '../lab.ts';
import type { Lab, OpenLabOptions, Workshop } from '../lab.ts';
import { Datasets } from './datasetCache.ts';
import { DeviceWatch } from './deviceWatch.ts';
import { Downloads } from './downloads.ts';
import type { PreparedFile } from './downloads.ts';
import { listed } from './hub.ts';
import type { Hub } from './hub.ts';
import { LongQueue } from './longQueue.ts';
import { PointBuffer } from './pointBuffer.ts';
import { ProgressBoard } from './progressBoard.ts';
import { appRoutes } from './routes/app.ts';
import { dataRoutes } from './routes/data.ts';
import { fitRoutes } from './routes/fit.ts';
import { runRoutes } from './routes/runs.ts';
import { sweepRoutes } from './routes/sweeps.ts';
import { Session } from './session.ts';
import type { Answer, Call, Caller, Lookup } from './session.ts';
import { Views } from './views.ts';

export interface LabServerOptions {
  /** Makes engines; another one for tests. */
  readonly launch?: OpenLabOptions['launch'];
  /** Runs at a time; default: as many as the cores carry. */
  readonly concurrency?: number;
  /** Begins no run until asked to. */
  readonly paused?: boolean;
}

const TURN_MS = 1000 / FRAMES_PER_SECOND;

export class LabServer {
  /** Another one with every start: clients see that what they knew may be gone. */
  readonly instance = randomBytes(8).toString('hex');
  readonly lab: Lab;
  readonly #queue: LongQueue;
  readonly #devices: DeviceWatch;
  readonly #downloads = new Downloads();
  readonly #views: Views;
  readonly #progress = new ProgressBoard();
  readonly #sessions = new Set<Session>();
  readonly #answer: Answer;
  readonly #lookup: Lookup;
  readonly #unwatch: (() => void)[];
  #timer: NodeJS.Timeout | undefined;
  #lastTurn = 0;
  #closing: Promise<void> | undefined;

  /** @throws StoreError `locked` when another process has the lab */
  static async open(workshop: Workshop, options: LabServerOptions = {}): Promise<LabServer> {
    const lab = await openLab(workshop, {
      write: true,
      ...(options.launch === undefined ? {} : { launch: options.launch }),
    });
    const server = new LabServer(lab, options.concurrency ?? (await usualConcurrency()));
    if (options.paused === true) server.#queue.pause();
    else server.#queue.kick();
    return server;
  }

  private constructor(lab: Lab, concurrency: number) {
    this.lab = lab;
    const { store, paths } = lab;
    this.#queue = new LongQueue({
      lab,
      concurrency,
      onEvent: (event) => this.#trainingEvent(event),
      onChange: () => this.#each((session) => session.markQueue()),
      onSweep: (id) => this.#each((session) => session.markSweeps([id])),
      onFailure: (error) =>
        this.#notice({ level: 'bad', message: 'The queue was paused: no run can be begun', details: error.message }),
    });
    this.#devices = new DeviceWatch((devices) => this.#each((session) => session.setDevices(devices)));
    this.#views = new Views(join(paths.home, 'views.json'));
    this.#lookup = {
      store,
      runs: (ids) => (ids.length === 0 ? [] : store.listRuns({ ids, deleted: 'any' })),
      sweeps: (ids) => ids.flatMap((id) => listed({ lab }, id) ?? []),
      queue: () => this.#queue.state,
      progress: () => this.#progress.list(),
    };
    this.#unwatch = [
      store.onCommit(({ runIds }) => this.#each((session) => session.markRuns(runIds))),
      store.onTrouble((error) =>
        this.#notice(
          error === null
            ? { level: 'good', message: 'Points are written to the database again' }
            : { level: 'bad', message: 'Points cannot be written; training waits', details: error.message },
        ),
      ),
    ];
    this.#answer = answerWith(this.#hub());
  }

  /** Where a run trains now; empty when nothing trains. */
  get training(): readonly string[] {
    return this.#queue.state.running;
  }

  /** Speaks with one client until its port closes. */
  connect(port: Port, caller: Caller): void {
    const session = new Session({
      port,
      caller,
      instance: this.instance,
      answer: this.#answer,
      lookup: this.#lookup,
      points: () => new PointBuffer(MOST_PRESSURE),
      wake: () => this.#wake(),
      onTopics: () => this.#devices.watch([...this.#sessions].some((each) => each.wants('devices'))),
    });
    this.#sessions.add(session);
    port.onClose(() => {
      this.#sessions.delete(session);
      this.#devices.watch([...this.#sessions].some((each) => each.wants('devices')));
    });
  }

  /** A file that `export.csv` has made. */
  download(token: string): PreparedFile | undefined {
    return this.#downloads.get(token);
  }

  /** Ends the training of all runs (they are queued again) and lets go of the database. `kill` does not wait for engines. */
  close(how: 'urgent' | 'kill' = 'urgent'): Promise<void> {
    this.#closing ??= this.#close(how);
    return this.#closing;
  }

  async #close(how: 'urgent' | 'kill'): Promise<void> {
    await this.#queue.close(how);
    for (const session of this.#sessions) session.close();
    for (const unwatch of this.#unwatch) unwatch();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#devices.watch(false);
    await this.#downloads.close();
    await this.#views.close();
    this.lab.close();
  }

  #hub(): Hub {
    const { lab, instance } = this;
    const datasets = new Datasets(lab.paths.cache, (config, progress) =>
      hub.dataProgress(String(config['data.corpus']), String(config['tokenizer.kind']), progress),
    );
    const hub: Hub = {
      lab,
      instance,
      datasets,
      queue: this.#queue,
      devices: this.#devices,
      downloads: this.#downloads,
      views: this.#views,
      changed: ({ runs = [], sweeps = [] }) =>
        this.#each((session) => {
          session.markRuns(runs);
          session.markSweeps(sweeps);
        }),
      notice: (notice) => this.#notice(notice),
      dataProgress: (corpus, tokenizer, progress) =>
        this.#each((session) => session.tell('data', { corpus, tokenizer, progress })),
    };
    return hub;
  }

  #notice(notice: Notice): void {
    this.#each((session) => session.tell('notice', notice));
  }

  #trainingEvent(event: QueueEvent): void {
    const sweepId = event.type === 'message' ? null : event.run.sweepId;
    const runId = event.type === 'message' ? event.runId : event.run.id;
    const progress = this.#progress.take(event);
    this.#each((session) => {
      if (event.type !== 'message') session.markRuns([runId]);
      if (sweepId !== null) session.markSweeps([sweepId]);
      if (progress !== undefined) session.setProgress(progress);
      if (event.type !== 'message') return;
      const { message } = event;
      if (message.type === 'begin') session.truncate(runId, message.keepUpTo);
      else if (message.type === 'metrics') session.addPoints(runId, message.columns);
    });
    if (event.type !== 'ended') return;
    const { state, name, endReason } = event.run;
    if (state === 'failed')
      this.#notice({
        level: 'bad',
        message: `${name} failed`,
        ...(endReason === null ? {} : { details: endReason }),
        path: `/run/${runId}`,
      });
  }

  #each(action: (session: Session) => void): void {
    if (this.#sessions.size === 0) return;
    for (const session of this.#sessions) action(session);
    this.#wake();
  }

  /** One turn of sending at most every {@link TURN_MS}. */
  #wake(): void {
    if (this.#timer !== undefined || this.#closing !== undefined) return;
    const wait = Math.max(0, this.#lastTurn + TURN_MS - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#lastTurn = performance.now();
      let more = false;
      for (const session of this.#sessions) more = session.flush() || more;
      if (more) this.#wake();
    }, wait);
  }
}

function answerWith(hub: Hub): Answer {
  const handlers = {
    ...appRoutes(hub),
    ...sweepRoutes(hub),
    ...runRoutes(hub),
    ...fitRoutes(hub),
    ...dataRoutes(hub),
  };
  // Each handler gets what the schema of its own route made: the types hold route by route, not over all of them.
  const byName = handlers as Readonly<Record<RouteName, (input: unknown, call: Call) => unknown>>;
  return (route, input, call) => byName[route](input, call);
}

async function usualConcurrency(): Promise<number> {
  try {
    const { executor } = await selectExecutor('auto');
    return defaultConcurrency(Infinity, availableParallelism(), executor.device.threads);
  } catch {
    return 1;
  }
}

export type { Caller, RunProgress };
