/**
 * Runs whose process is gone: a kill, a crash, a power cut. They are stopped, for readers at the next look and in the tables as soon as somebody
 * writes, with the same words in both; they wait again only when somebody resumes them.
 */

import type { StopCause } from '../../preload/contract/runs.ts';
import type { Connection } from './connection.ts';
import { hasWriter } from './lock.ts';
import { LOCAL } from './queue.ts';

/** What is said of a run that was in training when its process ended. Nobody knows when that was. */
export const ORPHANED = 'interrupted: its process is gone';

const SWEEP = 'sweep' satisfies StopCause;
const INTERRUPTED = 'interrupted' satisfies StopCause;
const KILLED = 'killed' satisfies StopCause;

/**
 * Why such a run is stopped: who had paused or stopped its sweep and was waiting for the end of the training does not want it to go on by
 * itself. `state` is that of its sweep, null without one.
 */
const causeBy = (state: string): string =>
  `CASE ${state} WHEN 'stopped' THEN '${SWEEP}' WHEN 'paused' THEN '${INTERRUPTED}' ELSE '${KILLED}' END`;

/** Of a sweep that neither the user nor an earlier end has set aside. */
const GOES_ON = "state NOT IN ('paused', 'stopped')";

export interface Orphan {
  readonly key: number;
  readonly id: string;
  readonly cause: StopCause;
  /** Its sweep, where that stops with it. */
  readonly pauses: string | null;
}

/** Runs in training at this place (or begun before places were told apart) that the one who writes, `owner`, has not begun. */
export function orphansOf(connection: Connection, owner: string, place: string): Orphan[] {
  return connection.all<Orphan>(
    `SELECT runs.key, runs.id, ${causeBy('sweeps.state')} AS cause, CASE WHEN sweeps.${GOES_ON} THEN sweeps.id END AS pauses FROM runs LEFT JOIN sweeps ON sweeps.key = runs.sweep
       WHERE runs.state = 'running' AND runs.origin = 'sweeplab' AND runs.owner IS NOT ? AND coalesce(runs.place, '${LOCAL}') = ?
       ORDER BY runs.key`,
    owner,
    place,
  );
}

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
  const sweep = '(SELECT sweeps.state FROM main.sweeps WHERE sweeps.key = sweep)';
  const bereft = `${GOES_ON} AND key IN (SELECT sweep FROM main.runs WHERE ${ORPHAN})`;
  connection.exec(`
    CREATE TEMP VIEW runs AS SELECT ${columns(connection, 'runs', {
      state: `CASE WHEN ${ORPHAN} THEN 'stopped' ELSE state END`,
      stop_cause: `CASE WHEN ${ORPHAN} THEN ${causeBy(sweep)} ELSE stop_cause END`,
      end_reason: `CASE WHEN ${ORPHAN} THEN '${ORPHANED}' ELSE end_reason END`,
    })} FROM main.runs;
    CREATE TEMP VIEW sweeps AS SELECT ${columns(connection, 'sweeps', {
      state: `CASE WHEN ${bereft} THEN 'paused' ELSE state END`,
    })} FROM main.sweeps;`);
}

function columns(connection: Connection, table: string, changed: Readonly<Record<string, string>>): string {
  return namesOf(connection, table)
    .map((name) => (name in changed ? `${changed[name]} AS ${name}` : name))
    .join(', ');
}

const namesOf = (connection: Connection, table: string): string[] =>
  connection.all<{ name: string }>(`SELECT name FROM pragma_table_info('${table}')`).map(({ name }) => name);
