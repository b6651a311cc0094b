/** How this Sweeplab came here: what someone can do about a missing part depends on it. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A package of the desktop app carries the kernels built; what builds them, and npm, it has not. */
export const isPackage = (root: string): boolean => !existsSync(join(root, 'main/engine/native/build.js'));

const PACKAGED = isPackage(ROOT);

/** Words for a checkout, or for a package. */
export const hereOrPackaged = (checkout: string, packaged: string): string => (PACKAGED ? packaged : checkout);

/** What brings back a part that every install has. */
export const REINSTALL = hereOrPackaged('install again: npm ci', 'install Sweeplab again');

/** The command line as it is named to people; a package has it beside the lab's folder (.ci/package/stage.ts). */
export const COMMAND_LINE = hereOrPackaged('sweeplab', quoted(join(dirname(ROOT), commandFile(process.platform))));

function commandFile(platform: string): string {
  return platform === 'win32' ? 'sweeplab.cmd' : 'sweeplab';
}

function quoted(path: string): string {
  return /\s/u.test(path) ? `"${path}"` : path;
}
