/** One client: its calls, its subscriptions, and what waits to be sent to it. The rules of flow are those of `preload/contract/rpc.ts`. */
import { routes, TOPICS } from '../../../preload/contract/api.ts';
import type { Events, RouteName, Topic } from '../../../preload/contract/api.ts';
import { excessOf } from '../../../preload/contract/excess.ts';
import type { MetricColumn } from '../../../preload/contract/metrics.ts';
import type { Port } from '../../../preload/contract/port.ts';
import { CREDIT, LabError, MOST_PRESSURE, PROTOCOL, readClientMessage } from '../../../preload/contract/rpc.ts';
import type { ClientMessage, HostMessage, RequestMessage } from '../../../preload/contract/rpc.ts';
import type { DeviceReading, RunProgress } from '../../../preload/contract/shapes.ts';
import type { Store } from '../../store/index.ts';
import { inputError, toLabError } from './errors.ts';

/** What the lab knows of a caller. */
export interface Caller {
  /** True for the desktop app, which may name files to write. */
  readonly trusted: boolean;
}

export interface Call {
  readonly signal: AbortSignal;
  readonly caller: Caller;
}

/** Answers one call whose input was checked. */
export type Answer = (route: RouteName, input: unknown, call: Call) => unknown;

/** Records looked up when they are sent, so that each client gets the newest ones. */
export interface Lookup {
  readonly store: Store;
  runs(ids: readonly string[]): Events['runs']['runs'];
  sweeps(ids: readonly string[]): Events['sweeps']['sweeps'];
  queue(): Events['queue'];
  progress(): readonly RunProgress[];
}

export interface SessionOptions {
  readonly port: Port;
  readonly caller: Caller;
  readonly instance: string;
  readonly answer: Answer;
  readonly lookup: Lookup;
  readonly points: () => PointBufferLike;
  /** Something waits to be sent. */
  readonly wake: () => void;
  /** The topics wanted changed. */
  readonly onTopics: () => void;
}

export interface PointBufferLike {
  readonly empty: boolean;
  add(runId: string, columns: readonly MetricColumn[]): void;
  truncate(runId: string, step: number): void;
  renew(runId: string): void;
  forget(): void;
  take(store: Store): Events['points'];
}

/** More calls than this at once are refused. */
const MOST_CALLS = 64;
const LIVE = ['points', 'progress', 'devices'] as const;

/** What is said once, and never merged or skipped. */
type Told = 'notice' | 'data' | 'wandb' | 'setup' | 'updates' | 'imports' | 'checks';

export class Session {
  readonly #options: SessionOptions;
  readonly #calls = new Map<number, AbortController>();
  readonly #topics = new Set<Topic>();
  readonly #seq = new Map<Topic, number>();
  #credit = CREDIT;
  #turn = 0;
  readonly #runs = new Set<string>();
  readonly #sweeps = new Set<string>();
  #queue = false;
  #notices: { topic: Told; data: Events[Told] }[] = [];
  readonly #points: PointBufferLike;
  #progress = new Map<string, RunProgress>();
  #devices: readonly { id: string; reading: DeviceReading }[] | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#points = options.points();
    const { port, instance } = options;
    port.onClose(() => this.#end());
    this.#post({ kind: 'hello', protocol: PROTOCOL, instance });
    port.onMessage((message) => this.#receive(message));
  }

  wants(topic: Topic): boolean {
    return this.#topics.has(topic);
  }

  close(): void {
    this.#options.port.close();
  }

  // --- what happened in the lab ---

  markRuns(ids: Iterable<string>): void {
    if (this.wants('runs')) for (const id of ids) this.#runs.add(id);
  }

  markSweeps(ids: Iterable<string>): void {
    if (this.wants('sweeps')) for (const id of ids) this.#sweeps.add(id);
  }

  markQueue(): void {
    if (this.wants('queue')) this.#queue = true;
  }

  tell<T extends Told>(topic: T, data: Events[T]): void {
    if (this.wants(topic)) this.#notices.push({ topic, data });
  }

  addPoints(runId: string, columns: readonly MetricColumn[]): void {
    if (this.wants('points')) this.#points.add(runId, columns);
  }

  truncate(runId: string, step: number): void {
    if (this.wants('points')) this.#points.truncate(runId, step);
  }

  renew(runId: string): void {
    if (this.wants('points')) this.#points.renew(runId);
  }

  setProgress(progress: RunProgress): void {
    if (this.wants('progress')) this.#progress.set(progress.runId, progress);
  }

  setDevices(devices: readonly { id: string; reading: DeviceReading }[]): void {
    if (this.wants('devices')) this.#devices = devices;
  }

  /** Sends what may be sent now. @returns true when something still waits */
  flush(): boolean {
    const { port, lookup } = this.#options;
    const free = (): boolean => port.pressure() < MOST_PRESSURE;
    if (free() && this.#runs.size > 0) {
      const ids = [...this.#runs];
      this.#runs.clear();
      this.#event('runs', { runs: lookup.runs(ids) });
    }
    if (free() && this.#sweeps.size > 0) {
      const ids = [...this.#sweeps];
      this.#sweeps.clear();
      this.#event('sweeps', { sweeps: lookup.sweeps(ids) });
    }
    if (free() && this.#queue) {
      this.#queue = false;
      this.#event('queue', lookup.queue());
    }
    while (free() && this.#notices.length > 0) {
      const { topic, data } = this.#notices.shift()!;
      this.#event(topic, data);
    }
    // One live frame per turn, so that all topics together keep to the rate; each topic has its turn first in rotation.
    for (let i = 0; i < LIVE.length && free() && this.#credit > 0; i++) {
      const topic = LIVE[(this.#turn + i) % LIVE.length]!;
      if (!this.#sendLive(topic)) continue;
      this.#turn = (this.#turn + i + 1) % LIVE.length;
      break;
    }
    const live = !this.#points.empty || this.#progress.size > 0 || this.#devices !== undefined;
    const state = this.#runs.size > 0 || this.#sweeps.size > 0 || this.#queue || this.#notices.length > 0;
    // Without credit the client's next message wakes us.
    return state || (live && this.#credit > 0);
  }

  /** @returns false when there is nothing to send of this topic */
  #sendLive(topic: (typeof LIVE)[number]): boolean {
    if (topic === 'points') {
      if (this.#points.empty) return false;
      this.#lossy('points', this.#points.take(this.#options.lookup.store));
    } else if (topic === 'progress') {
      if (this.#progress.size === 0) return false;
      const progress = [...this.#progress.values()];
      this.#progress = new Map();
      this.#lossy('progress', { progress });
    } else {
      if (this.#devices === undefined) return false;
      const devices = this.#devices;
      this.#devices = undefined;
      this.#lossy('devices', { devices });
    }
    return true;
  }

  // --- what the client says ---

  #receive(raw: unknown): void {
    const message = readClientMessage(raw);
    if (message === undefined) {
      this.#fail(0, new LabError('input', 'The message is none of the protocol.'));
      return;
    }
    this.#handle(message);
  }

  #handle(message: ClientMessage): void {
    switch (message.kind) {
      case 'request':
        void this.#request(message);
        return;
      case 'cancel':
        this.#calls.get(message.id)?.abort();
        return;
      case 'subscribe':
        this.#subscribe(message.topic);
        return;
      case 'unsubscribe':
        this.#topics.delete(message.topic as Topic);
        if (message.topic === 'points') this.#points.forget();
        this.#options.onTopics();
        return;
      case 'credit':
        this.#credit = Math.min(CREDIT, this.#credit + message.frames);
        this.#options.wake();
        return;
    }
  }

  #subscribe(text: string): void {
    const topic = TOPICS.find((each) => each === text);
    if (topic === undefined) {
      this.#fail(0, new LabError('route', `There is no topic ${text}.`));
      return;
    }
    this.#topics.add(topic);
    // The present state at once; later events change it.
    if (topic === 'queue') this.#queue = true;
    if (topic === 'progress') for (const each of this.#options.lookup.progress()) this.#progress.set(each.runId, each);
    this.#options.onTopics();
    this.#options.wake();
  }

  async #request({ id, route, input }: RequestMessage): Promise<void> {
    if (this.#calls.has(id)) return this.#fail(id, new LabError('input', `The number ${id} is in use.`));
    if (this.#calls.size >= MOST_CALLS) return this.#fail(id, new LabError('busy', 'Too many calls at once.'));
    if (!Object.hasOwn(routes, route)) return this.#fail(id, new LabError('route', `There is no call ${route}.`));
    const controller = new AbortController();
    this.#calls.set(id, controller);
    const { signal } = controller;
    try {
      const excess = excessOf(input);
      if (excess !== undefined) throw new LabError('input', `The input is too large: ${excess}`);
      const parsed = routes[route as RouteName].input.safeParse(input ?? {});
      if (!parsed.success) throw inputError(parsed.error);
      const cancelled = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(new LabError('cancelled', 'The call was cancelled.')));
      });
      const call = { signal, caller: this.#options.caller };
      const answer = (async () => await this.#options.answer(route as RouteName, parsed.data, call))();
      // One that was cancelled may still fail, with nobody to hear it.
      answer.catch(() => undefined);
      const value: unknown = await Promise.race([answer, cancelled]);
      this.#post({ kind: 'reply', id, ok: true, value });
    } catch (error) {
      this.#fail(id, error);
    } finally {
      this.#calls.delete(id);
    }
  }

  #fail(id: number, error: unknown): void {
    const { code, message, details } = toLabError(error);
    this.#post({ kind: 'reply', id, ok: false, code, message, ...(details === undefined ? {} : { details }) });
  }

  #lossy<T extends Topic>(topic: T, data: Events[T]): void {
    this.#credit--;
    this.#event(topic, data);
  }

  #event<T extends Topic>(topic: T, data: Events[T]): void {
    const seq = (this.#seq.get(topic) ?? 0) + 1;
    this.#seq.set(topic, seq);
    this.#post({ kind: 'event', topic, seq, data });
  }

  #post(message: HostMessage): void {
    try {
      this.#options.port.post(message);
    } catch (error) {
      // An answer that cannot be carried is a mistake of ours; the client must not wait for it.
      if (message.kind === 'reply' && message.ok) this.#fail(message.id, error);
      else this.#options.port.close();
    }
  }

  #end(): void {
    for (const call of this.#calls.values()) call.abort();
    this.#topics.clear();
    this.#points.forget();
    this.#options.onTopics();
  }
}
