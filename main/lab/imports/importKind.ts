/** What a format is that runs are read from: a kind that says which files are its own and what stands in them. One file here, or of a plug-in. */
import type { ColumnRole, ImportColumn } from '../../../preload/contract/imports.ts';
import { labelledDefiner } from '../labelled.ts';
import type { LabelledKind } from '../labelled.ts';
import type { ImportFile } from './files.ts';
import type { Receiver } from './receiver.ts';

/** A file as it is offered to the kinds. */
export interface Offered {
  /** From what was named, with `/`. */
  readonly path: string;
  /** The last part of the path, without endings of compressions, in lower case. */
  readonly name: string;
  /** The first bytes, without compressions. */
  readonly head: Buffer;
  /** The same as text. */
  readonly text: string;
}

/** Files that are read together. */
export interface Source {
  /** For people, and the name of a run that has none. */
  readonly name: string;
  /** What was named, without its ending, and what tells that from others. */
  readonly root: string;
  readonly rootIdentity: string;
  /** Tells it from all other sources, the same at the next import. */
  readonly identity: string;
  /** In the order of their paths. */
  readonly files: readonly ImportFile[];
}

export interface Roles {
  /** What the person wants columns to be, by their names. */
  readonly wanted: Readonly<Record<string, ColumnRole>>;
  /** What the reading has found out; told before the first run. */
  found(columns: readonly ImportColumn[]): void;
}

export interface ImportKind extends LabelledKind {
  /** What people call it: `TensorBoard event files`. */
  readonly label: string;
  /** Whether it reads a file; kinds are asked in the order of their list, and the first one takes it. */
  claims(file: Offered): boolean;
  /**
   * For formats of several files: a path that all of a run have in common, where `path` is one of them, whatever it holds; undefined where it is
   * none. `paths` are all that there are.
   */
  unit?(path: string, paths: ReadonlySet<string>): string | undefined;
  /**
   * Tells everything that stands in a source. It is called twice, and must tell the same again.
   * @throws ImportError for a source of which nothing can be read
   */
  read(source: Source, to: Receiver, roles: Roles): Promise<void>;
}

/** @throws DeclarationError naming format and field */
export const defineImport = labelledDefiner<ImportKind>('import', ['claims', 'read'], ({ unit }, fail) => {
  if (unit !== undefined && typeof unit !== 'function') fail('unit', 'must be a function');
});
