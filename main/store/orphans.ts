/**
 * Runs whose process is gone: a kill, a crash, a power cut. They are stopped, for readers at the next look and in the tables as soon as somebody
 * writes, with the same words in both; they wait again only when somebody resumes them.
 */

import type { StopCause } from '../../preload/contract/runs.ts';
import { STARTED_HERE } from '../../preload/shared/origin.ts';
import type { Connection } from './connection.ts';
import { readLastWords } from './lastWords.ts';
import type { LastWord } from './lastWords.ts';
import { hasWriter } from './lock.ts';
import { LOCAL } from './queue.ts';

/** What is said of a run that was in training when its process ended. Nobody knows when that was. */
export const ORPHANED = 'interrupted: its process is gone';

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Of runs that end with the process that started them. */
const OWN = `origin IN (${STARTED_HERE.map(quoted).join(', ')})`;

const SWEEP = 'sweep' satisfies StopCause;
const INTERRUPTED = 'interrupted' satisfies StopCause;
const KILLED = 'killed' satisfies StopCause;

/**
 * Why such a run is stopped: who had paused or stopped its sweep and was waiting for the end of the training does not want it to go on by
 * itself. `state` is that of its sweep, null without one.
 */
const causeBy = (state: string, otherwise = quoted(KILLED)): string =>
  `CASE ${state} WHEN 'stopped' THEN '${SWEEP}' WHEN 'paused' THEN '${INTERRUPTED}' ELSE ${otherwise} END`;

/** Of a sweep that neither the user nor an earlier end has set aside. */
const GOES_ON = "state NOT IN ('paused', 'stopped')";

export interface Orphan {
  readonly key: number;
  readonly id: string;
  readonly cause: StopCause;
  readonly reason: string;
  /** Null: nobody knows. */
  readonly endedAt: number | null;
  /** Its sweep, where that stops with it. */
  readonly pauses: string | null;
}

/** Runs in training at this place (or begun before places were told apart) that the one who writes, `owner`, has not begun. */
export function orphansOf(connection: Connection, owner: string, place: string): Orphan[] {
  const found = connection.all<Pick<Orphan, 'key' | 'id' | 'cause' | 'pauses'> & { readonly owner: string | null }>(
    `SELECT runs.key, runs.id, runs.owner, ${causeBy('sweeps.state')} AS cause, CASE WHEN sweeps.${GOES_ON} THEN sweeps.id END AS pauses FROM runs LEFT JOIN sweeps ON sweeps.key = runs.sweep
       WHERE runs.state = 'running' AND runs.${OWN} AND runs.owner IS NOT ? AND coalesce(runs.place, '${LOCAL}') = ?
       ORDER BY runs.key`,
    owner,
    place,
  );
  const words = readLastWords(connection.path);
  const said = new Map(words.runs.map((word) => [word.id, word]));
  return found.map(({ owner: lost, ...orphan }) => {
    const word = lost === words.session ? said.get(orphan.id) : undefined;
    if (word === undefined) return { ...orphan, reason: ORPHANED, endedAt: null };
    // A stop of the whole sweep was recorded, and counts.
    const cause = orphan.cause === KILLED ? word.cause : orphan.cause;
    return { ...orphan, cause, reason: word.reason, endedAt: words.at };
  });
}

const ORPHAN = `state = 'running' AND ${OWN} AND coalesce(place, '${LOCAL}') = '${LOCAL}'`;

/**
 * Where no process writes, shows runs that it left in training as stopped, and their sweeps as paused, to this reading connection alone:
 * views of its own stand before the tables. They cost the use of indexes, so they are made only where there are such runs.
 */
export function showOrphansStopped(connection: Connection): void {
  // Until the third schema nobody but Sweeplab trained.
  if (!namesOf(connection, 'runs').includes('place')) return;
  const { n } = connection.get<{ n: number }>(`SELECT count(*) AS n FROM runs WHERE ${ORPHAN}`)!;
  if (n === 0 || hasWriter(connection.path)) return;
  const words = readLastWords(connection.path);
  /** By run, where the writer still told of its end. */
  const told = (of: (word: LastWord) => string | number, otherwise: string): string => {
    const cases = words.runs.map((word) => `WHEN ${quoted(word.id)} THEN ${quoted(String(of(word)))}`).join(' ');
    return cases === ''
      ? otherwise
      : `CASE WHEN owner = ${quoted(words.session)} THEN coalesce(CASE id ${cases} END, ${otherwise}) ELSE ${otherwise} END`;
  };
  const sweep = '(SELECT sweeps.state FROM main.sweeps WHERE sweeps.key = sweep)';
  const bereft = `${GOES_ON} AND key IN (SELECT sweep FROM main.runs WHERE ${ORPHAN})`;
  connection.exec(`
    CREATE TEMP VIEW runs AS SELECT ${columns(connection, 'runs', {
      state: `CASE WHEN ${ORPHAN} THEN 'stopped' ELSE state END`,
      stop_cause: `CASE WHEN ${ORPHAN} THEN ${causeBy(
        sweep,
        told(({ cause }) => cause, quoted(KILLED)),
      )} ELSE stop_cause END`,
      end_reason: `CASE WHEN ${ORPHAN} THEN ${told(({ reason }) => reason, quoted(ORPHANED))} ELSE end_reason END`,
      trained: `trained + CASE WHEN ${ORPHAN} THEN coalesce(max(0, CAST(${told(() => words.at, 'seen_at')} AS INTEGER) - session_at), 0) ELSE 0 END`,
      session_at: `CASE WHEN ${ORPHAN} THEN NULL ELSE session_at END`,
      ended_at: `CASE WHEN ${ORPHAN} THEN CAST(${told(() => words.at, 'ended_at')} AS INTEGER) ELSE ended_at END`,
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
