/** What a run of a program needs of its process. The host starts them; tests make fakes. */
import type { Readable } from 'node:stream';

export interface ProgramExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** Why it could not even be started. */
  readonly error?: string;
}

export interface ProgramProcess {
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Asks it, and every process that it has started, to end; or ends them at once. Safe to call when they are gone. */
  end(how: 'ask' | 'kill'): void;
  /** Bytes of memory that it and all that it has started hold now; null where the system does not say. */
  memory(): number | null;
  /** When it has ended and its output has come to its end, or nobody waits for that any longer. */
  readonly exited: Promise<ProgramExit>;
}

export interface ProgramStart {
  readonly runId: string;
  readonly command: readonly string[];
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Never throws: a program that cannot be started has exited with the reason. */
export type LaunchProgram = (start: ProgramStart) => ProgramProcess;
