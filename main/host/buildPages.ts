/** The interface is built from its sources when it is first needed, and again when they are newer. */
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Folder of the built interface. */
export const PAGES = join(ROOT, 'out', 'renderer');

/** What the interface is made of. */
const SOURCES = ['renderer', 'preload/contract', 'resources/guide', 'package.json'];

/** Whether it has to be built: it is missing, or a source is newer. Without sources (a package) what is there is used. */
export async function needsBuild(root: string = ROOT): Promise<boolean> {
  const page = join(root, 'out', 'renderer', 'index.html');
  if (!existsSync(join(root, 'renderer', 'vite.config.ts'))) return false;
  if (!existsSync(page)) return true;
  const built = (await stat(page)).mtimeMs;
  const newest = await Promise.all(SOURCES.map((source) => newestOf(join(root, source))));
  return Math.max(...newest) > built;
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
