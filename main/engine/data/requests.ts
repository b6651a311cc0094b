/** What a configuration's data settings led to: which dataset, what was read for it, and what is known of its entropy. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReadingSummary } from '../../../preload/contract/reading.ts';
import { writeAtomic } from '../../files/atomic.ts';
import { readWhole, sha256 } from '../../files/whole.ts';

export interface RequestNote {
  readonly contentHash: string;
  /** Value of `data.corpus`; missing in notes of earlier versions. */
  readonly corpus?: string | undefined;
  readonly reading: ReadingSummary;
  /** −log2 of each validation document's probability, where the corpus knows it. */
  readonly bits: Float64Array | null;
}

interface NoteFile {
  readonly contentHash: string;
  readonly corpus?: string | undefined;
  readonly reading: ReadingSummary;
  /** Base64 of the numbers. */
  readonly bits: string | null;
}

const folderOf = (cacheDir: string) => join(cacheDir, 'datasets', 'requests');
const pathOf = (cacheDir: string, request: string) => join(folderOf(cacheDir), `${request.slice(0, 32)}.json`);

/** The note of a request; null when there is none, or it is damaged: then the data is prepared (again). */
export async function readRequest(cacheDir: string, request: string): Promise<RequestNote | null> {
  const bytes = await readWhole(pathOf(cacheDir, request));
  if (bytes === null) return null;
  try {
    const [sum, text] = Buffer.from(bytes).toString('utf8').split('\n');
    if (sha256(text) !== sum) return null;
    const { bits, ...note } = JSON.parse(text) as NoteFile;
    // A copy: base64 gives no aligned memory.
    const numbers = bits === null ? null : new Float64Array(Uint8Array.from(Buffer.from(bits, 'base64')).buffer);
    return { ...note, bits: numbers };
  } catch {
    return null;
  }
}

export async function writeRequest(cacheDir: string, request: string, note: RequestNote): Promise<void> {
  const { bits, ...rest } = note;
  const encoded = bits === null ? null : Buffer.from(bits.buffer, bits.byteOffset, bits.byteLength).toString('base64');
  const text = JSON.stringify({ ...rest, bits: encoded } satisfies NoteFile);
  await writeAtomic(pathOf(cacheDir, request), Buffer.from(`${sha256(text)}\n${text}\n`));
}

/** Of which corpora the datasets were made, by content, as far as the notes say. */
export async function corporaByContent(cacheDir: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const name of (await readdir(folderOf(cacheDir)).catch(() => [])).sort()) {
    const note = name.endsWith('.json') ? await readRequest(cacheDir, name.slice(0, -'.json'.length)) : null;
    if (note?.corpus !== undefined) found.set(note.contentHash, note.corpus);
  }
  return found;
}
