/** Ids of processes say something only where they are given by the same system: not of another machine or container that has the same folder. */
import { createHash } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** The same for all processes whose ids are of one list, also after the machine was started again; four hexadecimal digits. */
export const PROCESS_TABLE = createHash('sha256').update(`${hostname()} ${namespace()}`).digest('hex').slice(0, 4);

/** Of process ids: a container has its own. Empty where the system has one for all. */
function namespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}
