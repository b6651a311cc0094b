/**
 * What must hold of the queue whatever people do to it, in whatever order: random additions, moves, pauses, limits, stops, crashes of
 * engines, full disks, and hosts that are closed or killed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { EngineExit, EngineHandle, LaunchEngine } from '../../../main/lab/queue/engine.ts';
import { LocalPlace } from '../../../main/lab/queue/places/local.ts';
import { RunQueue } from '../../../main/lab/queue/queue.ts';
import { requeueAlone, requeueKilled, requeueSweep } from '../../../main/lab/queue/resume.ts';
import { openStore, StoreError } from '../../../main/store/index.ts';
import type { Store } from '../../../main/store/index.ts';
import type { EngineMessage } from '../../../preload/contract/engine.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import { randomNumbers } from '../../store/support.ts';

/** Steps of a whole run. */
const LENGTH = 9;
const loss = (step: number): number => 5 / step;

/** An engine that does what the test tells it: one per run in training. */
class ToldEngine {
  readonly runId: string;
  readonly #say: (message: EngineMessage) => void;
  readonly #exit: (exit: EngineExit) => void;
  readonly #saved: Map<string, number>;
  #seq = 0;
  step = 0;
  gone = false;

  constructor(
    runId: string,
    say: (message: EngineMessage) => void,
    exit: (exit: EngineExit) => void,
    saved: Map<string, number>,
  ) {
    this.runId = runId;
    this.#say = say;
    this.#exit = exit;
    this.#saved = saved;
  }

  begin(resume: boolean): void {
    if (!resume) this.#saved.delete(this.runId);
    this.step = this.#saved.get(this.runId) ?? 0;
    this.#say({ type: 'begin', step: this.step, keepUpTo: this.step === 0 ? -1 : this.step });
  }

  train(): void {
    if (this.step >= LENGTH) return;
    const steps = new Float64Array([++this.step]);
    this.#say({
      type: 'metrics',
      seq: ++this.#seq,
      columns: [{ metric: 'train/loss', steps, values: steps.map(loss) }],
    });
  }

  /** As the protocol has it: what a checkpoint says is committed before it counts. */
  save(store: Store): void {
    store.flush();
    this.#saved.set(this.runId, this.step);
  }

  end(state: 'finished' | 'stopped' | 'failed'): void {
    const summary = { 'train/loss': 1 };
    this.#say({ type: 'end', state, reason: state, steps: this.step, tokens: 0, summary });
    this.leave({ code: 0 });
  }

  leave(exit: Partial<EngineExit>): void {
    if (this.gone) return;
    this.gone = true;
    this.#exit({ code: null, signal: null, stderr: [], ...exit });
  }
}

/** A lab with its files, which outlive its hosts. */
class World {
  readonly folder = mkdtempSync(join(tmpdir(), 'sweeplab-invariants-'));
  readonly path = join(this.folder, 'runs.sqlite');
  readonly saved = new Map<string, number>();
  readonly random: () => number;
  engines = new Map<string, ToldEngine>();
  store!: Store;
  queue!: RunQueue;
  look!: DatabaseSync;
  /** Runs whose result is there, or that somebody does not want any more. */
  readonly finished = new Set<string>();
  readonly cancelled = new Set<string>();
  /** Runs that somebody wanted to end: on a full disk that is recorded later. */
  readonly asked = new Set<string>();
  starts = 0;
  full = false;
  /** A run that was begun although it must not be. */
  wrong: Error | undefined;

  constructor(seed: number) {
    this.random = randomNumbers(seed);
  }

  pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.random() * list.length)];
  }

  open(): void {
    this.store = openStore(this.path);
    this.store.stopOrphans();
    requeueKilled(this.store);
    this.look = new DatabaseSync(this.path, { readOnly: true });
    const folders = { checkpoints: join(this.folder, 'checkpoints'), cache: this.folder };
    const place = new LocalPlace({ store: this.store, launch: this.#launcher(), folders, places: 2, patience: 50 });
    this.queue = new RunQueue({ store: this.store, place });
    this.queue.kick();
  }

  /** As `kill -9`: nobody says anything any more. */
  kill(): void {
    this.engines = new Map();
    this.look.close();
    const { store } = this;
    // What waited in memory is lost with the process; the file stays as it is.
    store.limitSize(1);
    try {
      store.close();
    } catch {
      // Full.
    }
    this.full = false;
  }

  async close(): Promise<void> {
    const closed = this.queue.close();
    await this.settle();
    for (const engine of this.engines.values()) engine.leave({ signal: 'SIGKILL' });
    await closed;
    this.engines = new Map();
    this.look.close();
    try {
      this.store.close();
    } catch (error) {
      if (!this.full) throw error;
    }
    this.full = false;
  }

  /** Of one host: what is left of one that was killed begins nothing. */
  #launcher(): LaunchEngine {
    const { store } = this;
    const nothing = {
      pid: undefined,
      exited: new Promise<EngineExit>(() => undefined),
      kill: () => {},
      send: () => {},
    };
    return (runId, onMessage) => (store === this.store ? this.#launch(runId, onMessage) : nothing);
  }

  #launch(runId: string, onMessage: (message: EngineMessage) => void): EngineHandle {
    try {
      this.#assertMayBegin(runId);
    } catch (error) {
      // Thrown here it would only be an engine that cannot be started.
      this.wrong ??= error as Error;
    }
    this.starts++;
    const { promise: exited, resolve } = Promise.withResolvers<EngineExit>();
    const engine = new ToldEngine(runId, (message) => engine.gone || onMessage(message), resolve, this.saved);
    this.engines.set(runId, engine);
    void exited.then(() => this.engines.get(runId) === engine && this.engines.delete(runId));
    queueMicrotask(() => engine.gone || onMessage({ type: 'ready', pid: 1 }));
    return {
      pid: undefined,
      exited,
      kill: () => engine.leave({ signal: 'SIGKILL' }),
      send: (message) => {
        if (engine.gone) return;
        if (message.type === 'start') engine.begin(message.resume);
        if (message.type === 'stop') queueMicrotask(() => engine.gone || engine.end('stopped'));
      },
    };
  }

  #assertMayBegin(runId: string): void {
    expect(this.finished.has(runId), `${runId} has its result`).toBe(false);
    expect(this.cancelled.has(runId), `${runId} was cancelled`).toBe(false);
    expect(this.engines.has(runId), `${runId} trains already`).toBe(false);
    const beside = [...this.engines.keys(), runId];
    expect(beside.length, 'runs at a time').toBeLessThanOrEqual(this.queue.concurrency);
    expect(beside.length, 'runs that fit side by side').toBeLessThanOrEqual(
      Math.min(...beside.map((id) => this.limitOf(id))),
    );
    const before = this.look
      .prepare(
        `SELECT count(*) AS n FROM runs LEFT JOIN sweeps ON sweeps.key = runs.sweep WHERE runs.state = 'queued' AND deleted_at IS NULL
           AND coalesce(sweeps.state, '') <> 'paused' AND position < (SELECT position FROM runs WHERE id = ?)`,
      )
      .get(runId)!;
    expect(before.n, 'runs that were passed over').toBe(0);
  }

  limitOf(runId: string): number {
    const { sweepId } = this.store.getRun(runId)!;
    return (sweepId === null ? null : this.store.getSweep(sweepId)!.concurrencyLimit) ?? Infinity;
  }

  runs(...states: RunRecord['state'][]): RunRecord[] {
    return this.store.listRuns({ state: states });
  }

  /** Lets everything happen that waits for nothing but its turn. */
  async settle(): Promise<void> {
    for (let i = 0; i < 4; i++) {
      try {
        this.store.flush();
      } catch {
        // Full: that is said elsewhere.
      }
      for (let turn = 0; turn < 4; turn++) await nextTurn();
    }
  }

  /** To the last byte: what waits then keeps everything behind it from being written. */
  #fillDisk(): void {
    this.full = true;
    this.store.limitSize(1);
    try {
      for (;;) {
        this.store.appendEvent({ runId: null, kind: 'log', message: 'x'.repeat(500) }).catch(() => undefined);
        this.store.flush();
      }
    } catch {
      // Full now.
    }
  }

  async #restart(): Promise<void> {
    const training = [...this.engines.keys()];
    await this.close();
    this.open();
    // Nobody wanted them to end.
    for (const id of training) expect(this.store.getRun(id)!.state, 'after a restart').not.toBe('stopped');
  }

  async enoughSpace(): Promise<void> {
    this.store.limitSize(Infinity);
    this.full = false;
    this.queue.kick();
    while (this.queue.state.trouble !== null || this.store.waitingPoints > 0) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      await this.settle();
      this.queue.kick();
    }
  }

  assertInvariants(): void {
    const { queue, store } = this;
    if (this.wrong !== undefined) throw this.wrong;
    for (const { name, endReason } of this.runs('failed'))
      expect(endReason, name).toMatch(/^(failed|engine crashed: SIGSEGV)/u);
    const running = this.runs('running').map(({ id }) => id);
    expect(new Set(queue.active)).toEqual(new Set(running));
    for (const { id, state } of store.listRuns()) if (state === 'finished') this.finished.add(id);
    for (const id of this.finished) expect(store.getRun(id)!.state).toBe('finished');
    for (const { state, counts } of store.listSweeps())
      if (state === 'running')
        expect(counts.queued + counts.running, 'what a running sweep has left').toBeGreaterThan(0);
    const { paused, concurrency, waiting } = queue.state;
    const next = waiting[0];
    if (paused || next === undefined) return;
    // No place stays empty that the next run could have.
    const most = Math.min(concurrency, ...[next, ...running].map((id) => this.limitOf(id)));
    expect(running.length, `runs in training while ${waiting.length} wait`).toBeGreaterThanOrEqual(most);
  }

  /** Something that somebody does, or that happens. */
  async act(): Promise<string> {
    const engine = this.pick([...this.engines.values()]);
    const waiting = this.queue.state.waiting;
    const sweep = this.pick(this.store.listSweeps());
    const actions: Record<string, () => unknown> = {
      sweep: () => this.addSweep(),
      run: () => this.#addRun(),
      // Most of the time engines train.
      train: () => engine?.train(),
      trainAll: () => this.engines.forEach((each) => each.train()),
      save: () => engine?.save(this.store),
      finish: () => engine && this.#finish(engine),
      finishAnother: () => engine && this.#finish(engine),
      crash: () => engine?.leave({ signal: 'SIGSEGV' }),
      diverge: () => engine?.end('failed'),
      pause: () => this.queue.pause(),
      resume: () => this.queue.resume(),
      places: () => this.queue.setConcurrency(1 + Math.floor(this.random() * 4)),
      move: () =>
        this.queue.move(
          waiting.filter(() => this.random() < 0.3),
          this.pick([...waiting, null])!,
        ),
      stopRun: () => this.#stopRun(this.pick(this.runs('queued', 'running'))),
      stopSweep: () => sweep && this.#answered(this.queue.stopSweep(sweep.id)),
      resumeSweep: () => sweep && this.#resumeSweep(sweep.id, ['stopped']),
      retryFailed: () => sweep && this.#resumeSweep(sweep.id, ['stopped', 'failed']),
      resumeRun: () => this.#resumeRun(this.pick(this.runs('stopped', 'failed'))),
      prune: () => engine && this.#prune(engine.runId),
      bin: () => this.#bin(this.pick(this.runs('queued', 'stopped'))),
      restart: () => this.#restart(),
      kill: () => {
        this.kill();
        this.open();
      },
      fillDisk: () => this.#fillDisk(),
      freeDisk: () => this.enoughSpace(),
    };
    const name = this.pick(Object.keys(actions))!;
    try {
      await actions[name]();
    } catch (error) {
      // On a full disk an action may be refused; nothing of it has happened then.
      if (!(this.full && error instanceof StoreError && (error.retryable || error.code === 'state'))) throw error;
    }
    return name;
  }

  /** Who stops something gets an answer within seconds, also when the disk is full. */
  async #answered(stopped: Promise<void>): Promise<void> {
    const answer = stopped.then(() => true);
    answer.catch(() => undefined);
    const begun = performance.now();
    // Whatever is not committed by itself in this moment is committed now, so that nothing waits for a timer.
    while (!(await Promise.race([answer, this.settle().then(() => false)])))
      expect(performance.now() - begun, 'milliseconds until a stop was answered').toBeLessThan(30_000);
  }

  addSweep(): void {
    const limit = this.pick([null, null, 1, 2, 3])!;
    const runs = Array.from({ length: 1 + Math.floor(this.random() * 4) }, (_, i) => newRun(i));
    this.store.createSweep({ name: 'a sweep', spec: {}, concurrencyLimit: limit }, runs);
    this.queue.added();
  }

  #addRun(): void {
    this.store.createRun(newRun(0));
    this.queue.added();
  }

  #finish(engine: ToldEngine): void {
    while (engine.step < LENGTH) engine.train();
    engine.end('finished');
  }

  async #stopRun(run: RunRecord | undefined): Promise<void> {
    if (run === undefined) return;
    this.asked.add(run.id);
    await this.#answered(this.queue.stopRun(run.id));
    this.#noteCancelled();
  }

  async #prune(id: string): Promise<void> {
    this.asked.add(id);
    await this.#answered(this.queue.prune(id, 'no promise'));
    this.#noteCancelled();
  }

  #noteCancelled(): void {
    for (const { id, stopCause } of this.runs('stopped'))
      if (this.asked.has(id) && (stopCause === 'cancelled' || stopCause === 'pruned')) this.cancelled.add(id);
  }

  #resumeSweep(id: string, states: readonly ('stopped' | 'failed')[]): void {
    requeueSweep(this.store, id, states);
    this.queue.added();
  }

  #resumeRun(run: RunRecord | undefined): void {
    if (run === undefined) return;
    // Who resumes this very run wants it again; what was pruned stays so.
    if (requeueAlone(this.store, run) === undefined) {
      this.asked.delete(run.id);
      this.cancelled.delete(run.id);
    } else expect(run.stopCause).toBe('pruned');
    this.queue.added();
  }

  #bin(run: RunRecord | undefined): void {
    if (run === undefined) return;
    this.store.deleteRuns([run.id]);
    this.queue.added();
  }

  /** Everything goes well from here on. */
  async finishAll(): Promise<void> {
    await this.enoughSpace();
    // Ends that the disk did not take are written by and by.
    while (this.queue.active.some((id) => !this.engines.has(id)))
      await new Promise((resolve) => setTimeout(resolve, 20));
    this.#noteCancelled();
    this.queue.setConcurrency(3);
    this.queue.resume();
    for (const { id } of this.store.listSweeps()) this.#resumeSweep(id, ['stopped', 'failed']);
    for (const run of this.runs('stopped', 'failed')) if (!this.cancelled.has(run.id)) this.#resumeRun(run);
    while (this.queue.busy || this.queue.state.waiting.length > 0) {
      await this.settle();
      // What the disk did not take is tried again by itself.
      if (this.engines.size === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      for (const engine of Array.from(this.engines.values())) this.#finish(engine);
      await this.settle();
    }
  }

  assertDone(): void {
    if (this.wrong !== undefined) throw this.wrong;
    for (const run of this.store.listRuns()) {
      if (this.cancelled.has(run.id)) expect(run.state).toBe('stopped');
      else expect(run).toMatchObject({ state: 'finished', steps: LENGTH });
      // Not one point is missing, and none is there twice.
      const { step, value } = this.store.readAll(run.id, 'train/loss');
      expect([...step]).toEqual(Array.from({ length: step.length }, (_, i) => i + 1));
      expect([...value]).toEqual([...step].map(loss));
      if (run.state === 'finished') expect(step).toHaveLength(LENGTH);
    }
    for (const sweep of this.store.listSweeps()) expect(sweep.state, JSON.stringify(sweep.counts)).not.toBe('running');
    expect(this.store.check()).toEqual([]);
  }
}

const newRun = (seed: number) => ({ name: `run ${seed}`, config: {}, seed, settingKey: 'k' });

const FIRST = Number(process.env.SEED ?? Date.now() % 1e6);
const ROUNDS = Number(process.env.ROUNDS ?? 3);
const ACTS = 70;

let world: World | undefined;
afterEach(async () => {
  world?.engines.forEach((engine) => engine.leave({ signal: 'SIGKILL' }));
  await world?.close().catch(() => undefined);
  if (world !== undefined) rmSync(world.folder, { recursive: true, force: true });
});

describe(`the queue, ${ACTS} random acts`, () => {
  let starts = 0;
  afterAll(() => expect(starts, 'runs that were begun').toBeGreaterThan(5 * ROUNDS));
  it.each(Array.from({ length: ROUNDS }, (_, i) => FIRST + i))(
    'keeps its promises (SEED=%i; would catch runs trained twice, beside one another, out of turn, or never)',
    async (seed) => {
      world = new World(seed);
      world.open();
      world.addSweep();
      await world.settle();
      const done: string[] = [];
      try {
        for (let i = 0; i < ACTS; i++) {
          done.push(await world.act());
          await world.settle();
          if (!world.full && world.queue.state.trouble === null) world.assertInvariants();
        }
        await world.finishAll();
        world.assertDone();
      } catch (error) {
        (error as Error).message += `\nafter: ${done.join(' ')}`;
        throw error;
      }
      starts += world.starts;
    },
  );
});
