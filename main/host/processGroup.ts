/** A program and all that it has started: a process group of its own (on Windows a tree), which is ended as one. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const WINDOWS = process.platform === 'win32';

/** @param pid of the first of the group */
export function endGroup(pid: number, how: 'ask' | 'kill'): void {
  if (WINDOWS) {
    // Nothing there can be asked that has no window.
    spawn('taskkill', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore', windowsHide: true }).on(
      'error',
      () => undefined,
    );
    return;
  }
  try {
    process.kill(-pid, how === 'kill' ? 'SIGKILL' : 'SIGTERM');
  } catch {
    // All of it has ended.
  }
}

/**
 * Processes of a group whose first has ended. Its number may be in use again: only those count that carry the run in their environment. Where
 * the system does not tell that (anywhere but on Linux): none.
 */
export function membersOf(group: number, runId: string): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        // Fields after the name, which may hold anything: 5 is the group.
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return (
          Number(fields[2]) === group &&
          readFileSync(`/proc/${name}/environ`, 'utf8').split('\0').includes(`SWEEPLAB_RUN_ID=${runId}`)
        );
      } catch {
        // It has ended meanwhile, or belongs to somebody else.
        return false;
      }
    })
    .map(Number);
}
