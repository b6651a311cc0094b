/** The program of the desktop app, and what it is started with. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../host/buildPages.ts';

/** Undefined where npm did not fetch it. Reading the package itself would try to download it. */
export function desktopBinary(root: string = ROOT): string | undefined {
  const folder = join(root, 'node_modules', 'electron');
  try {
    const path = join(folder, 'dist', readFileSync(join(folder, 'path.txt'), 'utf8').trim());
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The folder of the package: given a file, Electron takes its folder for the app's, where neither the preload script nor the pages lie, and its own
 * name for the app's.
 */
export const desktopArguments = (root: string = ROOT): readonly string[] => [root];
