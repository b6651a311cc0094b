/** The source files of the house, what each imports, and circles among them. Shared by the guards of this folder. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const IGNORED: ReadonlySet<string> = new Set(['node_modules', 'out', 'dist', 'build']);

/** All files under `folder`, with their folders; without what git ignores. */
export function filesUnder(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return IGNORED.has(entry.name) ? [] : filesUnder(path);
    return [path];
  });
}

/** From the root of the house, with `/` on every system. */
export const nameOf = (path: string): string => relative(ROOT, path).split(sep).join('/');

export interface Source {
  /** `main/host/lab.ts` */
  readonly name: string;
  readonly text: string;
  /** As written: `./x.ts`, `node:fs`, `vue`. */
  readonly specifiers: readonly string[];
  /** Of those, the files of the house, by name. */
  readonly imports: readonly string[];
}

/** Without comments, so that an import in an example is none. */
export const codeOf = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\//gu, '').replaceAll(/^\s*\/\/.*$/gmu, '');

/** Module specifiers of static imports, re-exports, `require` and dynamic imports with a fixed text. */
export function specifiersOf(text: string): string[] {
  const found = codeOf(text).matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)['"]([^'"]+)['"]/gu);
  return [...found].map(([, specifier]) => specifier);
}

function read(path: string): Source {
  const text = readFileSync(path, 'utf8');
  const specifiers = specifiersOf(text);
  const own = specifiers.filter((specifier) => specifier.startsWith('.'));
  return { name: nameOf(path), text, specifiers, imports: own.map((each) => nameOf(resolve(dirname(path), each))) };
}

export const sources: readonly Source[] = ['main', 'preload', 'renderer']
  .flatMap((folder) => filesUnder(join(ROOT, folder)))
  .filter((path) => /\.(ts|js|vue)$/u.test(path))
  .map(read);

export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** The sets of nodes that reach each other (Tarjan's strongly connected components), those of one node left out; each sorted. */
export function circlesOf(graph: Graph): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const path: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): void => {
    order.set(node, order.size);
    lowest.set(node, order.get(node)!);
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) {
        visit(next);
        lowest.set(node, Math.min(lowest.get(node)!, lowest.get(next)!));
      } else if (path.includes(next)) lowest.set(node, Math.min(lowest.get(node)!, order.get(next)!));
    }
    if (lowest.get(node) !== order.get(node)) return;
    const circle = path.splice(path.indexOf(node));
    if (circle.length > 1) found.push(circle.sort());
  };
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return found.sort(([a], [b]) => a.localeCompare(b));
}

/**
 * For each folder, what lies directly in it and imports each other: a folder counts as one node there, a file as one. So `ops/` may use
 * the types of the file `operation.ts` beside it, and `index.ts` may put `ops/` and others together, but nothing may lead back.
 */
export function levelsOf(files: readonly Pick<Source, 'name' | 'imports'>[]): ReadonlyMap<string, Graph> {
  const known = new Set(files.map(({ name }) => name));
  const levels = new Map<string, Map<string, Set<string>>>();
  for (const { name, imports } of files)
    for (const target of imports) {
      if (!known.has(target) || target === name) continue;
      const from = name.split('/');
      const to = target.split('/');
      const depth = from.findIndex((part, i) => part !== to[i]);
      const level = from.slice(0, depth).join('/');
      const graph = levels.get(level) ?? new Map<string, Set<string>>();
      levels.set(level, graph);
      for (const node of [from[depth], to[depth]]) if (!graph.has(node)) graph.set(node, new Set());
      graph.get(from[depth])!.add(to[depth]);
    }
  return levels;
}
