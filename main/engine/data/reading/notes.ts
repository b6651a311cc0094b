/** Collects what is worth telling about a reading; `report` is the summary. */
import type { ReadingCount, ReadingReport } from '../../../../preload/contract/reading.ts';
import { counted } from '../../../../preload/shared/format.ts';

type Section = 'leftOut' | 'dropped' | 'changed';

/** So many different warnings are kept; the rest is only counted. */
const MAX_WARNINGS = 20;

const increase = (counts: Record<string, number>, name: string) => {
  counts[name] = (counts[name] ?? 0) + 1;
};

export class ReadingNotes {
  readonly #counts: Readonly<Record<Section, Map<string, { count: number; first: string }>>> = {
    leftOut: new Map(),
    dropped: new Map(),
    changed: new Map(),
  };
  readonly #warnings = new Set<string>();
  #moreWarnings = 0;
  readonly #formats: Record<string, number> = {};
  readonly #encodings: Record<string, number> = {};
  readonly #compressions: Record<string, number> = {};
  #files = 0;
  #bytes = 0;

  /** Notes that go on from these, which stay as they are. */
  copy(): ReadingNotes {
    const notes = new ReadingNotes();
    for (const section of ['leftOut', 'dropped', 'changed'] as const)
      for (const [what, { count, first }] of this.#counts[section]) notes.count(section, what, first, count);
    for (const sentence of this.#warnings) notes.warn(sentence);
    return notes;
  }

  /** Counts `count` things; `first` is where the first of these is. */
  count(section: Section, what: string, first: string, count = 1): void {
    const known = this.#counts[section].get(what);
    if (known === undefined) this.#counts[section].set(what, { count, first });
    else known.count += count;
  }

  warn(sentence: string): void {
    if (this.#warnings.size < MAX_WARNINGS) this.#warnings.add(sentence);
    else if (!this.#warnings.has(sentence)) this.#moreWarnings++;
  }

  /** A file of so many bytes on disk. */
  file(bytes: number): void {
    this.#bytes += bytes;
  }

  /** A text or table inside a file (or the file itself). */
  member(format: string, encoding: string | null, compressions: readonly string[]): void {
    this.#files++;
    increase(this.#formats, format);
    if (encoding !== null) increase(this.#encodings, encoding);
    for (const name of compressions) increase(this.#compressions, name);
  }

  report(documents: number, textBytes: number, whole: boolean): ReadingReport {
    const list = (section: Section): ReadingCount[] =>
      [...this.#counts[section]].map(([what, { count, first }]) => ({ what, count, first }));
    const more = this.#moreWarnings === 0 ? [] : [`${counted(this.#moreWarnings, 'more warning')} of these kinds.`];
    return {
      files: this.#files,
      bytes: this.#bytes,
      documents,
      textBytes,
      whole,
      formats: { ...this.#formats },
      encodings: { ...this.#encodings },
      compressions: { ...this.#compressions },
      leftOut: list('leftOut'),
      dropped: list('dropped'),
      changed: list('changed'),
      warnings: [...this.#warnings, ...more],
    };
  }
}
