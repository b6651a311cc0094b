/**
 * Reads the files of an import, twice: {@link ImportReading.survey} says what there is, {@link ImportReading.parcels} gives it. Knows no
 * database, so it can work in a thread of its own.
 */
import type { ColumnRole, ImportColumn, ImportNote, ImportSource } from '../../../preload/contract/imports.ts';
import { DataError } from '../../engine/data/index.ts';
import { CompressionError, withoutCompression } from '../../engine/data/reading/compression/index.ts';
import { basename } from 'node:path';
import { counted } from '../../../preload/shared/format.ts';
import { ImportError } from './errors.ts';
import { cannotBeRead, identityHash, ImportFiles, placeName, stemOf } from './files.ts';
import type { ImportFile, Place } from './files.ts';
import type { ImportKind, Offered, Source } from './importKind.ts';
import { Notes } from './notes.ts';
import { Survey } from './survey.ts';
import type { SurveyedRun } from './survey.ts';
import { Taking } from './taking.ts';
import type { Parcel } from './taking.ts';

export interface ReadingOptions {
  readonly kinds: readonly ImportKind[];
  /** Only this kind, whatever else would take a file. */
  readonly only?: string;
  /** What columns are, by their names, for all tables. */
  readonly roles?: Readonly<Record<string, ColumnRole>>;
  readonly signal?: AbortSignal;
  /** Bytes that were read, of all that will be. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface SurveyedSource extends ImportSource {
  readonly identity: string;
  /** What was named: a folder, an archive, a file; and what tells it from others. */
  readonly root: string;
  readonly rootIdentity: string;
  readonly found: readonly SurveyedRun[];
}

export interface Surveyed {
  readonly sources: readonly SurveyedSource[];
  readonly leftOut: readonly ImportNote[];
}

export interface SourceParcel extends Parcel {
  /** Number of the source. */
  readonly source: number;
}

interface Claimed {
  readonly kind: ImportKind;
  readonly source: Source;
}

/** Files that may be looked into. */
const MOST_FILES = 200_000;
const yieldTurn = (): Promise<void> => new Promise((done) => setImmediate(done));

export class ImportReading implements AsyncDisposable {
  readonly #files: ImportFiles;
  readonly #claimed: Claimed[];
  readonly #notes: Notes;
  readonly #options: ReadingOptions;
  readonly #total: number;
  #done = 0;
  #surveyed: SurveyedSource[] = [];

  private constructor(files: ImportFiles, claimed: Claimed[], notes: Notes, options: ReadingOptions) {
    this.#files = files;
    this.#claimed = claimed.map(({ kind, source }) => ({ kind, source: this.#watched(source) }));
    this.#notes = notes;
    this.#options = options;
    this.#total = claimed.reduce((sum, { source }) => sum + bytesOf(source), 0);
  }

  /** @throws ImportError, DataError where nothing can be read */
  static async open(places: readonly Place[], options: ReadingOptions): Promise<ImportReading> {
    const notes = new Notes();
    const files = await ImportFiles.open(places, notes);
    try {
      const claimed = await claim(files.files, options, notes);
      if (claimed.length === 0) throw new ImportError(nothingFound(places, notes, options.kinds));
      return new ImportReading(files, claimed, notes, options);
    } catch (error) {
      await files[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#files[Symbol.asyncDispose]();
  }

  /** Reads everything once. @throws ImportError, DataError where no source can be read; others are told as left out */
  async survey(): Promise<Surveyed> {
    this.#done = 0;
    const sources: SurveyedSource[] = [];
    let failure: Error | undefined;
    for (const [i, claimed] of this.#claimed.entries()) {
      try {
        sources.push(await this.#surveyOne(claimed));
      } catch (error) {
        if (!isAboutFile(error)) throw error;
        failure ??= error as Error;
        this.#notes.add(cannotBeRead(error), claimed.source.name);
        delete this.#claimed[i];
      }
    }
    // Those that cannot be read are gone.
    this.#claimed.splice(0, Infinity, ...this.#claimed.filter(Boolean));
    if (sources.length === 0 && failure !== undefined) throw failure;
    this.#surveyed = sources;
    return { sources, leftOut: this.#notes.list };
  }

  async #surveyOne({ kind, source }: Claimed): Promise<SurveyedSource> {
    const notes = new Notes();
    const survey = new Survey(notes, () => this.#turn());
    let columns: readonly ImportColumn[] = [];
    const found = (known: readonly ImportColumn[]): void => void (columns = known);
    await kind.read(source, survey, { wanted: this.#options.roles ?? {}, found });
    const runs = survey.runs();
    return {
      name: source.name,
      identity: source.identity,
      root: source.root,
      rootIdentity: source.rootIdentity,
      kind: kind.name,
      label: kind.label,
      bytes: bytesOf(source),
      runs: runs.length,
      columns,
      notes: notes.list,
      found: runs,
    };
  }

  /** Reads everything once more. Only after the survey. */
  async *parcels(): AsyncGenerator<SourceParcel> {
    this.#done = 0;
    for (const [number, { kind, source }] of this.#claimed.entries()) {
      const handed = new Handover<Parcel>();
      const taking = new Taking(this.#surveyed[number]!.found, async (parcel) => {
        await this.#turn();
        await handed.put(parcel);
      });
      const roles = { wanted: this.#options.roles ?? {}, found: () => undefined };
      const reading = kind
        .read(source, taking, roles)
        .then(() => taking.end())
        .then(
          () => handed.end(),
          (error: unknown) => handed.fail(error),
        );
      try {
        for await (const parcel of handed) yield { ...parcel, source: number };
      } finally {
        handed.refuse();
        await reading;
      }
    }
  }

  async #turn(): Promise<void> {
    this.#options.signal?.throwIfAborted();
    await yieldTurn();
  }

  /** Counts the bytes that are read of it. */
  #watched(source: Source): Source {
    return {
      ...source,
      files: source.files.map((file) => {
        const count = (): void => this.#count(file);
        return {
          ...file,
          async *bytes() {
            yield* file.bytes();
            count();
          },
          anywhere: async () => {
            const opened = await file.anywhere();
            const close = async (): Promise<void> => {
              await opened.close();
              count();
            };
            return { byteLength: opened.byteLength, slice: (start, end) => opened.slice(start, end), close };
          },
        };
      }),
    };
  }

  #count({ size }: ImportFile): void {
    this.#done = Math.min(this.#total, this.#done + size);
    this.#options.onProgress?.(this.#done, this.#total);
  }
}

const bytesOf = ({ files }: Source): number => files.reduce((sum, { size }) => sum + size, 0);

const isAboutFile = (error: unknown): boolean =>
  error instanceof ImportError || error instanceof DataError || error instanceof CompressionError;

/** Says of each file which kind reads it; those of one source come together. */
async function claim(files: readonly ImportFile[], options: ReadingOptions, notes: Notes): Promise<Claimed[]> {
  if (files.length > MOST_FILES)
    throw new ImportError(`${counted(files.length, 'file')}; allowed: at most ${MOST_FILES} at once`);
  const kinds = options.kinds.filter(({ name }) => options.only === undefined || name === options.only);
  const paths = new Set(files.map(({ path }) => path));
  const sources = new Map<
    string,
    { readonly kind: ImportKind; readonly files: ImportFile[]; readonly unit: string | undefined }
  >();
  const add = (kind: ImportKind, unit: string | undefined, file: ImportFile): void => {
    const key = `${kind.name} ${file.root} ${unit ?? `file ${file.path}`}`;
    const known = sources.get(key);
    if (known === undefined) sources.set(key, { kind, files: [file], unit });
    else known.files.push(file);
  };
  for (const file of files) {
    options.signal?.throwIfAborted();
    const folder = kinds.find((kind) => kind.unit?.(file.path, paths) !== undefined);
    if (folder !== undefined) {
      add(folder, folder.unit!(file.path, paths), file);
      continue;
    }
    const kind = await claimant(file, kinds, notes);
    if (kind !== undefined) add(kind, undefined, file);
  }
  return [...sources.values()].map(({ kind, files: own, unit }) => ({ kind, source: sourceOf(own, unit) }));
}

async function claimant(file: ImportFile, kinds: readonly ImportKind[], notes: Notes): Promise<ImportKind | undefined> {
  try {
    const head = await file.head();
    const name = basename(withoutCompression(file.path)).toLowerCase();
    const offered: Offered = { path: file.path, name, head, text: head.toString('utf8').replace(/^\uFEFF/u, '') };
    const kind = kinds.find((each) => each.claims(offered));
    if (kind === undefined) notes.add('files that hold no runs in a format that is known', file.path);
    return kind;
  } catch (error) {
    if (!isAboutFile(error)) throw error;
    notes.add(cannotBeRead(error), file.path);
    return undefined;
  }
}

function sourceOf(files: readonly ImportFile[], unit: string | undefined): Source {
  const [first] = files as readonly [ImportFile];
  const inside = unit ?? first.path;
  const name = inside === '' || inside === '.' ? first.root : inside;
  const { rootIdentity } = first;
  return { name, root: stemOf(first.root), rootIdentity, identity: identityHash(`${rootIdentity} ${inside}`), files };
}

function nothingFound(places: readonly Place[], notes: Notes, kinds: readonly ImportKind[]): string {
  const names = places.map(placeName).join(', ');
  const held = notes.list.map(({ what, count, first }) => `${what}: ${count} (first: ${first})`).join('; ');
  const known = kinds.map(({ label }) => label).join(', ');
  return `${names}: nothing to import${held === '' ? '' : `: ${held}`}. Allowed: ${known}`;
}

/** One thing at a time goes from who makes it to who takes it. */
class Handover<T> {
  #item: { readonly value: T; readonly taken: () => void } | undefined;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #refused = false;
  #wake: () => void = () => undefined;

  /** Resolves when it is taken. @throws where nobody takes any more */
  async put(value: T): Promise<void> {
    if (this.#refused) throw new Refused();
    await new Promise<void>((taken) => {
      this.#item = { value, taken };
      this.#wake();
    });
    if (this.#refused) throw new Refused();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  fail(error: unknown): void {
    if (!(error instanceof Refused)) this.#failure = { error };
    this.end();
  }

  /** Nothing more is taken. */
  refuse(): void {
    this.#refused = true;
    this.#item?.taken();
    this.#item = undefined;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      if (this.#item === undefined && !this.#ended) await new Promise<void>((wake) => (this.#wake = wake));
      const item = this.#item;
      if (item !== undefined) {
        this.#item = undefined;
        // The next one is made meanwhile.
        item.taken();
        yield item.value;
      } else if (this.#ended) {
        if (this.#failure !== undefined) throw this.#failure.error;
        return;
      }
    }
  }
}

class Refused extends Error {}
