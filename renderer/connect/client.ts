/**
 * The typed client of the lab. It connects by itself, again and again after a loss (with growing pauses), subscribes again then, and
 * gives credit for live frames as it takes them. Who listens to `onState` loads again what events may have changed meanwhile.
 */
import type { Events, Input, Output, RouteName, Topic } from '../../preload/contract/api.ts';
import type { Port } from '../../preload/contract/port.ts';
import type { ErrorCode, HostMessage } from '../../preload/contract/rpc.ts';

export type ConnectionState = 'connecting' | 'open' | 'lost';

/** A call that failed; `code` is one of the contract's. */
export class CallError extends Error {
  override readonly name: string;
  readonly code: ErrorCode;
  readonly details: unknown;

  constructor(code: ErrorCode, message: string, details?: unknown) {
    super(message);
    this.name = code === 'cancelled' ? 'AbortError' : 'CallError';
    this.code = code;
    this.details = details;
  }
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface Client {
  /**
   * Rejects with {@link CallError}. While the connection is being made, calls wait for it; a call that was under way when the
   * connection was lost rejects with `disconnected`: nobody knows whether it was done.
   */
  call<R extends RouteName>(route: R, input: Input<R>, options?: CallOptions): Promise<Output<R>>;
  /** Returns the function that ends the subscription. Subscriptions survive a reconnection. */
  subscribe<T extends Topic>(topic: T, listener: (data: Events[T]) => void): () => void;
  /** Called at once with the present state, and at every change. */
  onState(listener: (state: ConnectionState, error?: Error) => void): () => void;
  close(): void;
}

export interface ClientOptions {
  /** Makes a connection; called again after a loss. */
  readonly connect: () => Promise<Port>;
  /** Pauses before further tries, in ms; the last one repeats. */
  readonly pauses?: readonly number[];
  /** Replaced in tests. */
  readonly wait?: (milliseconds: number) => Promise<void>;
}

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
  readonly forget: () => void;
}

const PAUSES = [250, 500, 1000, 2000, 5000];
const LOSSY: ReadonlySet<string> = new Set(['points', 'progress', 'devices']);
/** Calls waiting for a connection fail after this time: a page should say what is wrong. */
const PATIENCE = 15_000;

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

export function createClient(options: ClientOptions): Client {
  return new LabConnection(options);
}

class LabConnection implements Client {
  readonly #options: ClientOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #topics = new Map<Topic, Set<(data: never) => void>>();
  readonly #states = new Set<(state: ConnectionState, error?: Error) => void>();
  readonly #waiting = new Set<() => void>();
  #state: ConnectionState = 'connecting';
  #error: Error | undefined;
  #port: Port | undefined;
  #next = 1;
  #closed = false;

  constructor(options: ClientOptions) {
    this.#options = options;
    void this.#keepConnected();
  }

  async call<R extends RouteName>(route: R, input: Input<R>, { signal }: CallOptions = {}): Promise<Output<R>> {
    const cancelled = (): CallError => new CallError('cancelled', 'The call was cancelled.');
    if (signal?.aborted) throw cancelled();
    const port = this.#port ?? (await this.#connected(signal));
    if (signal?.aborted) throw cancelled();
    const id = this.#next++;
    return await new Promise<Output<R>>((resolve, reject) => {
      const abort = (): void => {
        if (!this.#pending.delete(id)) return;
        port.post({ kind: 'cancel', id });
        reject(cancelled());
      };
      signal?.addEventListener('abort', abort, { once: true });
      const forget = (): void => signal?.removeEventListener('abort', abort);
      this.#pending.set(id, { resolve: resolve as (value: never) => void, reject, forget });
      try {
        port.post({ kind: 'request', id, route, input });
      } catch (error) {
        this.#pending.delete(id);
        forget();
        reject(new CallError('input', (error as Error).message));
      }
    });
  }

  subscribe<T extends Topic>(topic: T, listener: (data: Events[T]) => void): () => void {
    const listeners = this.#topics.get(topic) ?? new Set();
    this.#topics.set(topic, listeners);
    listeners.add(listener as (data: never) => void);
    if (listeners.size === 1) this.#port?.post({ kind: 'subscribe', topic });
    return () => {
      if (!listeners.delete(listener as (data: never) => void) || listeners.size > 0) return;
      this.#topics.delete(topic);
      this.#port?.post({ kind: 'unsubscribe', topic });
    };
  }

  onState(listener: (state: ConnectionState, error?: Error) => void): () => void {
    this.#states.add(listener);
    listener(this.#state, this.#error);
    return () => this.#states.delete(listener);
  }

  close(): void {
    this.#closed = true;
    this.#port?.close();
    this.#lose(new CallError('disconnected', 'The connection was closed.'));
  }

  async #keepConnected(): Promise<void> {
    const { connect, pauses = PAUSES, wait = sleep } = this.#options;
    let failures = 0;
    while (!this.#closed) {
      try {
        const port = await connect();
        if (this.#closed) return port.close();
        await this.#serve(port);
        failures = 0;
      } catch (error) {
        this.#set('lost', error as Error);
      }
      if (this.#closed) return;
      await wait(pauses[Math.min(failures, pauses.length - 1)]!);
      failures++;
    }
  }

  /** Resolves when the port has closed. @throws when it closes before the lab has said hello */
  async #serve(port: Port): Promise<void> {
    let open = false;
    const closed = new Promise<void>((resolve) => port.onClose(resolve));
    port.onMessage((message) => {
      const told = message as HostMessage;
      if (told.kind === 'hello') {
        open = true;
        this.#open(port);
      } else this.#receive(port, told);
    });
    await closed;
    this.#port = undefined;
    const error = new CallError('disconnected', 'The connection to the lab was lost.');
    if (!open) throw error;
    this.#lose(error);
  }

  #open(port: Port): void {
    this.#port = port;
    for (const topic of this.#topics.keys()) port.post({ kind: 'subscribe', topic });
    this.#set('open');
    for (const go of this.#waiting) go();
  }

  #receive(port: Port, message: HostMessage): void {
    if (message.kind === 'event') {
      try {
        for (const listener of this.#topics.get(message.topic as Topic) ?? []) listener(message.data as never);
      } finally {
        if (LOSSY.has(message.topic)) port.post({ kind: 'credit', frames: 1 });
      }
      return;
    }
    if (message.kind !== 'reply') return;
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return;
    this.#pending.delete(message.id);
    pending.forget();
    if (message.ok) pending.resolve(message.value as never);
    else pending.reject(new CallError(message.code, message.message, message.details));
  }

  #lose(error: Error): void {
    for (const { reject, forget } of this.#pending.values()) {
      forget();
      reject(error);
    }
    this.#pending.clear();
    this.#set('lost', error);
  }

  #set(state: ConnectionState, error?: Error): void {
    this.#state = state;
    this.#error = error;
    for (const listener of this.#states) listener(state, error);
  }

  /** The port, once there is one. */
  #connected(signal?: AbortSignal): Promise<Port> {
    return new Promise((resolve, reject) => {
      const done = (action: () => void): (() => void) => {
        return () => {
          clearTimeout(timer);
          this.#waiting.delete(go);
          signal?.removeEventListener('abort', abort);
          action();
        };
      };
      const go = done(() => resolve(this.#port!));
      const abort = done(() => reject(new CallError('cancelled', 'The call was cancelled.')));
      const late = done(() =>
        reject(new CallError('disconnected', this.#error?.message ?? 'The lab does not answer.')),
      );
      const timer = setTimeout(late, PATIENCE);
      this.#waiting.add(go);
      signal?.addEventListener('abort', abort);
    });
  }
}
