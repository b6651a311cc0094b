/**
 * Sweeplab's data folder, as far as executors need it: libraries that were fetched for them, and what was measured on this machine. The
 * processes that open executors say where it is; without one nothing is kept and nothing is found there.
 */
import { join } from 'node:path';

/** What is kept there for NVIDIA's cards. */
export const cudaFolder = (home: string): string => join(home, 'cuda');

let folder: string | undefined;

export function useDataFolder(path: string): void {
  folder = path;
}

export const dataFolder = (): string | undefined => folder;
