/** Reads a text that is larger than a memory, in blocks that others work on meanwhile. */
import type { ReadingReport } from '../../../../preload/contract/reading.ts';
import type { CorpusSource } from '../corpora/corpusKind.ts';
import { DataError } from '../errors.ts';
import { BlockStream } from './blockStream.ts';
import type { BlockStreamOptions } from './blockStream.ts';
import type { TextBlock } from './blocks.ts';
import type { DocumentSizes, LongDocument } from '../documentSizes.ts';

/** What the first reading of a text found. */
export interface Scan {
  readonly sizes: DocumentSizes;
  /** Documents before each file. */
  readonly files: readonly number[];
  readonly report: ReadingReport;
}

/** What is kept of it, beside the file of the sizes. */
export interface ScanNote extends Omit<Scan, 'sizes'> {
  readonly long: readonly LongDocument[];
  readonly sha256: string;
}

/** A reading of one text: of its documents, which are held out. */
export interface TextPass extends Scan {
  readonly source: CorpusSource;
  readonly held: Uint8Array | 0 | 1;
  readonly isCut: boolean;
}

type Stream = NonNullable<CorpusSource['stream']>;
export const streamOf = (source: CorpusSource): Stream => source.stream!.bind(source);

export interface BlockOptions extends Pick<BlockStreamOptions, 'parts' | 'spare'> {
  /** Blocks that are worked on side by side. */
  readonly lanes: number;
}

/** Reads a text in blocks from its document `skipTo` on. `take` is given each; what it returns is awaited before much more is read. */
export async function readBlocks(
  pass: TextPass,
  skipTo: number,
  { parts, lanes, spare }: BlockOptions,
  take: (block: TextBlock) => Promise<void>,
): Promise<void> {
  const { source, sizes, held, isCut, files } = pass;
  const failures: unknown[] = [];
  const running = new Set<Promise<void>>();
  const throwFailed = (): void => {
    if (failures.length > 0) throw failures[0];
  };
  // A document that is cut counts as two here, and as one where the files were counted.
  const skipFiles = isCut ? 0 : files.findLastIndex((before) => before <= skipTo);
  const stream = new BlockStream({
    sizes,
    held,
    from: files[skipFiles] ?? 0,
    skipTo,
    parts,
    spare,
    isCut,
    take: (block) => {
      const one = take(block).catch((error: unknown) => void failures.push(error));
      running.add(one);
      void one.then(() => running.delete(one));
    },
    room: async () => {
      while (running.size > 2 * lanes && failures.length === 0) await Promise.race(running);
      throwFailed();
    },
    changed: () =>
      new DataError('data.corpus', '', 'the text became another while it was read.', 'a text that stays as it is'),
  });
  try {
    await streamOf(source)(stream, { skipFiles, onProgress: undefined });
    stream.finish();
  } finally {
    await Promise.all(running);
  }
  throwFailed();
}
