/**
 * The one reader of text: from files to a corpus, whatever their encoding, compression and format, with a summary of what was read.
 * Training text, validation text, downloads and what is shown of a corpus all come through here.
 */
import { counted } from '../../../../preload/shared/format.ts';
import type { ReadingReport } from '../../../../preload/contract/reading.ts';
import type { Corpus } from '../corpus.ts';
import { CorpusBuilder } from '../corpusBuilder.ts';
import type { Documents, TextSink } from '../corpusBuilder.ts';
import { DataError, TextTooLong, throwIfAborted } from '../errors.ts';
import type { FormatInput, RandomAccess } from '../formats/index.ts';
import { PhaseMeter } from '../progress.ts';
import type { OnProgress } from '../progress.ts';
import { TextFacts, cleanText } from './cleanText.ts';
import { contentsOf, tokensHint } from './contents.ts';
import type { Content } from './contents.ts';
import { isUtf8Instead } from './encoding.ts';
import type { Encoding } from './encoding.ts';
import { LIMITS, MEMORY_PER_BYTE, words } from '../limits.ts';
import { ReadingNotes } from './notes.ts';
import { RowDocuments } from './rowDocuments.ts';
import { SourceFile } from './sourceFile.ts';
import type { CorpusFile } from './sourceFile.ts';

/** How the text is found in the files: the settings `data.*` of the same names. */
export interface ReadingSettings {
  readonly column: string;
  /** Escapes resolved, line ends as \n. */
  readonly separator: string;
  readonly delimiter: string;
  readonly format: string;
  readonly encoding: Encoding | null;
}

export interface ReadingOptions extends ReadingSettings {
  /** At most so many bytes of text; 0 = all. */
  readonly limit: number;
  /** The setting that named the files: errors name it. */
  readonly setting: string;
  /** Bytes of all files together where known, for the progress; else 0. */
  readonly totalBytes: number;
  /** What was noted while the files were listed. */
  readonly notes?: ReadingNotes;
  /** Regroups documents, for corpora whose rows are not documents. */
  readonly regroup?: Regroup;
  readonly onProgress?: OnProgress;
  /**
   * Told how many bytes of the files were read, and the text by then. `through`: all of them have become text; else those before this call.
   */
  readonly onSource?: (read: number, textBytes: number, documents: number, through: boolean) => void;
  readonly signal?: AbortSignal;
  /** So many files are left out: they were read before. */
  readonly skipFiles?: number;
  /** Called before each file is read. */
  readonly onFile?: (index: number) => void;
}

/** Takes rows and gives documents; `end` is called after the last row of each file. */
export type Regroup = (documents: Documents) => Documents & { end(): void };

export interface Reading {
  readonly corpus: Corpus;
  readonly report: ReadingReport;
}

/** Where the reading of all files stands. */
class Reader {
  readonly options: ReadingOptions;
  readonly notes: ReadingNotes;
  readonly builder: TextSink;
  readonly #meter: PhaseMeter;
  /** Bytes of the files before this one. */
  #before = 0;

  constructor(sink: TextSink, options: ReadingOptions) {
    this.options = options;
    this.notes = options.notes ?? new ReadingNotes();
    this.builder = sink;
    this.#meter = new PhaseMeter('read', options.onProgress);
  }

  /** A file that was read before. */
  skip(file: CorpusFile): void {
    this.#before += file.size;
  }

  async file(file: CorpusFile): Promise<void> {
    const { setting, format, encoding } = this.options;
    if (file.size === 0) {
      await SourceFile.open(file, setting).then((opened) => opened.close());
      this.notes.count('dropped', 'empty files', file.path);
      return;
    }
    const opened = await SourceFile.open(file, setting);
    try {
      const onBytes = (read: number) => this.#progress(read, file.path);
      for await (const content of contentsOf(opened, { setting, format, encoding, notes: this.notes, onBytes })) {
        await this.#content(content, file);
        if (this.builder.full) break;
      }
      await opened.checkUnchanged();
    } finally {
      await opened.close();
    }
    this.notes.file(file.size);
    this.#before += file.size;
  }

  async #content(content: Content, file: CorpusFile): Promise<void> {
    const { setting, regroup, encoding } = this.options;
    const { format, name, head } = content;
    const facts = new TextFacts();
    const documents = new RowDocuments(this.builder, this.notes, {
      name,
      raw: format.reads === 'bytes',
      tooLong: () => this.#tooLong(setting, name),
    });
    const target = regroup?.(documents);
    const before = this.builder.documents;
    const bytes = format.reads === 'bytes' ? await content.bytes() : null;
    const checked = this.#checked(content.chunks, head, encoding, facts, name);
    await format.read(this.#input(content, bytes, checked, file), target ?? documents);
    target?.end();
    this.#refuse(facts, name, true);
    if (format.reads === 'text') this.#tellFacts(facts, content);
    documents.finish();
    const label = format.reads === 'text' ? facts.encoding.toUpperCase() : null;
    this.notes.member(format.title, label, content.compressions);
    if (this.builder.documents === before && !this.builder.full)
      this.notes.count('dropped', 'files without text', name);
  }

  /** The text of a content, refused as soon as too much of it is none. */
  async *#checked(
    chunks: () => AsyncIterable<Buffer>,
    head: Buffer,
    encoding: Encoding | null,
    facts: TextFacts,
    name: string,
  ): AsyncGenerator<Buffer> {
    for await (const chunk of cleanText(chunks(), head, encoding, facts)) {
      throwIfAborted(this.options.signal);
      this.#refuse(facts, name, false);
      await this.builder.room?.();
      yield chunk;
    }
  }

  #refuse(facts: TextFacts, name: string, whole: boolean): void {
    const refusal = facts.undecodable === 0 ? null : facts.refusal(whole);
    if (refusal === null) return;
    const { setting } = this.options;
    const allowed = refusal.isText
      ? 'UTF-8, or UTF-16 and UTF-32 with a byte-order mark; data.encoding names any other (for example windows-1252)'
      : 'text, JSON lines, JSON, CSV, TSV or Parquet';
    const what = refusal.what.replace(/\.$/, `${tokensHint(name)}.`);
    throw new DataError(setting, name, what, allowed);
  }

  #tellFacts(facts: TextFacts, { name, format, head }: Content): void {
    const { marks, lineEnds, undecodable, zeros, firstUndecodable } = facts;
    const encoding = facts.encoding.toUpperCase();
    if (marks > 0) this.notes.count('changed', 'byte-order marks taken out', name, marks);
    if (lineEnds > 0) this.notes.count('changed', 'line ends \\r\\n or \\r read as \\n', name, lineEnds);
    if (undecodable > 0) {
      const kept = facts.encoding === 'utf-8' && !format.name.startsWith('json');
      this.notes.warn(
        `${name}: ${facts.found(`${undecodable - zeros === 1 ? 'is' : 'are'} no ${encoding}`)} (first at byte ${firstUndecodable}); ` +
          `${undecodable === 1 ? 'it ' : 'they '}${kept ? (undecodable === 1 ? 'stays in the text as it is' : 'stay in the text as they are') : 'became U+FFFD'}.`,
      );
    }
    const wanted = this.options.encoding;
    if (wanted !== null && wanted !== facts.encoding)
      this.notes.warn(`${name} has a byte-order mark of ${encoding}: it counts, not data.encoding = ${wanted}.`);
    else if (wanted !== null && wanted !== 'utf-8' && isUtf8Instead(head, wanted))
      this.notes.warn(`${name} is UTF-8 by its bytes: read as ${encoding} (data.encoding), its characters are others.`);
  }

  #tooLong(setting: string, name: string): DataError {
    return new TextTooLong(
      setting === 'data.corpus' ? 'data.size' : setting,
      setting === 'data.corpus' ? this.options.limit : name,
      `the text is longer than ${words(LIMITS.text)}: preparing it takes up to ${MEMORY_PER_BYTE} times its length of this machine's memory.`,
      `at most ${LIMITS.text} bytes of text`,
      setting === 'data.corpus' ? LIMITS.text : undefined,
    );
  }

  #input(
    content: Content,
    bytes: Awaited<ReturnType<Content['bytes']>> | null,
    text: AsyncIterable<Buffer>,
    file: CorpusFile,
  ): FormatInput {
    const { column, separator, delimiter, setting } = this.options;
    const { name, compressions } = content;
    const notes = this.notes;
    const unpacked = compressions.length === 0 ? '' : `unpacked (${compressions.join(', ')}), `;
    return {
      name,
      text,
      bytes: (bytes === null ? null : this.#awaiting(bytes)) ?? {
        byteLength: 0,
        slice: () => Promise.reject(new Error('a text format reads in order')),
      },
      column,
      separator,
      delimiter,
      error: (what, allowed) => new DataError(setting, name, unpacked + what, allowed),
      drop: (what, row) => notes.count('dropped', what, `${name}, row ${row}`),
      note: (what, row) => notes.count('changed', what, `${name}, row ${row}`),
      warn: (sentence) => notes.warn(`${name}: ${sentence}`),
      progress: (fraction) => {
        throwIfAborted(this.options.signal);
        this.#progress(fraction * file.size, file.path, true);
      },
    };
  }

  /** The same bytes, given as there is room for what they hold. */
  #awaiting(bytes: RandomAccess): RandomAccess {
    const { builder } = this;
    if (builder.room === undefined) return bytes;
    const slice: RandomAccess['slice'] = async (start, end) => {
      await builder.room?.();
      return await bytes.slice(start, end);
    };
    return { byteLength: bytes.byteLength, slice };
  }

  #progress(read: number, path: string, through = false): void {
    const { limit, totalBytes, onSource } = this.options;
    onSource?.(this.#before + read, this.builder.length, this.builder.documents, through);
    // Whichever comes first ends the reading: the files or the limit.
    const ofFiles = totalBytes > 0 ? (this.#before + read) / totalBytes : 0;
    if (limit > 0 && this.builder.length / limit >= ofFiles) this.#meter.update(this.builder.length, limit, path, true);
    else this.#meter.update(this.#before + read, totalBytes, path, true);
  }
}

type Files = AsyncIterable<CorpusFile> | Iterable<CorpusFile>;

/**
 * Reads the documents of all files, in order, until the sink is full. Files are asked for one at a time, so that downloads stop
 * with the last one needed.
 *
 * @throws DataError naming the file (and row) that cannot be read, and what to do
 */
export async function readInto(sink: TextSink, files: Files, options: ReadingOptions): Promise<ReadingReport> {
  const reader = new Reader(sink, options);
  const { notes } = reader;
  let first = '';
  let count = 0;
  for await (const file of files) {
    throwIfAborted(options.signal);
    if (count === 0) first = file.path;
    const index = count++;
    if (index < (options.skipFiles ?? 0)) {
      reader.skip(file);
      continue;
    }
    options.onFile?.(index);
    await reader.file(file);
    if (sink.full) break;
  }
  if (sink.documents === 0) {
    const { dropped } = notes.report(0, 0, true);
    const why = dropped.length === 0 ? '' : ` (${dropped.map((each) => `${each.what}: ${each.count}`).join(', ')})`;
    const what = count === 1 ? first : counted(count, 'file');
    throw new DataError(
      options.setting,
      what,
      `holds no text${why}.`,
      'files with at least one document that is not empty',
    );
  }
  return notes.report(sink.documents, sink.length, !sink.full);
}

/** {@link readInto} memory, up to the limit. */
export async function readFiles(files: Files, options: ReadingOptions): Promise<Reading> {
  const builder = new CorpusBuilder(options.limit);
  const report = await readInto(builder, files, options);
  return { corpus: builder.build(), report };
}
