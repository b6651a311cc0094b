/**
 * Starts programs of runs: without a shell, in a process group of their own, so that what a program has started ends with it and a terminal's
 * Ctrl-C reaches only the lab. Each is noted, so that the next host finds those that have outlived this one.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Readable } from 'node:stream';
import { openFilesProblem } from '../files/openFiles.ts';
import type { LaunchProgram, ProgramExit, ProgramProcess, ProgramStart } from '../lab/programs/process.ts';
import { forgetProcess, noteProcess } from './leftovers.ts';
import { endGroup, groupMemory } from './processGroup.ts';

/** What a program has left behind may still write what it wanted to say. */
const LINGER_MS = 3000;

export const programLauncher =
  (notes: string): LaunchProgram =>
  (start) =>
    launch(notes, start);

function launch(notes: string, { runId, command, folder, env }: ProgramStart): ProgramProcess {
  const [file = '', ...args] = command;
  if (!existsSync(folder)) return notStarted(`there is no folder ${folder}`);
  let child: ReturnType<typeof spawn>;
  try {
    child = spawn(file, args, {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
  } catch (error) {
    return notStarted(openFilesProblem(error) ?? (error as Error).message);
  }
  const { pid } = child;
  let unnoted: string | undefined;
  if (pid !== undefined) {
    try {
      noteProcess(notes, pid, runId, true);
    } catch (error) {
      // Without a note nobody would find it if this process were killed.
      unnoted = `its note cannot be written: ${(error as Error).message}`;
      endGroup(pid, 'kill');
    }
  }
  const exited = new Promise<ProgramExit>((resolve) => {
    child.on('error', (error: NodeJS.ErrnoException) => {
      const why = startProblem(file, error.code) ?? openFilesProblem(error) ?? error.message;
      if (pid === undefined) resolve({ code: null, signal: null, error: why });
    });
    child.on('exit', (code, signal) => {
      const finish = (): void => {
        clearTimeout(lingering);
        endGroup(pid!, 'kill');
        forgetProcess(notes, pid!);
        resolve({ code, signal, ...(unnoted === undefined ? {} : { error: unnoted }) });
      };
      const lingering = setTimeout(finish, LINGER_MS);
      // The pipes have been read to their ends.
      child.once('close', finish);
    });
  });
  return {
    stdout: child.stdout!,
    stderr: child.stderr!,
    end: (how) => {
      if (pid !== undefined) endGroup(pid, how);
    },
    memory: () => (pid === undefined ? null : groupMemory(pid)),
    exited,
  };
}

const notStarted = (error: string): ProgramProcess => ({
  stdout: Readable.from([]),
  stderr: Readable.from([]),
  end: () => undefined,
  memory: () => null,
  exited: Promise.resolve({ code: null, signal: null, error }),
});

function startProblem(file: string, code: string | undefined): string | undefined {
  if (code === 'ENOENT') return `there is no program ${file}`;
  if (code === 'EACCES') return `${file} is no program, or may not be executed (chmod +x makes it so)`;
  return undefined;
}
