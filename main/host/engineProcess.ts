/**
 * Engine processes: one per training run, so that a crash or a lack of memory ends that run alone.
 *
 * An engine gets a channel with advanced serialization (typed arrays travel as they are). Its standard error is kept for the
 * reason of a crash. It ignores Ctrl-C, which a terminal sends to all processes: the host decides. It notices by itself when
 * its host is gone; `leftovers.ts` takes care of one that has not yet noticed when the next host comes.
 */
import { fork } from 'node:child_process';
import type { EngineMessage, HostMessage } from '../../preload/contract/engine.ts';
import { fileURLToPath } from 'node:url';
import type { EngineExit, EngineHandle, LaunchEngine } from '../lab/queue/engine.ts';
import { openFilesProblem } from '../files/openFiles.ts';
import { cardEnv } from '../lab/queue/place.ts';
import { forgetProcess, noteProcess } from './leftovers.ts';
import { compiledCodeEnv } from '../files/compiledCode.ts';

export interface LauncherOptions {
  /** Folder for notes of running engines. */
  readonly notes: string;
  /** The engine's program. */
  readonly entry?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export const ENGINE_ENTRY = fileURLToPath(new URL('../engine/main.ts', import.meta.url));
const KEPT_LINES = 30;

export function engineLauncher({ notes, entry = ENGINE_ENTRY, env = process.env }: LauncherOptions): LaunchEngine {
  return (runId, onMessage, slot) => launch(entry, { ...env, ...cardEnv(slot) }, notes, runId, onMessage);
}

function launch(
  entry: string,
  env: Readonly<Record<string, string | undefined>>,
  notes: string,
  runId: string,
  onMessage: (message: EngineMessage) => void,
): EngineHandle {
  const child = fork(entry, [], {
    serialization: 'advanced',
    execArgv: ['--disable-warning=ExperimentalWarning'],
    // Engines share the compiled code of this process.
    env: { ...compiledCodeEnv(), ...env },
    // Whatever a library prints must not end up between the lines of `--json`.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // A process group of its own keeps a terminal's Ctrl-C away from it.
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  let unnoted: string | undefined;
  if (child.pid !== undefined) {
    try {
      noteProcess(notes, child.pid, runId);
    } catch (error) {
      // Without a note nobody would find it if this process were killed.
      unnoted = `its note cannot be written: ${(error as Error).message}`;
      child.kill('SIGKILL');
    }
  }
  const stderr: string[] = [];
  let rest = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!.slice(-2000);
    stderr.push(...lines.filter((line) => line.trim() !== ''));
    stderr.splice(0, stderr.length - KEPT_LINES);
  });
  child.stdout?.resume();
  child.on('message', (message) => onMessage(message as EngineMessage));
  const exited = new Promise<EngineExit>((resolve) => {
    const finish = (exit: Omit<EngineExit, 'stderr'>): void => {
      if (child.pid !== undefined) forgetProcess(notes, child.pid);
      const why = unnoted === undefined ? {} : { error: unnoted };
      resolve({ ...exit, ...why, stderr: rest.trim() === '' ? stderr : [...stderr, rest] });
    };
    child.on('error', (error) => {
      // Also reported when a message cannot be sent; then `close` follows.
      if (child.pid === undefined)
        finish({ code: null, signal: null, error: openFilesProblem(error) ?? error.message });
    });
    // `close` comes after the pipes and the channel have been read to their ends.
    child.on('close', (code, signal) => finish({ code, signal }));
  });
  return {
    pid: child.pid,
    send(message: HostMessage) {
      if (child.connected) child.send(message, () => {});
    },
    kill() {
      child.kill('SIGKILL');
    },
    exited,
  };
}
