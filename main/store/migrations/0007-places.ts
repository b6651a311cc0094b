import type { Migration } from '../migrate.ts';

/** The layer and the head that a series is about, beside the name of its metric; see preload/shared/metricPlace.ts. */
export const places: Migration = {
  version: 7,
  name: 'places',
  // A constraint cannot be changed, and rows of `series` cannot be dropped before those that follow them: all three tables are made anew.
  sql: `
    CREATE TABLE placed (
      key INTEGER PRIMARY KEY,
      run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
      metric TEXT NOT NULL,
      -- -1: of the whole model; of the whole layer. NULLs would be unequal to each other.
      layer INTEGER NOT NULL DEFAULT -1,
      head INTEGER NOT NULL DEFAULT -1,
      points INTEGER NOT NULL,
      first_step REAL NOT NULL,
      last_step REAL NOT NULL,
      last_value REAL,
      low REAL,
      high REAL,
      UNIQUE (run, metric, layer, head)
    ) STRICT;

    -- Names that look like an address are one from now on: name[3], name[3,0].
    INSERT INTO placed
      WITH
        cut AS (SELECT *, rtrim(rtrim(metric, ']'), '0123456789,') AS stem FROM series),
        numbered AS (SELECT *, substr(metric, length(stem) + 1, length(metric) - length(stem) - 1) AS inside FROM cut),
        parts AS (
          SELECT *,
            CASE instr(inside, ',') WHEN 0 THEN inside ELSE substr(inside, 1, instr(inside, ',') - 1) END AS a,
            CASE instr(inside, ',') WHEN 0 THEN NULL ELSE substr(inside, instr(inside, ',') + 1) END AS b
          FROM numbered
        ),
        found AS (
          SELECT *,
            stem LIKE '_%[' AND length(a) <= 5 AND coalesce(length(b), 0) <= 5 AND metric = stem || CAST(a AS INTEGER)
              || CASE WHEN b IS NULL THEN '' ELSE ',' || CAST(b AS INTEGER) END || ']' AS placed
          FROM parts
        )
      SELECT key, run,
        CASE WHEN placed THEN substr(stem, 1, length(stem) - 1) ELSE metric END,
        CASE WHEN placed THEN CAST(a AS INTEGER) ELSE -1 END,
        CASE WHEN placed AND b IS NOT NULL THEN CAST(b AS INTEGER) ELSE -1 END,
        points, first_step, last_step, last_value, low, high
      FROM found;

    CREATE TABLE placed_tails (
      series INTEGER NOT NULL REFERENCES placed (key) ON DELETE CASCADE,
      part INTEGER NOT NULL,
      points INTEGER NOT NULL,
      first REAL NOT NULL,
      stride REAL NOT NULL,
      steps BLOB,
      vals BLOB NOT NULL,
      PRIMARY KEY (series, part)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO placed_tails SELECT * FROM tails;

    CREATE TABLE placed_overviews (
      series INTEGER PRIMARY KEY REFERENCES placed (key) ON DELETE CASCADE,
      points INTEGER NOT NULL,
      bucket INTEGER NOT NULL,
      first_value REAL,
      first REAL NOT NULL,
      stride REAL NOT NULL,
      steps BLOB,
      first_bucket REAL NOT NULL,
      last_bucket REAL NOT NULL,
      vals BLOB NOT NULL,
      low BLOB NOT NULL,
      high BLOB NOT NULL,
      non_finite BLOB
    ) STRICT;
    INSERT INTO placed_overviews SELECT * FROM overviews;

    DROP TABLE tails;
    DROP TABLE overviews;
    DROP TABLE series;
    ALTER TABLE placed RENAME TO series;
    ALTER TABLE placed_tails RENAME TO tails;
    ALTER TABLE placed_overviews RENAME TO overviews;
  `,
};
