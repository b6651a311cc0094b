/**
 * Runs whose process is gone, as readers see them. The next writer queues them again; until then nobody trains them, so a reader that found
 * them "running" would be told a lie.
 */

import type { Connection } from './connection.ts';
import { hasWriter } from './lock.ts';
import { LOCAL } from './queue.ts';

/** What is said of a run that was in training when its process ended. */
const ORPHANED = 'interrupted: its process is gone';

const ORPHAN = `state = 'running' AND origin = 'sweeplab' AND coalesce(place, '${LOCAL}') = '${LOCAL}'`;

/**
 * Where no process writes, shows runs that it left in training as stopped, and their sweeps as paused, to this reading connection alone:
 * views of its own stand before the tables. They cost the use of indexes, so they are made only where there are such runs.
 */
export function showOrphansStopped(connection: Connection): void {
  // Until the third schema nobody but Sweeplab trained.
  if (!namesOf(connection, 'runs').includes('place')) return;
  const { n } = connection.get<{ n: number }>(`SELECT count(*) AS n FROM runs WHERE ${ORPHAN}`)!;
  if (n === 0 || hasWriter(connection.path)) return;
  const sweepOrphan = `state = 'running' AND origin = 'sweeplab'`;
  connection.exec(`
    CREATE TEMP VIEW runs AS SELECT ${columns(connection, 'runs', {
      state: `CASE WHEN ${ORPHAN} THEN 'stopped' ELSE state END`,
      stop_cause: `CASE WHEN ${ORPHAN} THEN 'interrupted' ELSE stop_cause END`,
      end_reason: `CASE WHEN ${ORPHAN} THEN '${ORPHANED}' ELSE end_reason END`,
    })} FROM main.runs;
    CREATE TEMP VIEW sweeps AS SELECT ${columns(connection, 'sweeps', {
      state: `CASE WHEN ${sweepOrphan} THEN 'paused' ELSE state END`,
    })} FROM main.sweeps;`);
}

function columns(connection: Connection, table: string, changed: Readonly<Record<string, string>>): string {
  return namesOf(connection, table)
    .map((name) => (name in changed ? `${changed[name]} AS ${name}` : name))
    .join(', ');
}

const namesOf = (connection: Connection, table: string): string[] =>
  connection.all<{ name: string }>(`SELECT name FROM pragma_table_info('${table}')`).map(({ name }) => name);
