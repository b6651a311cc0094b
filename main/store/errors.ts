/** The one error type of the run database, and the translation of SQLite's own errors into it. */
import { SQLITE_CANTOPEN, whyUnopened } from '../files/unopened.ts';

export type StoreErrorCode =
  /** The file does not exist and was to be read only. */
  | 'missing'
  /** Made by a newer Sweeplab; left untouched. */
  | 'newer'
  /** Made by an older Sweeplab and opened read-only, so it cannot be migrated. */
  | 'older'
  /** Not a Sweeplab database. */
  | 'foreign'
  | 'corrupt'
  /** This Node carries an SQLite with a known corruption bug. */
  | 'sqlite-version'
  /** Another process writes to this database. */
  | 'locked'
  | 'busy'
  /** The disk, or the size limit of the database, is full. */
  | 'full'
  | 'io'
  | 'read-only'
  /** The file was deleted or replaced while it was open. */
  | 'gone'
  | 'closed'
  | 'not-found'
  | 'ambiguous'
  /** The run is in a state that does not allow this. */
  | 'state'
  /** A point at or before the last step of its series. */
  | 'order'
  | 'invalid'
  /** Too many points wait for a disk that does not take them. */
  | 'backlog'
  | 'internal';

/** Nothing of a failed call is in the database: each call is one transaction. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
  }

  /** True when the same call can succeed later: space was freed, another program let go of the file. */
  get retryable(): boolean {
    return this.code === 'full' || this.code === 'io' || this.code === 'busy';
  }
}

/** SQLite's primary result codes, https://sqlite.org/rescode.html */
const RESULT_CODES: Readonly<Record<number, readonly [StoreErrorCode, string]>> = {
  5: ['busy', 'another program is using the run database'],
  6: ['busy', 'another program is using the run database'],
  8: ['read-only', 'the run database cannot be written'],
  10: ['io', 'reading or writing the run database failed'],
  11: ['corrupt', 'the run database is damaged'],
  13: ['full', 'no space left for the run database: free some space on its disk'],
  [SQLITE_CANTOPEN]: ['io', 'the run database cannot be opened'],
  26: ['foreign', 'the file is not a Sweeplab database'],
};

/** Turns anything thrown by `node:sqlite` into a StoreError that names the file; passes StoreErrors through. */
export function toStoreError(error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error;
  const { errcode, message } = error as { errcode?: number; message?: string };
  const known = errcode === undefined ? undefined : RESULT_CODES[errcode & 0xff];
  const why =
    (errcode !== undefined && (errcode & 0xff) === SQLITE_CANTOPEN ? whyUnopened(path) : undefined) ?? message;
  if (known) return new StoreError(known[0], `${known[1]} (${path}): ${why}`, { cause: error });
  return new StoreError('internal', `run database ${path}: ${message ?? String(error)}`, { cause: error });
}
