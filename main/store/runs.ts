/** The table of runs: creating, reading, changing, tags, the bin. States are changed in queue.ts. */

import type {
  NewRun,
  RunFilter,
  RunOrigin,
  RunPatch,
  RunProgress,
  RunRecord,
  RunState,
  RunSummary,
  StopCause,
} from '../../preload/contract/runs.ts';
import { RUN_STATES } from '../../preload/contract/runs.ts';
import type { Config } from '../../preload/contract/settings.ts';
import type { Connection, Row } from './connection.ts';
import { StoreError } from './errors.ts';
import { filterSql } from './filter.ts';
import { nextId } from './ids.ts';
import type { SeriesReader } from './series/reader.ts';
import type { SeriesWriter } from './series/writer.ts';
import { STARTED_HERE } from '../../preload/shared/origin.ts';
import { programSource } from './programSource.ts';
import { originOf } from './sweeps.ts';

const FROM = 'FROM runs LEFT JOIN sweeps ON sweeps.key = runs.sweep';
const TAGS = '(SELECT json_group_array(tag) FROM (SELECT tag FROM tags WHERE run = runs.key ORDER BY tag)) AS tags';
const SELECT = `
  SELECT runs.*, sweeps.id AS sweep_id, ${TAGS},
    (SELECT path FROM checkpoints WHERE run = runs.key AND kind = 'last') AS checkpoint
  ${FROM}`;

/** What a line of a list shows. Configurations and environments are most of a run's bytes. */
const LINES = `
  SELECT runs.id, runs.name, runs.state, runs.stop_cause, runs.origin, runs.steps, runs.summary, runs.parameters, runs.created_at, runs.started_at, runs.ended_at,
    runs.trained, runs.session_at, ${TAGS} ${FROM}`;

/** What whoever creates a run says of it, but for where it stands. */
const SAID =
  'name, setting_key, seed, config, state, end_reason, stop_cause, note, started_at, ended_at, trained, steps, tokens, summary, parameters, environment, code_version';

export type RunLine = Pick<
  RunRecord,
  | 'id'
  | 'name'
  | 'state'
  | 'stopCause'
  | 'origin'
  | 'steps'
  | 'summary'
  | 'parameters'
  | 'createdAt'
  | 'startedAt'
  | 'endedAt'
  | 'trained'
  | 'sessionAt'
  | 'tags'
>;

/** Adds the settings that did not exist yet when a configuration was stored. */
export type CompleteConfig = (config: Config) => Config;

/** What makes runs samples of one setting. Fixed for runs of Sweeplab; a script may say more of itself as it goes on. */
export interface RunDefinition {
  readonly config: Config;
  readonly seed: number;
  readonly settingKey: string;
  /** When it began, as far as its own clock tells. */
  readonly startedAt?: number;
}

export class Runs {
  readonly #connection: Connection;
  readonly #reader: SeriesReader;
  readonly #writer: SeriesWriter;
  readonly #complete: CompleteConfig;
  readonly #keys = new Map<string, number>();

  constructor(connection: Connection, reader: SeriesReader, writer: SeriesWriter, complete: CompleteConfig) {
    this.#connection = connection;
    this.#reader = reader;
    this.#writer = writer;
    this.#complete = complete;
  }

  #toRun(row: Row): RunRecord {
    const config = JSON.parse(row.config as string) as Config;
    // A script has its own settings, and none of the lab's.
    return toRun(row, row.origin === 'sweeplab' ? this.#complete(config) : config);
  }

  /** The internal key of a run. @throws StoreError `not-found` */
  key(id: string): number {
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    const row = this.#connection.get<{ key: number }>('SELECT key FROM runs WHERE id = ?', id);
    if (!row) throw new StoreError('not-found', `there is no run ${id}`);
    this.#keys.set(id, row.key);
    return row.key;
  }

  /** Those of many ids that are there, in their order; their keys are remembered. */
  existing(ids: readonly string[]): string[] {
    const rows = this.#connection.rows<[id: string, key: number]>(
      'SELECT runs.id, runs.key FROM json_each(?) AS wanted CROSS JOIN runs ON runs.id = wanted.value',
      JSON.stringify(ids),
    );
    for (const [id, key] of rows) this.#keys.set(id, key);
    const there = new Set(rows.map(([id]) => id));
    return ids.filter((id) => there.has(id));
  }

  /** Drops remembered keys; needed whenever a transaction that creates or purges runs was rolled back. */
  forget(): void {
    this.#keys.clear();
  }

  has(id: string): boolean {
    return this.#connection.get('SELECT 1 FROM runs WHERE id = ?', id) !== undefined;
  }

  get(id: string): RunRecord | undefined {
    const row = this.#connection.get(`${SELECT} WHERE runs.id = ?`, id);
    return row && this.#toRun(row);
  }

  list(filter: RunFilter): RunRecord[] {
    const { tail, values } = filterSql(filter);
    return this.#connection.query(`${SELECT} ${tail}`, values).map((row) => this.#toRun(row));
  }

  lines(filter: RunFilter): RunLine[] {
    const { tail, values } = filterSql(filter);
    return this.#connection.query(`${LINES} ${tail}`, values).map(toLine);
  }

  count(filter: RunFilter): number {
    const { tail, values } = filterSql(filter);
    return Number(this.#connection.query(`SELECT count(*) AS n FROM (SELECT 1 ${FROM} ${tail})`, values)[0].n);
  }

  /** A run by its id, the beginning of its id, or its exact name. @throws StoreError `not-found` or `ambiguous` */
  resolve(text: string): RunRecord {
    const exact = this.get(text);
    if (exact) return exact;
    const rows = this.#connection.all(
      `${SELECT} WHERE runs.deleted_at IS NULL AND (runs.name = ?1 OR (?1 <> '' AND substr(runs.id, 1, length(?1)) = ?1)) ORDER BY runs.key LIMIT 6`,
      text,
    );
    if (rows.length === 1) return this.#toRun(rows[0]);
    if (rows.length === 0) throw new StoreError('not-found', `there is no run with the id or name "${text}"`);
    const some = rows.slice(0, 5).map((row) => `${String(row.id)} (${String(row.name)})`);
    throw new StoreError(
      'ambiguous',
      `"${text}" means several runs: ${some.join(', ')}${rows.length > 5 ? ', …' : ''}`,
    );
  }

  /** Creates runs in order. Inside a transaction of the caller. */
  create(runs: readonly NewRun[], sweepId?: string): RunRecord[] {
    let previous = this.#connection.get<{ id: string | null }>('SELECT max(id) AS id FROM runs')?.id ?? null;
    let position = this.#connection.get<{ last: number }>('SELECT coalesce(max(position), 0) AS last FROM runs')!.last;
    const nextColors = new Map<number | null, number>();
    return runs.map((run) => {
      const id = nextId(previous);
      previous = id;
      this.#insert(id, run, sweepId ?? run.sweepId ?? null, ++position, nextColors);
      return this.get(id)!;
    });
  }

  update(key: number, patch: RunPatch): void {
    const set = (column: string, value: string | number | null | undefined): void => {
      if (value !== undefined) this.#connection.run(`UPDATE runs SET ${column} = ? WHERE key = ?`, value, key);
    };
    set('name', patch.name === undefined ? undefined : named(patch.name));
    set('note', patch.note);
    set('parameters', patch.parameters);
    set('environment', patch.environment && JSON.stringify(patch.environment));
    set('code_version', patch.codeVersion);
    set('color', patch.color);
    this.progress(key, patch);
  }

  /** Of a run from outside. Its color stays with the setting that it now is. */
  define(key: number, { config, seed, settingKey, startedAt }: RunDefinition): void {
    checkDefinition({ config, seed });
    const before = this.#connection.get<{ sweep: number | null; setting_key: string }>(
      'SELECT sweep, setting_key FROM runs WHERE key = ?',
      key,
    )!;
    if (before.setting_key !== settingKey) {
      const color = this.#colorOf(before.sweep, settingKey, new Map());
      this.#connection.run('UPDATE runs SET color = ? WHERE key = ?', color, key);
    }
    this.#connection.run(
      `UPDATE runs SET config = ?1, seed = ?2, setting_key = ?3, started_at = coalesce(?4, started_at),
         session_at = CASE WHEN session_at = started_at THEN coalesce(?4, session_at) ELSE session_at END WHERE key = ?5`,
      JSON.stringify(config),
      seed,
      settingKey,
      startedAt ?? null,
      key,
    );
  }

  progress(key: number, progress: RunProgress): void {
    const { steps, tokens, summary } = progress;
    if (steps !== undefined)
      this.#connection.run('UPDATE runs SET steps = ? WHERE key = ?', count('steps', steps), key);
    if (tokens !== undefined) {
      this.#connection.run('UPDATE runs SET tokens = ? WHERE key = ?', count('tokens', tokens), key);
    }
    if (summary) {
      const row = this.#connection.get<{ summary: string }>('SELECT summary FROM runs WHERE key = ?', key);
      const merged = { ...(JSON.parse(row?.summary ?? '{}') as RunSummary), ...summary };
      this.#connection.run('UPDATE runs SET summary = ? WHERE key = ?', JSON.stringify(merged), key);
    }
  }

  /** Notes that a run in training lives: should its process go without a word, it trained until then. */
  seen(key: number, at: number): void {
    this.#connection.run("UPDATE runs SET seen_at = ? WHERE key = ? AND state = 'running'", at, key);
  }

  tag(key: number, tags: readonly string[]): void {
    for (const tag of tags) {
      const trimmed = tag.trim();
      if (trimmed === '') throw new StoreError('invalid', 'a tag cannot be empty');
      this.#connection.run('INSERT OR IGNORE INTO tags (run, tag) VALUES (?, ?)', key, trimmed);
    }
  }

  untag(key: number, tags: readonly string[]): void {
    for (const tag of tags) this.#connection.run('DELETE FROM tags WHERE run = ? AND tag = ?', key, tag.trim());
  }

  /** Moves runs to the bin. @throws StoreError `state` for a running one: it must be stopped first. */
  delete(ids: readonly string[], at: number): void {
    for (const id of ids) {
      const key = this.key(id);
      const state = this.state(key);
      if (state === 'running') throw new StoreError('state', `run ${id} is running; stop it before deleting it`);
      this.#connection.run('UPDATE runs SET deleted_at = ? WHERE key = ? AND deleted_at IS NULL', at, key);
    }
  }

  restore(ids: readonly string[]): void {
    for (const id of ids) this.#connection.run('UPDATE runs SET deleted_at = NULL WHERE key = ?', this.key(id));
  }

  /** Removes runs from the bin for good, with all their points, events and checkpoint records. */
  purge(ids: readonly string[]): void {
    for (const id of ids) {
      const run = this.get(id);
      if (!run) throw new StoreError('not-found', `there is no run ${id}`);
      if (run.deletedAt === null)
        throw new StoreError('state', `run ${id} is not deleted; only deleted runs can be purged`);
      const key = this.key(id);
      for (const series of this.#reader.rows(key)) this.#writer.remove(series.key);
      this.#connection.run('DELETE FROM runs WHERE key = ?', key);
      this.#keys.delete(id);
    }
  }

  /**
   * A run takes the place of another, whose points, events and words go for good: its id, its key, its place among others, its sweep.
   * @returns that id
   */
  takePlace(id: string, other: string): string {
    const from = this.key(id);
    const to = this.key(other);
    for (const series of this.#reader.rows(to)) this.#writer.remove(series.key);
    for (const table of ['events', 'tags']) this.#connection.run(`DELETE FROM ${table} WHERE run = ?`, to);
    for (const table of ['series', 'events', 'tags'])
      this.#connection.run(`UPDATE ${table} SET run = ? WHERE run = ?`, to, from);
    const before = this.#connection.get<{ sweep: number | null; setting_key: string }>(
      'SELECT sweep, setting_key FROM runs WHERE key = ?',
      to,
    )!;
    this.#connection.run(
      `UPDATE runs SET (${SAID}) = (SELECT ${SAID} FROM runs WHERE key = ?1), deleted_at = NULL WHERE key = ?2`,
      from,
      to,
    );
    this.#connection.run('DELETE FROM runs WHERE key = ?', from);
    this.#keys.delete(id);
    const { setting_key: setting } = this.#connection.get<{ setting_key: string }>(
      'SELECT setting_key FROM runs WHERE key = ?',
      to,
    )!;
    if (setting !== before.setting_key)
      this.#connection.run(
        'UPDATE runs SET color = ? WHERE key = ?',
        this.#colorOf(before.sweep, setting, new Map()),
        to,
      );
    return other;
  }

  /** Puts a run into a sweep, with the color of its setting there. */
  join(key: number, sweepId: string): void {
    const sweep = this.#sweepKey(sweepId);
    const run = this.#connection.get<{ sweep: number | null; setting_key: string }>(
      'SELECT sweep, setting_key FROM runs WHERE key = ?',
      key,
    )!;
    if (run.sweep === sweep) return;
    const color = this.#colorOf(sweep, run.setting_key, new Map());
    this.#connection.run('UPDATE runs SET sweep = ?, color = ? WHERE key = ?', sweep, color, key);
  }

  state(key: number): RunState {
    return this.#connection.get<{ state: RunState }>('SELECT state FROM runs WHERE key = ?', key)!.state;
  }

  /** `position`: last in the queue. `nextColors`: by sweep, of the transaction. */
  #insert(
    id: string,
    run: NewRun,
    sweepId: string | null,
    position: number,
    nextColors: Map<number | null, number>,
  ): void {
    const sweep = sweepId === null ? null : this.#sweepKey(sweepId);
    const state = run.state ?? 'queued';
    const origin = originOf(run.origin);
    if (!RUN_STATES.includes(state) || (state === 'running' && STARTED_HERE.includes(origin))) {
      throw new StoreError(
        'state',
        `a run cannot be created as "${state}"; it begins queued, or was imported after its end`,
      );
    }
    checkDefinition(run);
    const createdAt = run.createdAt ?? Date.now();
    const session = state === 'running' ? (run.startedAt ?? createdAt) : null;
    const { lastInsertRowid } = this.#connection.run(
      `INSERT INTO runs (id, sweep, name, setting_key, seed, config, state, end_reason, stop_cause, origin, position, note,
         created_at, started_at, ended_at, trained, session_at, seen_at, steps, tokens, summary, parameters, environment, code_version, attempt, color)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      sweep,
      named(run.name),
      run.settingKey,
      run.seed,
      JSON.stringify(run.config),
      state,
      run.endReason ?? null,
      state === 'stopped' ? (run.stopCause ?? null) : null,
      origin,
      position,
      run.note ?? '',
      createdAt,
      run.startedAt ?? null,
      run.endedAt ?? null,
      // What was trained elsewhere is one session.
      Math.max(0, (run.endedAt ?? 0) - (run.startedAt ?? run.endedAt ?? 0)),
      session,
      session,
      count('steps', run.steps ?? 0),
      count('tokens', run.tokens ?? 0),
      JSON.stringify(run.summary ?? {}),
      run.parameters ?? null,
      JSON.stringify(run.environment ?? {}),
      run.codeVersion ?? '',
      state === 'queued' ? 0 : 1,
      run.color ?? this.#colorOf(sweep, run.settingKey, nextColors),
    );
    if (run.program !== undefined)
      this.#connection.run(
        'INSERT INTO outside (source, run, said) VALUES (?, ?, ?)',
        programSource(id),
        lastInsertRowid,
        JSON.stringify({ program: run.program }),
      );
    this.tag(lastInsertRowid, run.tags ?? []);
    // May be the greatest of its sweep.
    if (run.color !== undefined) nextColors.delete(sweep);
  }

  #sweepKey(id: string): number {
    const row = this.#connection.get<{ key: number }>('SELECT key FROM sweeps WHERE id = ?', id);
    if (!row) throw new StoreError('not-found', `there is no sweep ${id}`);
    return row.key;
  }

  /**
   * The seeds of one setting share a color; each further setting of the sweep gets the next one. That is looked up once per sweep in `next`,
   * since it takes reading all runs of the sweep.
   */
  #colorOf(sweep: number | null, settingKey: string, next: Map<number | null, number>): number {
    const same = this.#connection.get<{ color: number }>(
      'SELECT color FROM runs WHERE sweep IS ? AND setting_key = ? LIMIT 1',
      sweep,
      settingKey,
    );
    if (same) return same.color;
    const color =
      next.get(sweep) ??
      this.#connection.get<{ next: number }>(
        'SELECT coalesce(max(color) + 1, 0) AS next FROM runs WHERE sweep IS ?',
        sweep,
      )!.next;
    next.set(sweep, color + 1);
    return color;
  }
}

function checkDefinition({ config, seed }: Pick<RunDefinition, 'config' | 'seed'>): void {
  if (!Number.isSafeInteger(seed)) throw new StoreError('invalid', `seed is ${seed}; it must be a whole number`);
  for (const [name, value] of Object.entries(config)) {
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw new StoreError('invalid', `${name} is ${value}; a setting must be a finite number`);
    }
  }
}

function named(name: string): string {
  const trimmed = name.trim();
  if (trimmed === '') throw new StoreError('invalid', 'the name of a run cannot be empty');
  return trimmed;
}

/** A count, or a StoreError `invalid`. */
export function count(what: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new StoreError('invalid', `${what} is ${value}; it must be a whole number from 0 on`);
}

function toLine(row: Row): RunLine {
  return {
    id: row.id as string,
    name: row.name as string,
    state: row.state as RunState,
    stopCause: row.stop_cause as StopCause | null,
    origin: row.origin as RunOrigin,
    steps: row.steps as number,
    summary: JSON.parse(row.summary as string),
    parameters: row.parameters as number | null,
    createdAt: row.created_at as number,
    startedAt: row.started_at as number | null,
    endedAt: row.ended_at as number | null,
    trained: row.trained as number,
    sessionAt: row.session_at as number | null,
    tags: JSON.parse(row.tags as string),
  };
}

function toRun(row: Row, config: Config): RunRecord {
  return {
    ...toLine(row),
    sweepId: row.sweep_id as string | null,
    settingKey: row.setting_key as string,
    seed: row.seed as number,
    config,
    endReason: row.end_reason as string | null,
    place: row.place as string | null,
    note: row.note as string,
    tokens: row.tokens as number,
    environment: JSON.parse(row.environment as string),
    codeVersion: row.code_version as string,
    attempt: row.attempt as number,
    checkpoint: row.checkpoint as string | null,
    color: row.color as number,
    deletedAt: row.deleted_at as number | null,
  };
}
