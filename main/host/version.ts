/** Which Sweeplab this is: recorded with every run. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Of the checkout, or of what a package carries. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The version of the package. */
export function packageVersion(root: string = ROOT): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;
}

/** The version, with the commit when Sweeplab runs from a checkout: `0.1.0+1a2b3c4d`. */
export function codeVersion(root: string = ROOT): string {
  const commit = headCommit(join(root, '.git'));
  return commit === undefined ? packageVersion(root) : `${packageVersion(root)}+${commit.slice(0, 8)}`;
}

/** Reads the files of git itself: git need not be installed. */
function headCommit(folder: string): string | undefined {
  const read = (...path: string[]): string | undefined => {
    try {
      return readFileSync(join(folder, ...path), 'utf8').trim();
    } catch {
      return undefined;
    }
  };
  const head = read('HEAD');
  if (head === undefined) return undefined;
  const reference = /^ref: (.+)$/u.exec(head)?.[1];
  const commit =
    reference === undefined
      ? head
      : (read(...reference.split('/')) ??
        read('packed-refs')
          ?.split('\n')
          .find((line) => line.endsWith(` ${reference}`))
          ?.split(' ')[0]);
  return commit !== undefined && /^[0-9a-f]{40,64}$/u.test(commit) ? commit : undefined;
}
