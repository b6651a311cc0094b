/** Starts the process of the lab. */
import { spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import type { LabChild } from './labProcess.ts';

export interface SpawnOptions {
  readonly node: string;
  /** `labMain.ts`. */
  readonly entry: string;
  readonly home?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const KEPT = 2000;

export function spawnLab({ node, entry, home, env = process.env }: SpawnOptions): LabChild {
  const { ELECTRON_RUN_AS_NODE: _, ...rest } = env;
  const child = spawn(
    node,
    ['--disable-warning=ExperimentalWarning', entry, ...(home === undefined ? [] : ['--data-dir', home])],
    // Windows can use a pipe from both sides only when it is overlapped; elsewhere that is the same as a pipe.
    { stdio: ['ignore', 'inherit', 'pipe', 'overlapped'], env: rest as NodeJS.ProcessEnv, windowsHide: true },
  );
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    process.stderr.write(text);
    stderr = (stderr + text).slice(-KEPT);
  });
  return {
    stream: child.stdio[3] as Duplex,
    onExit(listener) {
      let told = false;
      const tell = (code: number | null): void => {
        if (told) return;
        told = true;
        listener({ code, stderr: stderr.trim().split('\n').slice(-5).join('\n') });
      };
      child.on('error', (error) => {
        stderr += `${error.message}\n`;
        if (child.pid === undefined) tell(null);
      });
      child.on('close', (code) => tell(code));
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
