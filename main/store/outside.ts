/**
 * Runs and sweeps of other programs. Those know them by names of their own, here their source: `wandb/run/char-lm/ab12cd34`. By it they are
 * found again, so that a script that reports once more, or a file that is read once more, goes on with its run instead of making another.
 */
import type { NewRun, NewSweep, RunPatch, RunRecord } from '../../preload/contract/runs.ts';
import type { Connection } from './connection.ts';
import type { Runs, RunDefinition } from './runs.ts';
import type { Sweeps } from './sweeps.ts';

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

export class Outside {
  readonly #connection: Connection;
  readonly #runs: Runs;
  readonly #sweeps: Sweeps;
  readonly #write: Write;

  constructor(connection: Connection, runs: Runs, sweeps: Sweeps, write: Write) {
    this.#connection = connection;
    this.#runs = runs;
    this.#sweeps = sweeps;
    this.#write = write;
  }

  run(source: string): OutsideRecord | undefined {
    const row = this.#connection.get<{ id: string; feed: string | null; said: string | null }>(
      'SELECT runs.id, feed, said FROM outside JOIN runs ON runs.key = outside.run WHERE source = ?',
      source,
    );
    return row && { runId: row.id, feed: parsed(row.feed), said: parsed(row.said) };
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

  setSaid(source: string, said: unknown): void {
    this.#write([], () =>
      this.#connection.run('UPDATE outside SET said = ? WHERE source = ?', JSON.stringify(said), source),
    );
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
