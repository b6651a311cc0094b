/** The inside of a `Thread`: hears questions and cancellations, sends answers. */
import { getHeapStatistics } from 'node:v8';
import { parentPort } from 'node:worker_threads';
import type { Transferable } from 'node:worker_threads';
import type { ErrorCode } from '../../../preload/contract/rpc.ts';
import { keepCompiledCode } from '../../files/compiledCode.ts';
import { toLabError } from './errors.ts';

/** What can be asked, and what comes back, by the name of the question. */
export type Questions = { readonly [what: string]: { readonly ask: unknown; readonly answer: unknown } };

export type ToThread =
  | { readonly type: 'ask'; readonly id: number; readonly what: string; readonly ask: unknown }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'tell'; readonly message: unknown };
export type FromThread =
  /** The thread works on this question from now on: what it waited for the start of the thread, or for others, is not its own. */
  | { readonly id: number; readonly begun: true }
  /** Nothing is asked now, and what was has left much in memory. */
  | { readonly id: number; readonly swollen: true }
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly code: ErrorCode; readonly message: string; readonly details?: unknown };

/** An answer whose buffers are handed over instead of copied; nobody here may hold them any longer. */
export class Handed<T> {
  readonly value: T;
  readonly buffers: readonly Transferable[];

  constructor(value: T, buffers: readonly Transferable[]) {
    this.value = value;
    this.buffers = buffers;
  }
}

export type Answerers<Q extends Questions> = {
  readonly [W in keyof Q]: (
    ask: Q[W]['ask'],
    signal: AbortSignal,
  ) => Q[W]['answer'] | Handed<Q[W]['answer']> | Promise<Q[W]['answer'] | Handed<Q[W]['answer']>>;
};

/** A thread that holds more is ended when nobody asks it for a while: what lived for a moment is not freed while it rests. */
const KEPT_BYTES = 100 << 20;

/** Begins to answer. */
export function answerWith<Q extends Questions>(answerers: Answerers<Q>, onTell?: (message: unknown) => void): void {
  const open = new Map<number, AbortController>();
  const byName = answerers as Readonly<Record<string, (ask: unknown, signal: AbortSignal) => unknown>>;
  const answer = async (id: number, what: string, ask: unknown): Promise<void> => {
    const controller = new AbortController();
    open.set(id, controller);
    try {
      // Lets a cancellation that came right behind the question be heard first.
      await new Promise((resolve) => setImmediate(resolve));
      controller.signal.throwIfAborted();
      send({ id, begun: true });
      const made = await byName[what]!(ask, controller.signal);
      if (made instanceof Handed) send({ id, answer: made.value }, made.buffers);
      else send({ id, answer: made });
    } catch (error) {
      const { code, message, details } = toLabError(error);
      send({ id, code, message, ...(details === undefined ? {} : { details }) });
    } finally {
      open.delete(id);
      if (open.size === 0 && getHeapStatistics().total_heap_size > KEPT_BYTES) send({ id, swollen: true });
    }
  };
  keepCompiledCode();
  parentPort!.on('message', (message: ToThread) => {
    if (message.type === 'ask') void answer(message.id, message.what, message.ask);
    else if (message.type === 'cancel') open.get(message.id)?.abort();
    else onTell?.(message.message);
  });
}

function send(message: FromThread, buffers: readonly Transferable[] = []): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort!.postMessage(message, [...buffers]);
}
