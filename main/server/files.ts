/** Which file answers a path of the interface. Anything that leads out of its folder does not exist. */
import { realpath, stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.md': 'text/markdown; charset=utf-8',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};

export interface ServedFile {
  readonly path: string;
  readonly type: string;
  readonly bytes: number;
}

/**
 * The file of a URL path under `root`; undefined means 404: for `..` however it is written, for links that lead out, for hidden
 * files, folders, and kinds of files that no page needs.
 */
export async function findFile(root: string, pathname: string): Promise<ServedFile | undefined> {
  let segments: string[];
  try {
    segments = pathname.slice(1).split('/').map(decodeURIComponent);
  } catch {
    return undefined;
  }
  if (segments.length === 1 && segments[0] === '') segments = ['index.html'];
  if (segments.some((part) => part === '' || part.startsWith('.') || /[/\\:%\0]/u.test(part))) return undefined;
  const type = TYPES[extname(segments.at(-1)!).toLowerCase()];
  if (type === undefined) return undefined;
  try {
    const folder = await realpath(root);
    const path = await realpath(join(folder, ...segments));
    const found = await stat(path);
    if (!path.startsWith(folder + sep) || !found.isFile()) return undefined;
    return { path, type, bytes: found.size };
  } catch {
    return undefined;
  }
}
