/** What the queue needs of an engine process. The host makes them; tests make fakes. */
import type { EngineMessage, HostMessage } from '../../../preload/contract/engine.ts';
import type { Slot } from './place.ts';

/** How an engine process came to its end. */
export interface EngineExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** The last lines that it wrote to standard error. */
  readonly stderr: readonly string[];
  /** Why it could not even be started. */
  readonly error?: string;
}

export interface EngineHandle {
  readonly pid: number | undefined;
  /** A message to a process that is gone is dropped. */
  send(message: HostMessage): void;
  kill(): void;
  readonly exited: Promise<EngineExit>;
}

/** Starts an engine process. Messages come in the order in which they were sent, all of them before `exited` resolves. */
export type LaunchEngine = (runId: string, onMessage: (message: EngineMessage) => void, slot: Slot) => EngineHandle;

/** Why an engine that ended without saying so ended, in words for the run's record. */
export function crashReason(exit: EngineExit): string {
  if (exit.error !== undefined) return `the engine cannot be started: ${exit.error}`;
  const text = exit.stderr.join('\n');
  if (/heap out of memory|ENOMEM|Cannot allocate memory|std::bad_alloc/iu.test(text))
    return `engine crashed: out of memory (${how(exit)}); lower batch.micro, model.context or model.width`;
  // The message of an error stands above its stack.
  const last =
    exit.stderr.findLast((line) => /error\b|exception|assert/iu.test(line) && !/^\s*at /u.test(line)) ??
    exit.stderr.at(-1);
  const hint = exit.signal === 'SIGKILL' ? ': killed from outside, often by the system for want of memory' : '';
  return `engine crashed: ${how(exit)}${hint}${last === undefined ? '' : `: ${last.trim().slice(0, 300)}`}`;
}

const how = ({ code, signal }: EngineExit): string => signal ?? `exit code ${code}`;
