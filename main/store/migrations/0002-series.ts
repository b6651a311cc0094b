import type { Migration } from '../migrate.ts';

/** Metric series; the layout is described in ../series/layout.ts. */
export const series: Migration = {
  version: 2,
  name: 'series',
  sql: `
    -- A NULL in a REAL column of this table stands for NaN, which SQLite cannot hold.
    CREATE TABLE series (
      key INTEGER PRIMARY KEY,
      run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
      metric TEXT NOT NULL,
      points INTEGER NOT NULL,
      first_step REAL NOT NULL,
      last_step REAL NOT NULL,
      last_value REAL,
      low REAL,
      high REAL,
      UNIQUE (run, metric)
    ) STRICT;

    -- Full blocks; key = series, level and index in one number, so that neighbours in time are neighbours on disk.
    CREATE TABLE blocks (
      key INTEGER PRIMARY KEY,
      first REAL NOT NULL,
      stride REAL NOT NULL,
      final REAL NOT NULL,
      steps BLOB,
      vals BLOB NOT NULL,
      low BLOB,
      high BLOB,
      non_finite BLOB
    ) STRICT;

    -- The points after the last full block, one row per commit.
    CREATE TABLE tails (
      series INTEGER NOT NULL REFERENCES series (key) ON DELETE CASCADE,
      part INTEGER NOT NULL,
      points INTEGER NOT NULL,
      first REAL NOT NULL,
      stride REAL NOT NULL,
      steps BLOB,
      vals BLOB NOT NULL,
      PRIMARY KEY (series, part)
    ) STRICT, WITHOUT ROWID;
  `,
};
