/**
 * Which files of a validation text are trained on too: the same file under any name, or a copy of it.
 *
 *     await compareFiles(train, validation);          // reads what may be a copy, each file once
 *     const count = sharedFiles(train, validation);
 */
import { hashFile } from '../../files/whole.ts';

export interface TextFile {
  readonly path: string;
  readonly size: number;
  /** Changes whenever the file does, and is the same under another path. */
  readonly version: string;
}
type Files = readonly TextFile[];

/** Bytes that one comparison may read: somebody waits for it. Larger copies stay unnoticed. */
const MOST_READ = 64 * 2 ** 20;
const MOST_KNOWN = 10_000;
/** What files hold, by version; null: it cannot be read, which is told when the text is. */
const digests = new Map<string, string | null>();
/** Validation files that are trained on, by the two lists. */
const found = new WeakMap<Files, WeakMap<Files, number>>();

/** Compares two lists of files once. Contents count for files that have the size of one on the other side. */
export async function compareFiles(train: Files, validation: Files): Promise<void> {
  const known = found.get(train) ?? new WeakMap<Files, number>();
  found.set(train, known);
  if (known.has(validation)) return;
  const versions = new Set(train.map(({ version }) => version));
  const bySize = Map.groupBy(train, ({ size }) => size);
  let left = MOST_READ;
  const contentOf = async (file: TextFile): Promise<string | null> => {
    if (!digests.has(file.version) && (left -= file.size) >= 0) await remember(file);
    return digests.get(file.version) ?? null;
  };
  let shared = 0;
  for (const file of validation) {
    const alike = file.size === 0 ? [] : (bySize.get(file.size) ?? []);
    let same = versions.has(file.version);
    for (const other of alike) {
      if (same || left < 0) break;
      const content = await contentOf(file);
      same = content !== null && content === (await contentOf(other));
    }
    if (same) shared++;
  }
  known.set(validation, shared);
}

async function remember({ path, version }: TextFile): Promise<void> {
  const content = await hashFile(path).catch(() => null);
  if (digests.size >= MOST_KNOWN) digests.delete(digests.keys().next().value!);
  digests.set(version, content?.sha256 ?? null);
}

/** How many files of `validation` are in `train`, as {@link compareFiles} has found. */
export const sharedFiles = (train: Files, validation: Files): number => found.get(train)?.get(validation) ?? 0;
