/** What packaging lacks on this machine, in words, before anything is begun. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { carriedNode } from './stage.ts';
import type { Target } from './stage.ts';

/** The folder of Electron's program: the one that its own variable names, or what its package fetched. Undefined where there is none. */
export function electronFolder(root: string): string | undefined {
  const named = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  if (named) return existsSync(named) ? named : undefined;
  const folder = join(root, 'node_modules', 'electron');
  try {
    const program = readFileSync(join(folder, 'path.txt'), 'utf8').trim();
    return existsSync(join(folder, 'dist', program)) ? join(folder, 'dist') : undefined;
  } catch {
    return undefined;
  }
}

export interface Lack {
  readonly what: string;
  readonly mend: string;
}

export function lacking(root: string, target: Target): Lack[] {
  const { platform, arch } = target;
  const found: Lack[] = [];
  if (electronFolder(root) === undefined)
    found.push({
      what: `Electron's program for ${platform} ${arch} (npm brings only the package that fetches it)`,
      mend:
        'npx install-electron\n' +
        '    It needs the network once (about 120 MB from github.com). Behind a mirror: ELECTRON_MIRROR=https://… before the command.\n' +
        '    Without any network: put the zip of the release into the folder that electron_config_cache names, and run the same command.',
    });
  if (carriedNode(target, root) === undefined)
    found.push({ what: `Node for ${platform} ${arch}, on which the lab runs`, mend: 'npm ci --include=optional' });
  if (platform !== 'win32' && !existsSync(join(root, 'main/engine/native/build/Release/sweeplab.node')))
    found.push({
      what: 'the native kernels',
      mend: 'npm run build:native\n    It needs a C++20 compiler, make and Python 3.',
    });
  return found;
}

/** What electron-builder fetches for a kind of package when it first makes one. */
export const TOOLS = 'https://github.com/electron-userland/electron-builder-binaries';
