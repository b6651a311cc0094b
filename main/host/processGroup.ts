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

/** Ids of the living processes of a group, as Linux tells them; elsewhere none are known. */
function membersIn(group: number): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .filter((name) => {
      const stat = told(name, 'stat');
      // Fields after the name, which may hold anything: 5 is the group.
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]) === group;
    })
    .map(Number);
}

/** Empty of a process that has ended meanwhile, or belongs to somebody else. */
function told(pid: number | string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** Memory that a group holds, what its processes share counted for each; null where the system does not say. */
export function groupMemory(group: number): number | null {
  const members = membersIn(group);
  const bytes = members.map((pid) => 1024 * Number(/^VmRSS:\s*(\d+) kB/mu.exec(told(pid, 'status'))?.[1] ?? 0));
  return members.length === 0 ? null : bytes.reduce((sum, each) => sum + each, 0);
}

/**
 * Processes of a group whose first has ended. Its number may be in use again: only those count that carry the run in their environment. Where
 * the system does not tell that (anywhere but on Linux): none.
 */
export const membersOf = (group: number, runId: string): number[] =>
  membersIn(group).filter((pid) => told(pid, 'environ').split('\0').includes(`SWEEPLAB_RUN_ID=${runId}`));
