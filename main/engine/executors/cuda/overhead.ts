/**
 * Bytes of a card that a process takes beside what it planned: context, loaded kernels, graphs, code of cuBLASLt. Nobody can compute
 * them, so the executor measures them and they are kept in the data folder, for each card, driver and set of libraries: a file each,
 * because several engines may measure at once. Until a card has been measured its figure is an estimate.
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFileSync } from '../../../files/atomic.ts';
import { sha256 } from '../../../files/whole.ts';
import { cudaFolder, dataFolder } from '../dataFolder.ts';
import type { BaseBytes } from '../executorKind.ts';

export interface OverheadOf {
  /** As the driver names the card: `NVIDIA GeForce RTX 4090`. */
  readonly card: string;
  /** `550.54.14` */
  readonly driver: string;
}

export interface Overhead extends OverheadOf {
  /** What else decides: `cuBLASLt 13.1.1`, the hash of the kernels. In any order. */
  readonly libraries: readonly string[];
  readonly bytes: number;
}

const folderIn = (home: string): string => join(cudaFolder(home), 'overhead');

/**
 * Keeps what was measured, or what was measured before with the same card, driver and libraries where that was more: a run that uses few
 * kernels must not promise too much to the next. Without a data folder, or where it cannot be written, nothing is kept.
 */
export function keepOverhead(measured: Overhead): void {
  const home = dataFolder();
  if (home === undefined) return;
  const { card, driver, bytes } = measured;
  const libraries = measured.libraries.toSorted();
  const name = `${sha256(JSON.stringify([card, driver, libraries])).slice(0, 16)}.json`;
  try {
    const before = read(join(folderIn(home), name));
    if (before !== undefined && before.bytes >= bytes) return;
    mkdirSync(folderIn(home), { recursive: true });
    replaceFileSync(join(folderIn(home), name), `${JSON.stringify({ card, driver, libraries, bytes })}\n`);
  } catch {
    // The next run measures again.
  }
}

/**
 * What was measured on a card with its driver, the most over all libraries; else on the same card with another driver, which is only an
 * estimate. Undefined where the card was never measured here.
 */
export function overheadOf({ card, driver }: OverheadOf): BaseBytes | undefined {
  const home = dataFolder();
  if (home === undefined) return undefined;
  const onCard = all(folderIn(home)).filter((each) => each.card === card);
  const now = onCard.filter((each) => each.driver === driver);
  const most = (list: readonly Overhead[]): Overhead => list.reduce((a, b) => (b.bytes > a.bytes ? b : a));
  if (now.length > 0)
    return { bytes: most(now).bytes, basis: 'measured', what: `${WHAT}, measured on this card with driver ${driver}` };
  if (onCard.length === 0) return undefined;
  const other = most(onCard);
  return { bytes: other.bytes, basis: 'estimated', what: `${WHAT}, measured on this card with driver ${other.driver}` };
}

/** What it is, for people. */
export const WHAT = 'CUDA context, handles and kernels';

function all(folder: string): Overhead[] {
  try {
    return readdirSync(folder).flatMap((name) => read(join(folder, name)) ?? []);
  } catch {
    return [];
  }
}

/** Undefined for what is not there or was not written here. */
function read(path: string): Overhead | undefined {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as Partial<Overhead> | null;
    const isOne = typeof value?.card === 'string' && typeof value.driver === 'string' && Number.isFinite(value.bytes);
    return isOne && value.bytes! > 0 ? (value as Overhead) : undefined;
  } catch {
    return undefined;
  }
}
