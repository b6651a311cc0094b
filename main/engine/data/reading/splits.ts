/** Files of a data set that are a part of it by their names: what is kept for a test or validation, and shards (`train-00000-of-00003`). */
import { counted } from '../../../../preload/shared/format.ts';

const HELD_OUT = new Set(['test', 'validation', 'valid', 'val', 'dev', 'eval']);
const TRAIN = 'train';

type Part = 'train' | 'held out' | null;

/** A folder is a split by its whole name, a file by any word of its name. Where it is trained on by its name, it is. */
function partOf(name: string, isFolder: boolean): Part {
  const words = isFolder ? [name.toLowerCase()] : name.toLowerCase().split(/[^\p{L}\p{N}]+/u);
  if (words.includes(TRAIN)) return 'train';
  return words.some((word) => HELD_OUT.has(word)) ? 'held out' : null;
}

/** The file or folder names on a path, each with the folder that it lies in. */
function steps(path: string): { folder: string; part: Part }[] {
  const names = path.split('/');
  return names.map((name, i) => ({
    folder: names.slice(0, i).join('/'),
    part: partOf(name, i < names.length - 1),
  }));
}

/** Of paths inside a folder or archive, those that are a test or validation split, or lie in one, with a train split beside it. */
export function heldOutSplits(paths: readonly string[]): ReadonlySet<string> {
  const all = paths.map((path) => ({ path, steps: steps(path) }));
  const withTrain = new Set(
    all.flatMap((each) => each.steps.filter(({ part }) => part === 'train').map(({ folder }) => folder)),
  );
  return new Set(
    all
      .filter((each) => each.steps.some(({ folder, part }) => part === 'held out' && withTrain.has(folder)))
      .map(({ path }) => path),
  );
}

/** Said of those that are left out. */
export const HELD_OUT_SPLITS =
  'test or validation splits beside a train split (data.validation_path names one to score on; a glob reads all)';

const SHARD = /^(.*?)(\d{3,6})-of-(\d{3,6})(?!\d)/su;
/** Nobody cuts a text into more. */
const MOST_SHARDS = 100_000;

/** For each set of shards that is not whole, a sentence. */
export function missingShards(paths: readonly string[]): string[] {
  const sets = new Map<string, { named: (index: number) => string; of: number; there: Set<number> }>();
  for (const path of paths) {
    const [, before, index, of] = SHARD.exec(path) ?? [];
    if (before === undefined || index === undefined || of === undefined) continue;
    const count = Number(of);
    if (count === 0 || count > MOST_SHARDS) continue;
    const named = (at: number): string => `${before}${String(at).padStart(index.length, '0')}-of-${of}`;
    const key = named(0);
    const set = sets.get(key) ?? { named, of: count, there: new Set() };
    set.there.add(Number(index));
    sets.set(key, set);
  }
  return [...sets.values()].flatMap(({ named, of, there }) => {
    // The first is 0, or 1 where the last is called as many as there are.
    const first = there.has(of) ? 1 : 0;
    const missing = Array.from({ length: of }, (_, i) => i + first).filter((i) => !there.has(i));
    if (missing.length === 0) return [];
    const more = missing.length === 1 ? 'is' : `and ${missing.length - 1} more are`;
    return [`${of - missing.length} of ${counted(of, 'shard')}: ${named(missing[0]!)} ${more} missing.`];
  });
}
