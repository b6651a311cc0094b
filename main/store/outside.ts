/**
 * Runs and sweeps of other programs. Those know them by names of their own, here their source: `wandb/run/char-lm/ab12cd34`. By it they are
 * found again, so that a script that reports once more, or a file that is read once more, goes on with its run instead of making another.
 */
import type { NewRun, NewSweep, ProgramCommand, RunPatch, RunRecord } from '../../preload/contract/runs.ts';
import type { Connection } from './connection.ts';
import type { Runs, RunDefinition } from './runs.ts';
import type { Sweeps } from './sweeps.ts';
import { programSource } from './programSource.ts';
import { IS_UNFINISHED, UNFINISHED } from './unfinished.ts';

export interface OutsideRecord {
  readonly runId: string;
  /** What its receiver wrote down with the points; null before the first. */
  readonly feed: unknown;
  /** What it said of itself in its own words; null: nothing. */
  readonly said: unknown;
}

/** What a script may change of a run after its begin. Tags replace those that are there. */
export interface OutsidePatch extends RunPatch {
  readonly definition?: RunDefinition;
  readonly tags?: readonly string[];
}

/** One transaction of the store, which tells of these runs. */
type Write = <T>(runIds: readonly string[], body: () => T) => T;

/** A run that was filled out of sight and now appears. */
export interface FilledRun {
  readonly runId: string;
  /** Where a run is known by it, the filled one takes its place: its id, and where it stands. */
  readonly source: string;
  /** Its receiver's note of what was read. */
  readonly feed: unknown;
  readonly said: unknown;
  /** The sweep that it joins, found by its source or made; without one it stays with that of the run whose place it takes. */
  readonly sweep?: { readonly source: string; readonly sweep: NewSweep };
}

export class Outside {
  readonly #connection: Connection;
  readonly #runs: Runs;
  readonly #sweeps: Sweeps;
  readonly #write: Write;
  readonly #seal: (run: number) => void;

  /** @param seal is told of a run that has all its points */
  constructor(connection: Connection, runs: Runs, sweeps: Sweeps, write: Write, seal: (run: number) => void) {
    this.#connection = connection;
    this.#runs = runs;
    this.#sweeps = sweeps;
    this.#write = write;
    this.#seal = seal;
  }

  run(source: string): OutsideRecord | undefined {
    const row = this.#connection.get<{ id: string; feed: string | null; said: string | null }>(
      'SELECT runs.id, feed, said FROM outside JOIN runs ON runs.key = outside.run WHERE source = ?',
      source,
    );
    return row && { runId: row.id, feed: parsed(row.feed), said: parsed(row.said) };
  }

  /** What is started for a run; undefined: nothing. */
  program(runId: string): ProgramCommand | undefined {
    return (this.run(programSource(runId))?.said as { readonly program?: ProgramCommand } | undefined)?.program;
  }

  sweepId(source: string): string | undefined {
    return this.#connection.get<{ id: string }>(
      'SELECT sweeps.id FROM outside JOIN sweeps ON sweeps.key = outside.sweep WHERE source = ?',
      source,
    )?.id;
  }

  createRun(source: string, run: NewRun): RunRecord {
    return this.#write([], () => {
      const [record] = this.#runs.create([run]);
      this.#nameRun(source, record!.id);
      return record!;
    });
  }

  createSweep(source: string, sweep: NewSweep): string {
    return this.#write([], () => {
      const id = this.#sweeps.create(sweep);
      this.#connection.run('INSERT INTO outside (source, sweep) SELECT ?, key FROM sweeps WHERE id = ?', source, id);
      return id;
    });
  }

  /**
   * Runs in the bin, to be filled: nobody sees half of them. They appear with {@link settle}; what a kill leaves goes with
   * {@link dropUnfinished}. @returns their ids, in the same order
   */
  createUnseen(runs: readonly NewRun[]): string[] {
    return this.#write([], () => {
      const ids = this.#runs.create(runs).map(({ id }) => id);
      this.#runs.delete(ids, Date.now());
      for (const id of ids) this.#nameRun(`${UNFINISHED}${id}`, id);
      return ids;
    });
  }

  /** Runs that were filled appear, all of them or none. @returns their ids, in the same order, and the sweeps that they joined */
  settle(filled: readonly FilledRun[]): { readonly runIds: string[]; readonly sweepIds: string[] } {
    const before = filled.map(({ source }) => this.run(source)?.runId);
    const sweepIds = new Set<string>();
    const told = [...filled.map(({ runId }) => runId), ...before.filter((id) => id !== undefined)];
    const runIds = this.#write(told, () =>
      filled.map((run, i) => {
        const sweepId = run.sweep === undefined ? undefined : this.#sweepOf(run.sweep);
        if (sweepId !== undefined) sweepIds.add(sweepId);
        return this.#appear(run, before[i], sweepId);
      }),
    );
    return { runIds, sweepIds: [...sweepIds] };
  }

  /** Removes what was being filled when its process went. @returns how many runs */
  dropUnfinished(): number {
    const ids = this.#connection
      .all<{ id: string }>(`SELECT runs.id FROM outside JOIN runs ON runs.key = run WHERE ${IS_UNFINISHED}`)
      .map(({ id }) => id);
    this.drop(ids);
    return ids.length;
  }

  /** Removes runs that were being filled. */
  drop(runIds: readonly string[]): void {
    if (runIds.length > 0) this.#write([], () => this.#runs.purge(runIds));
  }

  #sweepOf({ source, sweep }: NonNullable<FilledRun['sweep']>): string {
    const known = this.sweepId(source);
    if (known !== undefined) return known;
    const id = this.#sweeps.create(sweep);
    this.#connection.run('INSERT INTO outside (source, sweep) SELECT ?, key FROM sweeps WHERE id = ?', source, id);
    return id;
  }

  #appear({ runId, source, feed, said }: FilledRun, before: string | undefined, sweepId: string | undefined): string {
    // What is remembered of its last points goes, before they belong to another.
    this.#seal(this.#runs.key(runId));
    const id = before === undefined ? runId : this.#runs.takePlace(runId, before);
    const key = this.#runs.key(id);
    if (before === undefined) this.#runs.restore([id]);
    else this.#seal(key);
    if (sweepId !== undefined) this.#runs.join(key, sweepId);
    this.#connection.run(
      'UPDATE outside SET source = ?, feed = ?, said = ? WHERE run = ?',
      source,
      JSON.stringify(feed),
      JSON.stringify(said),
      key,
    );
    return id;
  }

  /** A run that waited for whoever begins it is known by this name from now on. */
  nameRun(source: string, runId: string): void {
    this.#write([runId], () => this.#nameRun(source, runId));
  }

  /** All of it or nothing. */
  update(runId: string, { definition, tags, ...patch }: OutsidePatch): void {
    this.#write([runId], () => {
      const key = this.#runs.key(runId);
      this.#runs.update(key, patch);
      if (definition !== undefined) this.#runs.define(key, definition);
      if (tags === undefined) return;
      const gone = this.#runs.get(runId)!.tags.filter((tag) => !tags.includes(tag));
      this.#runs.untag(key, gone);
      this.#runs.tag(key, tags);
    });
  }

  /** Of a run that the lab starts, what is started stays as it is. */
  setSaid(source: string, said: object): void {
    this.#write([], () => {
      const { program } = (this.run(source)?.said ?? {}) as { readonly program?: ProgramCommand };
      const text = JSON.stringify(program === undefined ? said : { ...said, program });
      this.#connection.run('UPDATE outside SET said = ? WHERE source = ?', text, source);
    });
  }

  /** The next report begins it anew. */
  resetFeed(source: string): void {
    this.#write([], () => this.#connection.run('UPDATE outside SET feed = NULL WHERE source = ?', source));
  }

  /** Inside a transaction of the caller. */
  setFeed(run: number, feed: unknown): void {
    this.#connection.run('UPDATE outside SET feed = ? WHERE run = ?', JSON.stringify(feed), run);
  }

  #nameRun(source: string, runId: string): void {
    this.#connection.run('INSERT INTO outside (source, run) VALUES (?, ?)', source, this.#runs.key(runId));
  }
}

const parsed = (text: string | null): unknown => (text === null ? null : JSON.parse(text));
