/** Which file answers an address of the app's own scheme. */
import { realpath, stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { isOwn } from './origin.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.md': 'text/markdown; charset=utf-8',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};

export interface Page {
  readonly path: string;
  readonly type: string;
}

/**
 * The file of `address` under `root`, or undefined, which means 404: for addresses of others, for anything that leads out of the
 * folder (`..`, encoded separators, links in the file system), for hidden files, folders and kinds of files that no page needs.
 */
export async function findPage(root: string, address: string): Promise<Page | undefined> {
  if (!isOwn(address)) return undefined;
  const { pathname } = new URL(address);
  let segments: string[];
  try {
    segments = pathname.slice(1).split('/').map(decodeURIComponent);
  } catch {
    return undefined;
  }
  if (segments.length === 1 && segments[0] === '') segments = ['index.html'];
  // The parser has resolved plain `..`; what is left came in disguise. No file of a build begins with a dot.
  if (segments.some((part) => part === '' || part.startsWith('.') || /[/\\:%\0]/u.test(part))) return undefined;
  const type = TYPES[extname(segments.at(-1)!).toLowerCase()];
  if (type === undefined) return undefined;
  try {
    const folder = await realpath(root);
    const path = await realpath(join(folder, ...segments));
    if (!path.startsWith(folder + sep) || !(await stat(path)).isFile()) return undefined;
    return { path, type };
  } catch {
    return undefined;
  }
}
