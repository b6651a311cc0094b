import type { Migration } from '../migrate.ts';

/** Sweeps, runs, tags, events and checkpoints. */
export const runs: Migration = {
  version: 1,
  name: 'runs',
  sql: `
    CREATE TABLE sweeps (
      key INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      name TEXT NOT NULL,
      spec TEXT NOT NULL,
      yaml TEXT NOT NULL,
      plan TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'paused', 'finished', 'stopped')),
      created_at INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE runs (
      key INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      sweep INTEGER REFERENCES sweeps (key),
      name TEXT NOT NULL,
      setting_key TEXT NOT NULL,
      seed INTEGER NOT NULL,
      config TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'finished', 'failed', 'stopped')),
      end_reason TEXT,
      note TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      started_at INTEGER,
      ended_at INTEGER,
      steps INTEGER NOT NULL,
      tokens INTEGER NOT NULL,
      summary TEXT NOT NULL,
      parameters INTEGER,
      environment TEXT NOT NULL,
      code_version TEXT NOT NULL,
      attempt INTEGER NOT NULL,
      color INTEGER NOT NULL,
      -- The writing session that runs it; any other session's running run was interrupted.
      owner TEXT,
      deleted_at INTEGER
    ) STRICT;
    CREATE INDEX runs_by_sweep ON runs (sweep, setting_key);
    CREATE INDEX runs_by_state ON runs (state, key);

    CREATE TABLE tags (
      run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
      tag TEXT NOT NULL,
      PRIMARY KEY (run, tag)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX tags_by_tag ON tags (tag, run);

    -- AUTOINCREMENT: a sequence number is never given twice, even after events were purged.
    CREATE TABLE events (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      run INTEGER REFERENCES runs (key) ON DELETE CASCADE,
      at INTEGER NOT NULL,
      kind TEXT NOT NULL CHECK (kind IN ('state', 'log', 'warning', 'error')),
      message TEXT NOT NULL,
      data TEXT
    ) STRICT;
    CREATE INDEX events_by_run ON events (run, seq);

    CREATE TABLE checkpoints (
      run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
      kind TEXT NOT NULL CHECK (kind IN ('last', 'best')),
      step INTEGER NOT NULL,
      path TEXT NOT NULL,
      val_loss REAL,
      saved_at INTEGER NOT NULL,
      PRIMARY KEY (run, kind)
    ) STRICT, WITHOUT ROWID;
  `,
};
