import type { Migration } from '../migrate.ts';

/** Whole series in few numbers, for boards of many runs; see ../series/overviews.ts. All of it is made from the points, whenever it is missing. */
export const overviews: Migration = {
  version: 4,
  name: 'overviews',
  sql: `
    CREATE TABLE overviews (
      series INTEGER PRIMARY KEY REFERENCES series (key) ON DELETE CASCADE,
      -- Of the series when this was made: it says nothing of a series that has more now.
      points INTEGER NOT NULL,
      bucket INTEGER NOT NULL,
      first_value REAL,
      -- Of all buckets but the first and the last, which are cut off by the ends of the series.
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
  `,
};
