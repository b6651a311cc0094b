/** Which files a path, folder or glob means. */
import { access, constants, readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, matchesGlob, resolve } from 'node:path';
import { globOf, hasMagic, patternFor } from '../../../files/glob.ts';
import { DataError } from '../errors.ts';
import { EXTENSIONS, formatOfName } from '../formats/index.ts';
import { compressionEnding, withoutCompression } from './compression/index.ts';
import { assertReadable, mayRead } from './confine.ts';
import { furniture, furnitureOnPath } from './furniture.ts';
import { LIMITS } from '../limits.ts';
import { ReadingNotes } from './notes.ts';
import { binaryKind } from './magic.ts';
import { HELD_OUT_SPLITS, heldOutSplits, missingShards } from './splits.ts';
import { SourceFile, accessError, describeFile, refuseSpecial } from './sourceFile.ts';
import type { CorpusFile } from './sourceFile.ts';
import { walk } from './walk.ts';
import type { WalkedFile } from './walk.ts';

export interface Listing {
  readonly files: readonly CorpusFile[];
  /** What was left out, to go on with. */
  readonly notes: ReadingNotes;
}

/** Whether a corpus setting can be meant as a path rather than a name. */
export const looksLikePath = (corpus: string): boolean => /[/\\]|\.\w+$/.test(corpus) || hasMagic(corpus);

/** Whether a file of a folder or archive is taken for data by its name: a known ending, or a compression and nothing else. */
export function hasDataName(path: string): boolean {
  const name = basename(path);
  if (compressionEnding(name) === '.zip') return true;
  const inner = withoutCompression(name);
  return formatOfName(inner) !== undefined || (inner !== name && extname(inner) === '');
}

/** The ending of a name, for a summary. */
export const endingOf = (path: string): string => extname(withoutCompression(basename(path))).toLowerCase() || 'none';

/** Leaves out what is no data, with reasons. When nothing at all is there but such files (`alone`), they are what was meant. */
function withoutFurniture(found: readonly WalkedFile[], notes: ReadingNotes, alone = true): readonly WalkedFile[] {
  const reasons = found.map(({ inside }) => furnitureOnPath(inside));
  if (alone && reasons.every((reason) => reason !== null)) return found;
  return found.filter(({ path }, i) => {
    const reason = reasons[i];
    if (reason !== null) notes.count('leftOut', reason, path);
    return reason === null;
  });
}

/** Leaves out what is not to be trained on, where a folder holds the splits of a data set. */
function withoutHeldOut(found: readonly WalkedFile[], notes: ReadingNotes): readonly WalkedFile[] {
  const held = heldOutSplits(found.map(({ inside }) => inside));
  return found.filter(({ inside, path }) => {
    if (held.has(inside)) notes.count('leftOut', HELD_OUT_SPLITS, path);
    return !held.has(inside);
  });
}

function warnOfShards(found: readonly WalkedFile[], notes: ReadingNotes): void {
  for (const sentence of missingShards(found.map(({ inside }) => inside))) notes.warn(sentence);
}

/** The same file under several names is read once: its text would be trained on twice, and stand on both sides of the split. */
function once(found: readonly WalkedFile[], notes: ReadingNotes): WalkedFile[] {
  const seen = new Set<string>();
  return found.filter(({ identity, path }) => {
    if (seen.has(identity)) notes.count('leftOut', 'further names of files that are read already', path);
    else {
      seen.add(identity);
      return true;
    }
    return false;
  });
}

/**
 * A link may be stored as a small text file that holds nothing but where it leads: by git and copies where there are no links. Only a file
 * that cannot be what its name says is taken for one: what a text file holds is text, also where that is a path.
 */
const LONGEST_LINK = 300;
const NO_PATH_INSIDE = /\.(?:jsonl|ndjson|json|parquet|gz|zst|xz|bz2|zip)$/iu;

/** Where such a file leads; null for any other. */
async function storedLink(file: CorpusFile): Promise<string | null> {
  if (file.size === 0 || file.size > LONGEST_LINK || !NO_PATH_INSIDE.test(file.path)) return null;
  const text = await readFile(file.path, 'utf8').catch(() => '');
  if (!/^\.\.?\/[^\n\r\0]+$/.test(text)) return null;
  const target = join(dirname(file.path), text);
  const info = await stat(target).catch(() => null);
  if (info !== null && !(await mayRead(target))) return null;
  return info?.isFile() === true ? target : null;
}

/** A file, or what it leads to, under its own name (which tells the format). */
async function described(path: string, notes: ReadingNotes, setting: string): Promise<CorpusFile> {
  try {
    const file = await describeFile(path);
    const target = await storedLink(file);
    if (target === null) return file;
    notes.count('changed', 'links that were stored as text files, followed', path);
    return { ...(await describeFile(target)), name: path };
  } catch (error) {
    throw accessError(error, setting, path);
  }
}

/** So many files are asked for their size at a time. */
const AT_ONCE = 64;

async function describeAll(found: readonly WalkedFile[], notes: ReadingNotes, setting: string): Promise<CorpusFile[]> {
  const files: CorpusFile[] = [];
  for (let from = 0; from < found.length; from += AT_ONCE) {
    const some = found.slice(from, from + AT_ONCE);
    files.push(...(await Promise.all(some.map(({ path }) => described(path, notes, setting)))));
  }
  return files;
}

async function walked(
  root: string,
  setting: string,
  notes: ReadingNotes,
  wants: (name: string, inside: string) => boolean,
  maxDepth?: number,
): Promise<readonly WalkedFile[]> {
  await assertReadable(root, setting);
  let linksOut = 0;
  let firstLinkOut = '';
  const found = await walk(root, {
    setting,
    maxDepth,
    wants,
    onOther: (what, path) => notes.count('leftOut', what, path),
    onLinkOut: (path) => {
      if (linksOut++ === 0) firstLinkOut = path;
    },
  });
  if (linksOut > 0) notes.count('changed', 'links that lead out of the folder, followed', firstLinkOut, linksOut);
  return found;
}

/** What a file is that is no data by its name, a sentence; '' where its first bytes tell nothing. */
async function sayKind({ path, inside }: WalkedFile, setting: string): Promise<string> {
  const file = await SourceFile.open(await describeFile(path), setting);
  try {
    const kind = binaryKind(await file.slice(0, LIMITS.head), file.byteLength);
    return kind === null ? '' : ` ${inside} is ${kind.what}. ${kind.advice}`.trimEnd();
  } finally {
    await file.close();
  }
}

async function filesOfFolder(root: string, path: string, setting: string): Promise<Listing> {
  const notes = new ReadingNotes();
  const all = await walked(root, setting, notes, (name, inside) => {
    const hidden = furniture(name);
    // Folders such as .git hold thousands of files: they are not entered.
    const closed = hidden !== null && (name.startsWith('.') || name === '__MACOSX');
    if (closed) notes.count('leftOut', hidden, inside);
    return !closed;
  });
  const candidates = all.filter((file) => {
    if (hasDataName(file.path)) return true;
    const ending = `files that are no text or table by their ending (${endingOf(file.path)})`;
    notes.count('leftOut', furnitureOnPath(file.inside) ?? ending, file.path);
    return false;
  });
  const data = withoutFurniture(candidates, notes, candidates.length === all.length);
  // A text to score on is whatever it is said to be.
  const found = once(setting === 'data.corpus' ? withoutHeldOut(data, notes) : data, notes);
  if (found.length === 0) {
    const { leftOut } = notes.report(0, 0, true);
    const held = leftOut.map(({ what, count }) => `${what}: ${count}`).join(', ');
    const first = all.find((file) => furnitureOnPath(file.inside) === null);
    const is = first === undefined ? '' : await sayKind(first, setting);
    throw new DataError(
      setting,
      path,
      `the folder has no text or table files${held === '' ? '' : ` (left out: ${held})`}.${is}`,
      `files ending in ${EXTENSIONS.join(' ')} (also .gz .zst .xz .bz2 .zip); a glob names others, for example ${path}/*`,
    );
  }
  warnOfShards(found, notes);
  const formats = new Set(found.map(({ path: each }) => formatOfName(withoutCompression(each))?.title ?? 'other'));
  if (formats.size > 1)
    notes.warn(
      `The folder holds files of several formats (${[...formats].join(', ')}): all are read. A glob reads some of them.`,
    );
  return { files: await describeAll(found, notes, setting), notes };
}

async function filesOfGlob(path: string, setting: string): Promise<Listing> {
  const notes = new ReadingNotes();
  const { fixed, pattern: rest } = globOf(path);
  const root = resolve(fixed);
  const rootInfo = await stat(root).catch(() => null);
  const maxDepth = rest.includes('**') ? undefined : rest.split('/').length - 1;
  const hiddenWanted = /(^|[/{,])\./.test(rest);
  const all =
    rootInfo?.isDirectory() === true
      ? await walked(root, setting, notes, (name) => hiddenWanted || !name.startsWith('.'), maxDepth)
      : [];
  // As everywhere, what is there by its very name is meant by it; only else is it a pattern.
  const byName = all.filter(({ inside }) => {
    const named = patternFor(rest, inside);
    return named !== rest && matchesGlob(inside, named);
  });
  const byPattern = all.filter(({ inside }) => matchesGlob(inside, rest));
  const matching = byName.length > 0 ? byName : byPattern;
  if (byName.length > 0)
    for (const { path: other } of byPattern.filter((each) => !byName.includes(each)))
      notes.count('leftOut', 'files that the glob means only where no name stands for itself', other);
  const found = once(withoutFurniture(matching, notes), notes);
  if (found.length === 0)
    throw new DataError(setting, path, 'no file matches.', 'a glob that matches at least one file');
  warnOfShards(found, notes);
  // A glob names its files: what it names is read, but not unsaid.
  const held = setting === 'data.corpus' ? heldOutSplits(found.map(({ inside }) => inside)) : new Set();
  const first = found.find(({ inside }) => held.has(inside));
  if (first !== undefined)
    notes.warn(
      `${first.inside}${held.size === 1 ? '' : ` and ${held.size - 1} more`} of the glob: by name a test or validation split, ` +
        'trained on all the same; data.validation_path names a text to score on.',
    );
  return { files: await describeAll(found, notes, setting), notes };
}

/**
 * The files meant by a path, a folder (all files of known formats in it, recursively) or a glob, in the order of their paths.
 * Null when nothing is there by that name.
 */
export async function findFiles(path: string, setting: string): Promise<Listing | null> {
  const absolute = resolve(path);
  const info = await stat(absolute).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw accessError(error, setting, path);
  });
  if (info === null) return globOf(path).pattern === '' ? null : await filesOfGlob(path, setting);
  if (info.isDirectory()) return await filesOfFolder(absolute, path, setting);
  await refuseSpecial(info, absolute, setting);
  await assertReadable(absolute, setting);
  await access(absolute, constants.R_OK).catch((error: unknown) => {
    throw accessError(error, setting, path);
  });
  const notes = new ReadingNotes();
  return { files: [await described(absolute, notes, setting)], notes };
}

/** The files that a path, folder or glob means, and nothing of what they hold; null when there are none. @throws DataError */
export async function filesNamed(path: string): Promise<readonly CorpusFile[] | null> {
  return (await findFiles(path, 'data.corpus'))?.files ?? null;
}
