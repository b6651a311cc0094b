/** What is said of an import: before anything is written, and after it. */
import type { Config } from './settings.ts';
import type { RunState } from './runs.ts';

/**
 * What a column of a table, or a key of an object, holds. `final` is a number that a run has once, at its end; `about` is kept with the run and
 * tells no settings apart; `series` and `value` are the two columns of a table with one line for each point.
 */
export const COLUMN_ROLES = [
  'step',
  'metric',
  'final',
  'setting',
  'seed',
  'run',
  'name',
  'group',
  'series',
  'value',
  'time',
  'seconds',
  'state',
  'note',
  'tags',
  'started',
  'ended',
  'about',
  'ignore',
] as const;
export type ColumnRole = (typeof COLUMN_ROLES)[number];

export interface ImportColumn {
  readonly name: string;
  readonly role: ColumnRole;
  /** A value of it, as it stands there. */
  readonly example: string;
}

/** Something that was left out, or read in a way worth telling. */
export interface ImportNote {
  readonly what: string;
  readonly count: number;
  /** Where the first of them is. */
  readonly first: string;
}

/** A file, or files that belong together. */
export interface ImportSource {
  readonly name: string;
  /** Name of the kind that reads it, and what people call that. */
  readonly kind: string;
  readonly label: string;
  readonly bytes: number;
  readonly runs: number;
  /** Of tables alone. */
  readonly columns: readonly ImportColumn[];
  readonly notes: readonly ImportNote[];
}

export interface ImportSeries {
  readonly metric: string;
  readonly points: number;
  readonly firstStep: number;
  readonly lastStep: number;
  /** NaN and infinities. */
  readonly nonFinite: number;
  /** Points whose step is not after all steps before: they are put in order, and of equal steps the last counts. */
  readonly disordered: number;
}

/**
 * What becomes of a run of the files. `new`, `update` of the run that was read from the same place, `same` as it was read before, `here`: it is
 * a run of this lab already, which an import does not touch.
 */
export type ImportFate = 'new' | 'update' | 'same' | 'here';

export interface ImportRun {
  readonly source: string;
  readonly name: string;
  readonly fate: ImportFate;
  /** The run here that it updates, or is. */
  readonly runId: string | null;
  readonly sweep: string | null;
  readonly state: RunState;
  readonly seed: number;
  /** The file says it; otherwise runs of a setting are numbered. */
  readonly seedSaid: boolean;
  readonly config: Config;
  readonly series: readonly ImportSeries[];
  /** Numbers that it ends with, which have no points. */
  readonly finals: readonly string[];
  readonly lines: number;
}

export interface ImportPreview {
  readonly sources: readonly ImportSource[];
  /** The first of them. */
  readonly runs: readonly ImportRun[];
  readonly counts: Readonly<Record<ImportFate, number>>;
  readonly points: number;
  /** Files that nothing reads, by reason. */
  readonly leftOut: readonly ImportNote[];
}

/** A format that is read. */
export interface ImportFormat {
  readonly name: string;
  readonly label: string;
  readonly help: string;
}

/** How far the lab is with an import, which it reads twice: bytes while it is looked through, points while they are written. */
export interface ImportProgress {
  /** Of the import. */
  readonly id: string;
  readonly phase: 'reading' | 'writing';
  readonly done: number;
  readonly total: number;
}

export interface ImportResult {
  readonly created: readonly string[];
  readonly updated: readonly string[];
  readonly counts: Readonly<Record<ImportFate, number>>;
  /** Points that were written. */
  readonly points: number;
  readonly sweeps: readonly string[];
  readonly notes: readonly ImportNote[];
}
