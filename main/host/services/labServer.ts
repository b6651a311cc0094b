/**
 * The lab as a service: one long-lived owner of the database, the queue and the caches, and any number of clients over ports.
 *
 *     const server = await LabServer.open(workshop);
 *     server.connect(port, { trusted: false });
 *     await server.close();                        // runs in training are queued again
 */
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { RouteName } from '../../../preload/contract/api.ts';
import { LIMITS } from '../../../preload/contract/limits.ts';
import type { MetricColumn } from '../../../preload/contract/metrics.ts';
import type { Port } from '../../../preload/contract/port.ts';
import { FRAMES_PER_SECOND, MOST_PRESSURE } from '../../../preload/contract/rpc.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import { EMPTY_DRAFT } from '../../../preload/contract/draft.ts';
import type { Notice, WandbState } from '../../../preload/contract/shapes.ts';
import { selectExecutor } from '../../engine/executors/select.ts';
import type { Cards } from '../../lab/queue/places/cards.ts';
import { defaultPlaces } from '../../lab/queue/places/default.ts';
import { requeueKilled } from '../../lab/queue/resume.ts';
import type { QueueEvent, RunQueue } from '../../lab/queue/queue.ts';
import { StoreError } from '../../store/index.ts';
import { openLab } from '../lab.ts';
import { OpenFolders } from '../openFolders.ts';
import type { Lab, OpenLabOptions, Workshop } from '../lab.ts';
import { packageFeed, Updates } from '../updates.ts';
import { CudaSetupService } from './cudaSetup.ts';
import { Datasets } from './datasetCache.ts';
import { DeviceWatch } from './deviceWatch.ts';
import { Downloads } from './downloads.ts';
import type { PreparedFile } from './downloads.ts';
import { listed } from './hub.ts';
import type { AskStart, Door, Hub } from './hub.ts';
import { Planner } from './planner.ts';
import { PointBuffer } from './pointBuffer.ts';
import { programStarter } from './programs.ts';
import { ProgressBoard } from './progressBoard.ts';
import type { ReadQuestions, ReadWorkerData } from './readWorker.ts';
import { appRoutes } from './routes/app.ts';
import { checkRoutes } from './routes/checks.ts';
import { dataRoutes } from './routes/data.ts';
import { Imports } from './imports.ts';
import { fitRoutes } from './routes/fit.ts';
import { programRoutes } from './routes/programs.ts';
import { importRoutes } from './routes/imports.ts';
import { runRoutes } from './routes/runs.ts';
import { setupRoutes } from './routes/setup.ts';
import { updateRoutes } from './routes/updates.ts';
import { sweepRoutes } from './routes/sweeps.ts';
import { wandbRoutes } from './routes/wandb.ts';
import { Session } from './session.ts';
import type { TextQuestions } from './textWorker.ts';
import { Thread, Threads } from './thread.ts';
import type { Answer, Call, Caller, Lookup } from './session.ts';
import { Upkeep } from './upkeep.ts';
import { Views } from './views.ts';
import { WandbDoor } from './wandbDoor.ts';
import { counted } from '../../../preload/shared/format.ts';

export interface LabServerOptions {
  /** Makes engines; another one for tests. */
  readonly launch?: OpenLabOptions['launch'];
  /** Looks for cards; another one for tests. */
  readonly cards?: OpenLabOptions['cards'];
  /** Runs at a time, where the user has not set it; default: one for each card, or as many as the cores carry. */
  readonly concurrency?: number;
  /** Begins no run until asked to. Default: as the user left it. */
  readonly paused?: boolean;
  /** Folders and files that pages may read beside the data folder. */
  readonly folders?: readonly string[];
  /** Asks the person at the machine whether pages may read a file or folder. */
  readonly ask?: (path: string) => Promise<boolean>;
  /** Asks the person at the machine whether a page may have a program started. Without it pages start none. */
  readonly askStart?: AskStart;
  /** The database takes no beginnings and ends of runs, or does again: what a terminal says. */
  readonly onTrouble?: (error: StoreError | null) => void;
  /** False: no thread is started before it is needed. */
  readonly warm?: boolean;
}

/** How often lists get the numbers of running runs. */
const SUMMARY_MS = 1000;
const WARM_AFTER_MS = 200;
/** Threads that read series: a board asks for all of its charts at once. */
const READERS = 2;
const TURN_MS = 1000 / FRAMES_PER_SECOND;

export class LabServer {
  /** Another one with every start: clients see that what they knew may be gone. */
  readonly instance = randomBytes(8).toString('hex');
  readonly lab: Lab;
  readonly #queue: RunQueue;
  readonly #devices: DeviceWatch;
  readonly #downloads: Downloads;
  readonly #views: Views;
  readonly #wandb: WandbDoor;
  readonly #cudaSetup: CudaSetupService;
  readonly #updates: Updates;
  readonly #imports: Imports;
  readonly #progress = new ProgressBoard();
  readonly #planner: Planner;
  readonly #folders: OpenFolders;
  readonly #datasets: Datasets;
  /** Reads series for charts. */
  readonly #reader: Threads<ReadQuestions>;
  readonly #upkeep: Upkeep;
  /** Sweeps as text. */
  readonly #texts = new Thread<TextQuestions>({
    file: new URL('./textWorker.ts', import.meta.url),
    data: undefined,
    name: 'Reading the text',
    deadline: LIMITS.textMs,
  });
  readonly #busyListeners = new Set<(busy: boolean) => void>();
  readonly #finishListeners = new Set<(notice: Notice) => void>();
  /** Runs whose numbers moved since lists were last told. */
  readonly #moved = new Set<string>();
  #summary: NodeJS.Timeout | undefined;
  readonly #sessions = new Set<Session>();
  /** Points that are on their way into the database, by run. */
  readonly #held = new Map<string, (readonly MetricColumn[])[]>();
  readonly #answer: Answer;
  readonly #lookup: Lookup;
  readonly #unwatch: (() => void)[];
  #timer: NodeJS.Timeout | undefined;
  #lastTurn = 0;
  #warming: NodeJS.Timeout | undefined;
  #door: Door | undefined;
  /** For the first client. */
  #greeting: Notice | undefined;
  #closing: Promise<void> | undefined;

  /** @throws StoreError `locked` when another process has the lab */
  static async open(workshop: Workshop, options: LabServerOptions = {}): Promise<LabServer> {
    const lab = await openLab(workshop, {
      write: true,
      ...(options.launch === undefined ? {} : { launch: options.launch }),
      ...(options.cards === undefined ? {} : { cards: options.cards }),
    });
    const server = new LabServer(lab, options.concurrency ?? (await usualPlaces(lab.cards)), options);
    const { all: killed, anew } = requeueKilled(lab.store);
    await server.#wandb.follow();
    server.#queue.kick();
    if (options.warm !== false) server.#warm();
    server.#updates.start();
    server.#greeting = greeting(killed, anew, server.#queue.state.paused);
    return server;
  }

  private constructor(lab: Lab, places: number, { paused, folders, ask, askStart, onTrouble }: LabServerOptions) {
    this.lab = lab;
    const { store, paths } = lab;
    this.#downloads = new Downloads(paths.exports);
    this.#planner = new Planner(lab, (config) => this.#folders.reachFor(config));
    this.#folders = new OpenFolders({
      paths,
      specs: lab.registry.specs,
      allowed: folders,
      ask,
      isKnown: (field, value) => {
        const where = [
          { field, op: '=', value },
          { field: 'origin', op: '=', value: 'sweeplab' },
        ] as const;
        return store.listRuns({ where, deleted: 'any', limit: 1 }).length > 0;
      },
    });
    this.#datasets = new Datasets(
      paths.cache,
      lab.plugins.map(({ file }) => file),
      store.assertThere,
      (config) => this.#folders.reachFor(config),
      (config, progress) => {
        const corpus = String(config['data.corpus']);
        const tokenizer = String(config['tokenizer.kind']);
        this.#each((session) => session.tell('data', { corpus, tokenizer, progress }));
      },
    );
    this.#reader = new Threads(READERS, {
      file: new URL('./readWorker.ts', import.meta.url),
      data: { database: paths.database } satisfies ReadWorkerData,
      name: 'Reading',
    });
    this.#wandb = new WandbDoor({
      lab,
      onPoints: (id, columns) => this.#hold(id, columns),
      onChanged: (what) => this.#changed(what),
      onEnded: (run) => {
        if (run.state === 'failed') this.#notice(this.#failure(run));
      },
      onState: (state) => this.#each((session) => session.tell('wandb', state)),
    });
    this.#cudaSetup = new CudaSetupService({
      paths,
      onState: (state) => this.#each((session) => session.tell('setup', state)),
    });
    this.#updates = new Updates({
      path: paths.updates,
      feed: packageFeed(),
      onState: (state) => this.#each((session) => session.tell('updates', state)),
    });
    this.#queue = lab.queue({
      places,
      programs: programStarter({ lab, door: this.#wandb }),
      ...(paused === undefined ? {} : { paused }),
      onEvent: (event) => this.#trainingEvent(event),
      onChange: () => {
        this.#each((session) => session.markQueue());
        for (const listener of this.#busyListeners) listener(this.#queue.busy);
      },
      onSweep: (id) => this.#each((session) => session.markSweeps([id])),
      onTrouble: (error) => {
        this.#notice(
          error === null
            ? { level: 'good', message: 'The queue goes on' }
            : { level: 'bad', message: 'The queue waits: the run database takes nothing', details: error.message },
        );
        onTrouble?.(error);
      },
    });
    this.#devices = new DeviceWatch((devices) => this.#each((session) => session.setDevices(devices)));
    // Said once by the lab: pages save layouts by themselves, again and again.
    this.#views = new Views(paths.views, store.assertThere, (error) =>
      this.#notice(
        error === null
          ? { level: 'good', message: 'Layouts are saved again' }
          : { level: 'warn', message: 'Layouts and drafts cannot be saved', details: error.message },
      ),
    );
    this.#imports = new Imports({
      lab,
      reach: () => this.#folders.reach,
      onProgress: (progress) => this.#each((session) => session.tell('imports', progress)),
      onWritten: ({ created, updated, sweeps }) => {
        this.#changed({ runs: [...created, ...updated], sweeps });
        for (const id of updated) this.#each((session) => session.renew(id));
        if (created.length + updated.length > 0) this.#upkeep.wake();
      },
    });
    this.#lookup = {
      store,
      runs: (ids) => (ids.length === 0 ? [] : store.listRuns({ ids, deleted: 'any' })),
      sweeps: (ids) => ids.flatMap((id) => listed({ lab }, id) ?? []),
      queue: () => this.#queue.state,
      progress: () => this.#progress.list(),
    };
    this.#upkeep = new Upkeep((milliseconds) => store.sumUp(milliseconds));
    this.#upkeep.wake();
    this.#unwatch = [
      store.onCommit(({ runIds, appended }) => {
        if (appended) this.#release(runIds);
        this.#committed(runIds);
        if (runIds.length > 0) this.#upkeep.wake();
      }),
      store.onTrouble((error) => {
        this.#notice(
          error === null
            ? { level: 'good', message: 'Points are written to the database again' }
            : { level: 'bad', message: 'Points cannot be written; training waits', details: error.message },
        );
        // For pages that come later.
        this.#each((session) => session.markQueue());
      }),
    ];
    this.#answer = answerWith({ ...this.#hub(), askStart }, this.#folders);
  }

  /** Everything that the first question would wait for, once the lab answers. Nothing depends on it. */
  #warm(): void {
    // The lab itself and its first page go first.
    this.#warming = setTimeout(() => {
      this.#reader.warm();
      this.#texts.warm();
      // What a form shows first.
      this.#planner.warm(EMPTY_DRAFT, this.lab.registry.defaults).catch(() => undefined);
    }, WARM_AFTER_MS).unref();
  }

  /** Ids of the runs that train now. */
  get training(): readonly string[] {
    return this.#queue.active;
  }

  /** The endpoint for scripts. */
  get wandb(): WandbState {
    return this.#wandb.state;
  }

  /** Speaks with one client until its port closes. */
  connect(port: Port, caller: Caller): void {
    if (this.#closing !== undefined) {
      port.close();
      return;
    }
    const session = new Session({
      port,
      caller,
      instance: this.instance,
      answer: this.#answer,
      lookup: this.#lookup,
      points: () => new PointBuffer(MOST_PRESSURE),
      wake: () => this.#wake(),
      onTopics: () => this.#topicsChanged(),
    });
    this.#sessions.add(session);
    port.onClose(() => {
      this.#sessions.delete(session);
      this.#topicsChanged();
    });
  }

  /** Tells clients how further browsers come in. @returns what ends that */
  admit(door: Door): () => void {
    this.#door = door;
    return () => {
      if (this.#door === door) this.#door = undefined;
    };
  }

  get clients(): number {
    return this.#sessions.size;
  }

  /** Called when training begins or ends (and now and then without a change). */
  onBusy(listener: (busy: boolean) => void): void {
    this.#busyListeners.add(listener);
  }

  /** Called at the end of a sweep, or of a run that belongs to none. */
  onFinished(listener: (notice: Notice) => void): void {
    this.#finishListeners.add(listener);
  }

  /** A file that `export.runs` has made. */
  download(token: string): PreparedFile | undefined {
    return this.#downloads.get(token);
  }

  /** Ends the training of all runs (they are queued again) and lets go of the database. `kill` does not wait for engines. */
  /** @throws StoreError with what could not be written any more, in numbers */
  close(how: 'urgent' | 'kill' = 'urgent'): Promise<void> {
    this.#closing ??= this.#close(how);
    return this.#closing;
  }

  async #close(how: 'urgent' | 'kill'): Promise<void> {
    clearTimeout(this.#warming);
    this.#upkeep.close();
    await this.#queue.close(how);
    await this.#wandb.close();
    await this.#imports.closeAll();
    await this.#cudaSetup.close();
    await this.#updates.close();
    await Promise.all([this.#planner.close(), this.#reader.close(), this.#texts.close(), this.#datasets.close()]);
    for (const session of this.#sessions) session.close();
    for (const unwatch of this.#unwatch) unwatch();
    clearTimeout(this.#timer);
    clearTimeout(this.#summary);
    this.#timer = undefined;
    this.#devices.watch(false);
    await this.#downloads.close();
    await this.#views.close();
    const { losses, busy, trouble } = this.#queue;
    try {
      this.lab.close();
    } catch (error) {
      throw error instanceof StoreError ? losses(error) : error;
    }
    // Ends of runs that could not be recorded.
    if (busy && trouble !== undefined) throw losses(trouble);
  }

  #hub(): Omit<Hub, 'askStart'> {
    const { lab, instance } = this;
    return {
      lab,
      instance,
      datasets: this.#datasets,
      planner: this.#planner,
      reader: this.#reader,
      texts: this.#texts,
      door: () => this.#door,
      queue: this.#queue,
      devices: this.#devices,
      downloads: this.#downloads,
      views: this.#views,
      wandb: this.#wandb,
      cudaSetup: this.#cudaSetup,
      updates: this.#updates,
      imports: this.#imports,
      changed: (what) => this.#changed(what),
      notice: (notice) => this.#notice(notice),
      checked: (progress) => this.#each((session) => session.tell('checks', progress)),
    };
  }

  #changed({ runs = [], sweeps = [] }: Parameters<Hub['changed']>[0]): void {
    this.#each((session) => {
      session.markRuns(runs);
      session.markSweeps(sweeps);
    });
  }

  #topicsChanged(): void {
    const sessions = [...this.#sessions];
    this.#devices.watch(sessions.some((each) => each.wants('devices')));
    // What happened at the start is told to the first who can show it.
    if (this.#greeting === undefined || !sessions.some((each) => each.wants('notice'))) return;
    const notice = this.#greeting;
    this.#greeting = undefined;
    this.#notice(notice);
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
    });
    if (event.type === 'message') {
      const { message } = event;
      if (message.type === 'begin') this.#held.delete(runId);
      if (message.type === 'metrics') this.#hold(runId, message.columns);
    }
    if (event.type !== 'ended') return;
    // Its end was committed after all of its points.
    this.#release([runId]);
    this.#planner.forgetSpeeds();
    this.#ended(event.run);
    if (event.run.state === 'failed') this.#notice(this.#failure(event.run));
  }

  /** One message for all failures of a sweep: the newest replaces the one before, and counts. */
  #failure({ id, name, endReason, sweepId }: RunRecord): Notice {
    const sweep = sweepId === null ? undefined : this.lab.store.getSweep(sweepId);
    const failed = sweep?.counts.failed ?? 1;
    const details = endReason === null ? {} : { details: `${name}: ${endReason}` };
    if (sweep === undefined || failed < 2)
      return {
        level: 'bad',
        message: `${name} failed`,
        ...details,
        path: `/run/${id}`,
        about: `/sweep/${sweepId ?? id}`,
      };
    const path = `/sweep/${sweep.id}`;
    const last = endReason === null ? {} : { details: `The last of them, ${name}: ${endReason}` };
    return { level: 'bad', message: `${counted(failed, 'run')} of ${sweep.name} failed`, ...last, path, about: path };
  }

  /** Points wait for their commit: what a page has shown must not be gone after a crash. */
  #hold(runId: string, columns: readonly MetricColumn[]): void {
    if (![...this.#sessions].some((session) => session.wants('points'))) return;
    const held = this.#held.get(runId);
    if (held === undefined) this.#held.set(runId, [columns]);
    else held.push(columns);
  }

  #release(runIds: readonly string[]): void {
    for (const id of runIds) {
      const held = this.#held.get(id) ?? [];
      this.#held.delete(id);
      for (const columns of held) this.#each((session) => session.addPoints(id, columns));
    }
  }

  /** The end of a sweep, or of a run that belongs to none, is worth a word. */
  #ended({ id, name, state, sweepId }: RunRecord): void {
    const sweep = sweepId === null ? undefined : this.lab.store.getSweep(sweepId);
    if (
      state === 'stopped' ||
      state === 'queued' ||
      (sweep !== undefined && sweep.counts.queued + sweep.counts.running > 0)
    )
      return;
    const failed = sweep?.counts.failed ?? (state === 'failed' ? 1 : 0);
    const runs = sweep === undefined ? 1 : Object.values(sweep.counts).reduce((sum, count) => sum + count, 0);
    // A recipe that was run as it is has one run, and nobody calls that a sweep.
    const what = sweep === undefined ? name : runs === 1 ? sweep.name : `The sweep ${sweep.name}`;
    const notice: Notice = {
      level: failed > 0 ? 'warn' : 'good',
      message: failed > 0 ? `${what} has ended; ${failed} failed` : `${what} has finished`,
      path: sweep === undefined || runs === 1 ? `/run/${id}` : `/sweep/${sweep.id}`,
      about: `/sweep/${sweepId ?? id}`,
    };
    if (sweep !== undefined || failed === 0) this.#notice(notice);
    for (const listener of this.#finishListeners) listener(notice);
  }

  /** Points move the numbers of a run many times a second: lists are told once a second; changes of state go out at once. */
  #committed(runIds: readonly string[]): void {
    for (const id of runIds) this.#moved.add(id);
    if (runIds.length === 0 || this.#summary !== undefined) return;
    this.#summary = setTimeout(() => {
      this.#summary = undefined;
      const ids = [...this.#moved];
      this.#moved.clear();
      this.#each((session) => session.markRuns(ids));
    }, SUMMARY_MS).unref();
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

function answerWith(hub: Hub, folders: OpenFolders): Answer {
  const handlers = {
    ...appRoutes(hub),
    ...sweepRoutes(hub),
    ...runRoutes(hub),
    ...programRoutes(hub),
    ...fitRoutes(hub),
    ...checkRoutes(hub),
    ...dataRoutes(hub),
    ...wandbRoutes(hub),
    ...setupRoutes(hub),
    ...updateRoutes(hub),
    ...importRoutes(hub),
  };
  // Each handler gets what the schema of its own route made: the types hold route by route, not over all of them.
  const byName = handlers as Readonly<Record<RouteName, (input: unknown, call: Call) => unknown>>;
  return async (route, input, call) => {
    await folders.assert(input as Parameters<OpenFolders['assert']>[0]);
    return await byName[route](input, call);
  };
}

async function usualPlaces(cards: Cards): Promise<number> {
  if (cards.usable) return cards.all.length;
  try {
    const { executor } = await selectExecutor('auto');
    return defaultPlaces(Infinity, availableParallelism(), executor.device.threads);
  } catch {
    return 1;
  }
}

/** What happened to runs of the host before. */
function greeting(killed: number, anew: boolean, paused: boolean): Notice | undefined {
  if (killed === 0) return undefined;
  const one = killed === 1;
  const which = one ? 'An interrupted run' : `${killed} interrupted runs`;
  const message = paused
    ? `${which} ${one ? 'waits' : 'wait'}: the queue is paused`
    : `${which} ${one ? 'goes' : 'go'} on${anew ? '' : ' from the last checkpoint'}`;
  return { level: 'info', message };
}
