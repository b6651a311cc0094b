/** The interface is built from its sources when it is first needed, and again when they are newer. */
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Folder of the built interface. */
export const PAGES = join(ROOT, 'out', 'renderer');

/** What the interface is made of. */
const PAGE_SOURCES = [
  'renderer',
  'preload/charts',
  'preload/contract',
  'preload/shared',
  'resources/guide',
  'package.json',
];
/** What the desktop app is made of beside it. */
const APP_SOURCES = ['main/app', 'main/host', 'main/files', 'preload', 'electron.vite.config.ts'];

/** Whether the interface has to be built: it is missing, or a source is newer. Without sources (a package) what is there is used. */
export async function needsBuild(root: string = ROOT): Promise<boolean> {
  if (!existsSync(join(root, 'renderer', 'vite.config.ts'))) return false;
  return await isOlder(root, ['renderer/index.html'], PAGE_SOURCES);
}

/** As `needsBuild`, of the desktop app with its interface. */
export async function needsAppBuild(root: string = ROOT): Promise<boolean> {
  if (!existsSync(join(root, 'electron.vite.config.ts'))) return false;
  const built = ['main/index.js', 'preload/index.cjs', 'renderer/index.html'];
  return await isOlder(root, built, [...PAGE_SOURCES, ...APP_SOURCES]);
}

/** True when something of `built` (in `out`) is missing, or older than the newest of the sources. */
async function isOlder(root: string, built: readonly string[], sources: readonly string[]): Promise<boolean> {
  const found = await Promise.all(built.map((name) => stat(join(root, 'out', name)).catch(() => undefined)));
  if (found.includes(undefined)) return true;
  const newest = await Promise.all(sources.map((source) => newestOf(join(root, source))));
  return Math.max(...newest) > Math.min(...found.map((each) => each!.mtimeMs));
}

/** @throws an Error with the builder's own words */
export async function buildPages(root: string = ROOT): Promise<void> {
  const { build } = await import('vite');
  await build({ configFile: join(root, 'renderer', 'vite.config.ts'), logLevel: 'error' });
}

async function newestOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return 0;
  if (!found.isDirectory()) return found.mtimeMs;
  const names = await readdir(path);
  return Math.max(0, ...(await Promise.all(names.map((name) => newestOf(join(path, name))))));
}
