/**
 * The files of the built interface, as every host serves them: which file answers a path, of which kind it is, and what a page may load
 * and do. Anything that leads out of the folder does not exist.
 */
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

export interface PageFile {
  readonly path: string;
  readonly type: string;
  readonly bytes: number;
}

/**
 * The file of a URL path under `root`; undefined means 404: for `..` however it is written, for links that lead out, for hidden
 * files, folders, and kinds of files that no page needs.
 */
export async function findPageFile(root: string, pathname: string): Promise<PageFile | undefined> {
  let segments: string[];
  try {
    segments = pathname.slice(1).split('/').map(decodeURIComponent);
  } catch {
    return undefined;
  }
  if (segments.length === 1 && segments[0] === '') segments = ['index.html'];
  // A parser of URLs has resolved plain `..`; what is left came in disguise. No file of a build begins with a dot.
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

/**
 * What a page may load and do: its own scripts, styles, images and fonts, and nothing else. Styles of elements are set by scripts
 * through the object model, which no policy limits, so that none has to be allowed in the page's text.
 * @param connect where it may connect to beside its own origin
 * @param scripts which scripts it runs
 */
export function contentSecurityPolicy(connect: readonly string[] = [], scripts = "'self'"): string {
  return [
    "default-src 'none'",
    `script-src ${scripts}`,
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    ["connect-src 'self'", ...connect].join(' '),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** Sent with every answer. */
export const pageHeaders = (policy: string): Readonly<Record<string, string>> => ({
  'Content-Security-Policy': policy,
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
});
