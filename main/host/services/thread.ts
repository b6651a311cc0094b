/**
 * A thread that answers questions. It is started when first needed, and again should it die; questions that are cancelled are given
 * up at once here, and by the thread at its next pause. The other side is `threadMain.ts`.
 */
import { Worker } from 'node:worker_threads';
import { threadOptions } from '../../files/compiledCode.ts';
import { LabError } from '../../../preload/contract/rpc.ts';
import type { FromThread, Questions, ToThread } from './threadMain.ts';

interface Open {
  readonly question: ToThread;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
  deadline: NodeJS.Timeout | undefined;
  /** The thread works on it. */
  begun: boolean;
}

export interface ThreadOptions {
  /** The module that the thread runs. */
  readonly file: URL;
  /** What it gets as `workerData`. */
  readonly data: unknown;
  /** What it does, for messages: `Planning`. */
  readonly name: string;
  /**
   * Milliseconds that a question may take. One that takes longer is given up with its thread; those behind it are asked again. Without it
   * only cancelling ends a question.
   */
  readonly deadline?: number;
  /**
   * A question that was cancelled but that the thread does not let go of holds up those behind it: after a moment the thread is given up,
   * and they are asked again; after a while also where nobody waits, as it computes for nobody. For threads that keep little of worth.
   */
  readonly preempt?: boolean;
  /** Milliseconds that such a question may go on where nobody waits: who asks next gains from a thread that is there. */
  readonly aloneMs?: number;
  /** Milliseconds without a question after which a thread that holds much of memory is ended. */
  readonly restMs?: number;
}

/** Room for what lives for a moment. MiB, of which a thread uses what it needs. */
const YOUNG_MIB = 96;
/** A thread gets this long to let go of a question that was cancelled. */
const LET_GO_MS = 300;

export class Thread<Q extends Questions> {
  readonly #options: ThreadOptions;
  readonly #open = new Map<number, Open>();
  /** Cancelled questions that the thread still works on. */
  readonly #held = new Map<number, NodeJS.Timeout>();
  #worker: Worker | undefined;
  #rest: NodeJS.Timeout | undefined;
  #next = 1;
  #closed = false;

  constructor(options: ThreadOptions) {
    this.#options = options;
  }

  /** Questions that wait for their answer. */
  get open(): number {
    return this.#open.size;
  }

  /** Starts the thread before it is needed. */
  warm(): void {
    this.#started();
  }

  /** A message without an answer; dropped while there is no thread. */
  tell(message: unknown): void {
    this.#send({ type: 'tell', message });
  }

  /** @throws LabError; `cancelled` at once when the signal aborts */
  async ask<W extends keyof Q & string>(what: W, ask: Q[W]['ask'], signal?: AbortSignal): Promise<Q[W]['answer']> {
    const cancelled = (): LabError => new LabError('cancelled', 'The call was cancelled.');
    if (signal?.aborted) throw cancelled();
    this.#started();
    clearTimeout(this.#rest);
    const id = this.#next++;
    const abort = (): void => {
      this.#send({ type: 'cancel', id });
      const open = this.#open.get(id);
      if (open?.begun === true && this.#options.preempt === true) this.#hold(id);
      open?.reject(cancelled());
    };
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return await new Promise<Q[W]['answer']>((resolve, reject) => {
        const question = { type: 'ask', id, what, ask } as const;
        this.#open.set(id, {
          question,
          resolve: resolve as (answer: never) => void,
          reject,
          deadline: undefined,
          begun: false,
        });
        this.#put(id);
      });
    } finally {
      clearTimeout(this.#open.get(id)?.deadline);
      this.#open.delete(id);
      signal?.removeEventListener('abort', abort);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#rest);
    for (const id of this.#held.keys()) this.#letGo(id);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
    this.#fail('The lab is closing.');
  }

  #put(id: number): void {
    const open = this.#open.get(id)!;
    clearTimeout(open.deadline);
    open.begun = false;
    this.#send(open.question);
  }

  /** Its time runs from here: on a busy machine the thread alone may take long to start. */
  #begun(id: number): void {
    const open = this.#open.get(id);
    const { deadline, preempt = false } = this.#options;
    if (open === undefined) {
      // It was cancelled before this was heard.
      if (preempt) this.#hold(id);
      return;
    }
    open.begun = true;
    if (deadline === undefined) return;
    clearTimeout(open.deadline);
    open.deadline = setTimeout(() => this.#late(id, deadline), deadline).unref();
  }

  /** Questions are answered in order: the oldest open one is what takes so long. */
  #late(id: number, deadline: number): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#open.delete(id);
    const { name } = this.#options;
    open.reject(
      new LabError('invalid', `${name} was given up: it took longer than ${deadline / 1000} s. Ask for less at once.`),
    );
    this.#restart();
  }

  /** Nobody waits for this question any more: as soon as somebody waits behind it, or after a while, its thread is given up. */
  #hold(id: number, since = performance.now()): void {
    const { aloneMs = 3000 } = this.#options;
    const timer = setTimeout(() => {
      if (this.#open.size > 0 || performance.now() - since > aloneMs) this.#restart();
      else this.#hold(id, since);
    }, LET_GO_MS).unref();
    this.#held.set(id, timer);
  }

  #letGo(id: number): void {
    clearTimeout(this.#held.get(id));
    this.#held.delete(id);
  }

  /** Whoever asks next, later, gets a new thread. */
  #swollen(): void {
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => {
      if (this.#open.size === 0) this.#restart();
    }, this.#options.restMs ?? 10_000).unref();
  }

  /** Another thread, which is asked all open questions. */
  #restart(): void {
    for (const id of this.#held.keys()) this.#letGo(id);
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
    if (this.#closed || this.#open.size === 0) return;
    this.#started();
    for (const other of this.#open.keys()) this.#put(other);
  }

  #send(message: ToThread): void {
    this.#worker?.postMessage(message);
  }

  #started(): void {
    if (this.#closed) throw new LabError('disconnected', 'The lab is closing.');
    if (this.#worker !== undefined) return;
    const { file, data } = this.#options;
    const worker = new Worker(file, {
      workerData: data,
      ...threadOptions(),
      // Plans are made of many small things that live for a moment: in too little room they are copied about.
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
    });
    this.#worker = worker;
    // Answering questions alone keeps no process alive.
    worker.unref();
    worker.on('message', (message: FromThread) => {
      // One that was given up: its questions are asked again.
      if (this.#worker !== worker) return;
      const open = this.#open.get(message.id);
      if ('begun' in message) return this.#begun(message.id);
      if ('swollen' in message) return this.#swollen();
      this.#letGo(message.id);
      if ('code' in message) open?.reject(new LabError(message.code, message.message, message.details));
      else open?.resolve(message.answer as never);
    });
    worker.on('error', ({ message }) => this.#ended(worker, message));
    worker.on('exit', () => this.#ended(worker, 'it ended'));
  }

  #ended(worker: Worker, why: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const id of this.#held.keys()) this.#letGo(id);
    this.#fail(`${this.#options.name} failed: ${why}`);
  }

  #fail(message: string): void {
    for (const { reject } of this.#open.values()) reject(new LabError('internal', message));
    this.#open.clear();
  }
}

/** So many more than another thread has may wait for the one that knows what they are about. */
const MORE_AT_HOME = 3;

/** Several threads of one kind; each question goes to the one that has the fewest, or that was asked about the same before. */
export class Threads<Q extends Questions> {
  readonly #threads: readonly Thread<Q>[];
  /** Which thread was asked about what. */
  readonly #homes = new Map<string, Thread<Q>>();

  constructor(count: number, options: ThreadOptions) {
    this.#threads = Array.from({ length: count }, () => new Thread<Q>(options));
  }

  warm(): void {
    for (const thread of this.#threads) thread.warm();
  }

  tell(message: unknown): void {
    for (const thread of this.#threads) thread.tell(message);
  }

  /**
   * @param about what threads keep something of between questions
   * @throws LabError; `cancelled` at once when the signal aborts
   */
  ask<W extends keyof Q & string>(
    what: W,
    ask: Q[W]['ask'],
    signal?: AbortSignal,
    about?: string,
  ): Promise<Q[W]['answer']> {
    const least = this.#threads.toSorted((a, b) => a.open - b.open || this.#homesOf(a) - this.#homesOf(b))[0]!;
    if (about === undefined) return least.ask(what, ask, signal);
    const home = this.#homes.get(about) ?? least;
    this.#homes.set(about, home);
    return (home.open > least.open + MORE_AT_HOME ? least : home).ask(what, ask, signal);
  }

  #homesOf(thread: Thread<Q>): number {
    let homes = 0;
    for (const home of this.#homes.values()) if (home === thread) homes++;
    return homes;
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}
