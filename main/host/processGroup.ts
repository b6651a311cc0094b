/** A program and all that it has started: a process group of its own (on Windows a tree), which is ended as one. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** What ends a group: a command where the system has one for trees, else a signal to all of it. */
export function endingOf(
  pid: number,
  how: 'ask' | 'kill',
  platform: NodeJS.Platform = process.platform,
): { readonly command: readonly [string, ...string[]] } | { readonly signal: NodeJS.Signals; readonly to: number } {
  // Nothing on Windows can be asked that has no window.
  if (platform === 'win32') return { command: ['taskkill', '/pid', String(pid), '/t', '/f'] };
  return { signal: how === 'kill' ? 'SIGKILL' : 'SIGTERM', to: -pid };
}

/** @param pid of the first of the group */
export function endGroup(pid: number, how: 'ask' | 'kill'): void {
  const ending = endingOf(pid, how);
  if ('command' in ending) {
    const [command, ...rest] = ending.command;
    spawn(command, rest, { stdio: 'ignore', windowsHide: true }).on('error', () => undefined);
    return;
  }
  try {
    process.kill(ending.to, ending.signal);
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
