/** The Node in which the lab of the desktop app runs. */
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

export interface Places {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly arch: string;
  /** The folder of the package. */
  readonly root: string;
  /** Where a packaged app has files beside its archive. */
  readonly resources?: string;
  readonly exists?: (path: string) => boolean;
}

/**
 * SWEEPLAB_NODE (which `npm start` sets to its own), what a package carries, what npm installed beside Sweeplab, what the system has.
 * @returns undefined when there is none
 */
export function findNode({ env, platform, arch, root, resources, exists = existsSync }: Places): string | undefined {
  const windows = platform === 'win32';
  const file = windows ? 'node.exe' : 'node';
  const name = `node-${windows ? 'win' : platform}-${arch}`;
  const candidates: string[] = [];
  if (env.SWEEPLAB_NODE) candidates.push(env.SWEEPLAB_NODE);
  if (resources !== undefined) candidates.push(join(resources, file));
  for (let folder = root; ; folder = dirname(folder)) {
    for (const each of [name, name.replace('node-', 'node-bin-')])
      candidates.push(join(folder, 'node_modules', each, 'bin', file));
    if (dirname(folder) === folder) break;
  }
  for (const folder of (env.PATH ?? '').split(delimiter)) if (folder !== '') candidates.push(join(folder, file));
  return candidates.find((path) => exists(path));
}
