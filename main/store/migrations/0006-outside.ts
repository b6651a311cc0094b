import type { Migration } from '../migrate.ts';

/** Runs and sweeps of other programs, by the names that those know them by. */
export const outside: Migration = {
  version: 6,
  name: 'outside',
  sql: `
    CREATE TABLE outside (
      -- Who knows it, and as what: wandb/run/char-lm/ab12cd34.
      source TEXT PRIMARY KEY,
      run INTEGER UNIQUE REFERENCES runs (key) ON DELETE CASCADE,
      sweep INTEGER UNIQUE REFERENCES sweeps (key) ON DELETE CASCADE,
      -- How far it was received, as JSON: written with the points.
      feed TEXT,
      -- What it said of itself in its own words, as JSON: told to it when it comes back.
      said TEXT
    ) STRICT, WITHOUT ROWID;
  `,
};
