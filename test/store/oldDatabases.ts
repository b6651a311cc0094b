/**
 * Databases as earlier versions of Sweeplab left them: made by the SQL of that time alone, so that what today's code writes cannot leak
 * into them. Each holds the same sweep: finished, failed, three kinds of stopped runs, one cut off in training, two that wait, one in the bin.
 */
import { DatabaseSync } from 'node:sqlite';
import { APPLICATION_ID } from '../../main/store/connection.ts';
import { MIGRATIONS } from '../../main/store/migrations/index.ts';

/** In the order of their creation: name, state, reason of the end, when it went into the bin. */
const RUNS: readonly (readonly [string, string, string | null, number | null])[] = [
  ['finished', 'finished', 'stop.steps reached (10 steps)', null],
  ['failed', 'failed', 'engine crashed: SIGKILL', null],
  ['cancelled', 'stopped', 'cancelled by the user at step 5', null],
  ['with its sweep', 'stopped', 'stopped with its sweep (engine ended at once)', null],
  ['interrupted', 'stopped', 'interrupted by the user at step 7', null],
  ['training', 'running', null, null],
  ['waiting', 'queued', null, null],
  ['binned', 'queued', null, 5],
  ['waiting too', 'queued', null, null],
];

export const OLD_SWEEP = 'sweep0001';
export const oldRun = (name: string): string =>
  `run${String(RUNS.findIndex((run) => run[0] === name) + 1).padStart(6, '0')}`;

/** Seconds that runs of it trained: all that can be known from what was kept then. */
export const OLD_SECONDS: Readonly<Record<string, number>> = {
  // 3 s until Sweeplab was closed, 3 s until the last word before its process was gone, 2 s to the end.
  finished: 8,
  // Without events, as imported: from start to end.
  failed: 2.5,
  // The seconds of its steps say more than its only log line.
  interrupted: 7.25,
  // Until its last checkpoint.
  training: 6,
};

/** Names of metrics of which some read like a place in a model; each has one point, its number. */
export const OLD_NAMES = [
  'a[3]',
  'a[3,0]',
  'a[03]',
  '[1]',
  'a[1]]',
  'a[]',
  'a[12345678]',
  'a[1,2,3]',
  '1[2]',
  'ä%[7]',
  'a[4',
];

/** Metrics that were one for each class of tokens, and what they are called now; each has one point, its number. */
export const OLD_CLASSES: readonly (readonly [old: string, now: string])[] = [
  ['loss_by_position/1', 'loss_by_position[1]'],
  ['loss_by_position/5-8', 'loss_by_position[8]'],
  ['loss_by_position/65537-131072', 'loss_by_position[131072]'],
  ['loss_by_frequency/1-10', 'loss_by_frequency[10]'],
  ['loss_by_frequency/unseen', 'loss_by_frequency[0]'],
  ['loss_by_position/other', 'loss_by_position/other'],
  ['b[123456]', 'b[123456]'],
  ['b[1234567,7]', 'b[1234567,7]'],
];
export const OLD_SUMMARY = '{"loss_by_position/1":2.5,"loss_by_position/5-8":3.25,"val/loss":0.12345678901234568}';

/** [run, milliseconds, kind, message, data] */
const EVENTS: readonly (readonly [string, number, string, string, string | null])[] = [
  ['finished', 1000, 'state', 'queued → running', '{"from":"queued","to":"running"}'],
  ['finished', 4000, 'state', 'Sweeplab was closed', '{"from":"running","to":"queued"}'],
  ['finished', 100_000, 'state', 'queued → running', '{"from":"queued","to":"running"}'],
  ['finished', 103_000, 'log', 'a last word', null],
  ['finished', 200_000, 'state', 'interrupted: its process is gone', '{"from":"running","to":"stopped"}'],
  ['finished', 250_000, 'state', 'resumed by the user', '{"from":"stopped","to":"queued"}'],
  ['finished', 300_000, 'state', 'queued → running', '{"from":"queued","to":"running"}'],
  ['finished', 301_999, 'state', 'stop.steps reached (10 steps)', '{"from":"running","to":"finished"}'],
  ['interrupted', 5000, 'state', 'queued → running', '{"from":"queued","to":"running"}'],
  ['interrupted', 6000, 'log', 'a last word', null],
  [
    'interrupted',
    900_000,
    'state',
    'interrupted: Sweeplab ended while the run was training',
    '{"from":"running","to":"queued"}',
  ],
  ['interrupted', 900_001, 'state', 'cancelled', '{"from":"queued","to":"stopped"}'],
  ['training', 20_000, 'state', 'queued → running', '{"from":"queued","to":"running"}'],
  ['training', 21_000, 'log', 'a word', null],
];

function addSessions(database: DatabaseSync): void {
  const key = (name: string): number => RUNS.findIndex((run) => run[0] === name) + 1;
  const event = database.prepare('INSERT INTO events (run, at, kind, message, data) VALUES (?, ?, ?, ?, ?)');
  for (const [name, ...rest] of EVENTS) event.run(key(name), ...rest);
  database.exec(`
    UPDATE runs SET started_at = 1000, ended_at = 302000 WHERE name = 'finished';
    UPDATE runs SET started_at = 10000, ended_at = 12500 WHERE name = 'failed';
    UPDATE runs SET started_at = 5000, ended_at = 900001, summary = '{"seconds":7.25}' WHERE name = 'interrupted';
    UPDATE runs SET started_at = 20000 WHERE name = 'training';
    INSERT INTO checkpoints (run, kind, step, path, saved_at) VALUES (${key('training')}, 'last', 5, 'x', 26000);`);
}

/** Makes the file of schema `version`: 1 without series, 2 with one of three points for the finished run. */
export function makeOldDatabase(path: string, version: number): void {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL');
  for (const { sql } of MIGRATIONS.slice(0, version)) database.exec(sql);
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version}`);
  database
    .prepare('INSERT INTO sweeps (id, name, spec, yaml, plan, state, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)')
    .run(OLD_SWEEP, 'an old sweep', '{"method":"grid"}', 'method: grid', '{}', 'running', 1);
  const insert = database.prepare(
    `INSERT INTO runs (id, sweep, name, setting_key, seed, config, state, end_reason, note, created_at, steps, tokens, summary,
       environment, code_version, attempt, color, owner, deleted_at) VALUES (?, 1, ?, ?, ?, ?, ?, ?, '', 1, ?, 0, '{}', '{}', 'old', ?, 0, ?, ?)`,
  );
  for (const [i, [name, state, reason, deletedAt]] of RUNS.entries()) {
    const begun = state === 'queued' ? 0 : 1;
    const owner = state === 'running' ? 'a session that is gone' : null;
    insert.run(
      oldRun(name),
      name,
      `key${i}`,
      i,
      '{"model.depth":4}',
      state,
      reason,
      begun * 10,
      begun,
      owner,
      deletedAt,
    );
  }
  addSessions(database);
  if (version >= 3)
    database.exec(
      `UPDATE runs SET position = key, stop_cause = CASE name WHEN 'cancelled' THEN 'cancelled' WHEN 'with its sweep' THEN 'sweep'
         WHEN 'interrupted' THEN 'interrupted' END`,
    );
  if (version >= 5)
    for (const [name, seconds] of Object.entries(OLD_SECONDS)) {
      const [trained, session, seen] =
        name === 'training' ? [0, 1000, 1000 + seconds * 1000] : [seconds * 1000, null, null];
      database
        .prepare('UPDATE runs SET trained = ?, session_at = ?, seen_at = ? WHERE id = ?')
        .run(trained, session, seen, oldRun(name));
    }
  if (version >= 2) {
    database
      .prepare(
        'INSERT INTO series (run, metric, points, first_step, last_step, last_value, low, high) VALUES (1, ?, 3, 1, 3, 0.5, 0.5, 2)',
      )
      .run('val/loss');
    const values = Buffer.from(new Float64Array([2, 1, 0.5]).buffer);
    // Names of a later dimension, as nobody could know.
    const addSeries = (key: number, name: string, value: number): void => {
      database
        .prepare('INSERT INTO series (key, run, metric, points, first_step, last_step) VALUES (?, 1, ?, 1, 0, 0)')
        .run(key, name);
      database
        .prepare('INSERT INTO tails (series, part, points, first, stride, vals) VALUES (?, 0, 1, 0, 0, ?)')
        .run(key, Buffer.from(new Float64Array([value]).buffer));
    };
    if (version < 7) OLD_NAMES.forEach((name, i) => addSeries(i + 2, name, i));
    if (version < 8) {
      OLD_CLASSES.forEach(([name], i) => addSeries(i + 2 + OLD_NAMES.length, name, i));
      database.prepare('UPDATE runs SET summary = ? WHERE key = 1').run(OLD_SUMMARY);
    }
    database
      .prepare('INSERT INTO tails (series, part, points, first, stride, vals) VALUES (1, 0, 3, 1, 1, ?)')
      .run(values);
  }
  database.close();
}
