/**
 * Engines and programs that outlived their host. An engine notices within a step that its host is gone, but a step can be long: until then a
 * second host must not train the same run beside it. So each running engine is noted in a small file, and whoever opens the
 * database for writing ends those that are still there. (Only the one writer of a database calls this, so every engine noted
 * there has lost its host.)
 *
 * Process ids are used again by the system: a process counts as the noted one only if it began at the same moment.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { processBegan } from '../files/processBegan.ts';
import { endGroup, membersOf } from './processGroup.ts';

interface Note {
  readonly pid: number;
  readonly runId: string;
  /** When the process began, in the words of the system; null where that is not known. */
  readonly began: string | null;
  /** It is the first of a group, all of which belongs to the run: a program and what it has started. */
  readonly group?: boolean;
}

const fileOf = (folder: string, pid: number): string => join(folder, `${pid}.json`);

/** @throws what the file system says, also where the data folder is gone: it is not made again */
export function noteProcess(folder: string, pid: number, runId: string, group = false): void {
  if (!existsSync(folder)) mkdirSync(folder);
  const note: Note = { pid, runId, began: processBegan(pid) ?? null, group };
  writeFileSync(fileOf(folder, pid), JSON.stringify(note));
}

export function forgetProcess(folder: string, pid: number): void {
  try {
    rmSync(fileOf(folder, pid), { force: true });
  } catch {
    // The data folder has become something else, which is told by whoever writes to it; the note is of a process that has ended.
  }
}

/**
 * Ends every noted process that still runs and waits until it is gone. @returns the ids of their runs.
 * @throws Error naming a process that does not end
 */
export async function endLeftovers(folder: string, patience = 10_000): Promise<string[]> {
  const ended: string[] = [];
  for (const name of listNotes(folder)) {
    const note = readNote(join(folder, name));
    if (note !== undefined && isSame(note)) {
      // Without a start time the process may be somebody else's, so it is only waited for.
      if (note.began !== null) end(note);
      await gone(note, patience);
      ended.push(note.runId);
    } else if (note?.group === true && endMembers(note)) ended.push(note.runId);
    rmSync(join(folder, name), { force: true });
  }
  return ended;
}

function end({ pid, group }: Note): void {
  if (group === true) endGroup(pid, 'kill');
  else process.kill(pid, 'SIGKILL');
}

/** What a program has started may outlive it. @returns whether there was anything */
function endMembers({ pid, runId }: Note): boolean {
  const members = membersOf(pid, runId);
  for (const member of members) {
    try {
      process.kill(member, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
  return members.length > 0;
}

function listNotes(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
}

function readNote(path: string): Note | undefined {
  try {
    const note = JSON.parse(readFileSync(path, 'utf8')) as Note;
    return Number.isSafeInteger(note.pid) && note.pid > 1 ? note : undefined;
  } catch {
    // Half-written by a host that was killed: the engine of a host that died then is about to notice.
    return undefined;
  }
}

function isSame({ pid, began }: Note): boolean {
  const now = processBegan(pid);
  return now !== undefined && now === began;
}

async function gone(note: Note, patience: number): Promise<void> {
  const deadline = Date.now() + patience;
  while (isSame(note)) {
    if (Date.now() > deadline) {
      if (note.began === null) return;
      throw new Error(`process ${note.pid} of run ${note.runId} does not end: end it yourself, then try again`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
