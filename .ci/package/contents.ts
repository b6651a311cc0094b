/** What a package of the desktop app carries, and where. The rules of this file are the manifest: staging copies by them, tests compare by them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');

/** `app`: the archive that Electron loads, whose integrity is checked. `lab`: beside it, for plain Node, which cannot look into an archive. */
export type Place = 'app' | 'lab';

interface Part {
  readonly place: Place;
  /** From the root of the house; a folder is taken with all below it. */
  readonly from: string;
  /** Of its files, by their path from the root with `/`; all where it is left out. */
  readonly keep?: (path: string) => boolean;
}

/** Parts of the desktop's side that the lab's process is made of; the others are bundled into the archive. */
const LAB_OF_APP = /^main\/app\/(?:labMain|frames|labMessages)\.ts$/u;
const isCode = (path: string): boolean => /(?<!\.d)\.(?:ts|js)$/u.test(path);
/** Kernels are carried built; what builds them is not. */
const isBuilder = (path: string): boolean => /^main\/engine\/native\/(?:cuda\/|build|notBuilt)/u.test(path);

const PARTS: readonly Part[] = [
  { place: 'app', from: 'out/main' },
  { place: 'app', from: 'out/preload' },
  { place: 'app', from: 'out/renderer' },
  {
    place: 'lab',
    from: 'main',
    keep: (path) => isCode(path) && !isBuilder(path) && (!path.startsWith('main/app/') || LAB_OF_APP.test(path)),
  },
  { place: 'lab', from: 'main/engine/native/build/Release/sweeplab.node' },
  { place: 'lab', from: 'preload', keep: (path) => isCode(path) && path !== 'preload/index.ts' },
  { place: 'lab', from: 'resources/recipes', keep: (path) => path.endsWith('.yaml') },
  { place: 'lab', from: 'resources/cuda', keep: (path) => !path.endsWith('.md') },
  { place: 'lab', from: 'resources/gpus.yaml' },
  // The interface, with the guide built into it, for browsers.
  { place: 'lab', from: 'out/renderer' },
  { place: 'lab', from: 'LICENSE' },
];

/** Imported by the sources and not carried. */
export const NOT_CARRIED: Readonly<Record<string, string>> = {
  electron: 'the app itself',
  'electron-vite': 'makes the app from sources',
  vite: 'makes the interface from sources',
  '@tensorflow/tfjs-node-gpu': 'a library of 500 MB for one executor of four, which CUDA without it outruns',
};

/** Of packages that carry much more than one way to load them. */
const ONLY: Readonly<Record<string, RegExp>> = {
  '@tensorflow/tfjs-core': /^dist\/tf-core\.node\.js$/u,
  '@tensorflow/tfjs-backend-cpu': /^dist\/tf-backend-cpu\.node\.js$/u,
  '@tensorflow/tfjs-backend-wasm': /^(?:dist\/tf-backend-wasm\.node\.js|(?:dist|wasm-out)\/[^/]+\.wasm)$/u,
  '@resvg/resvg-wasm': /^(?:index\.(?:js|mjs)|index_bg\.wasm)$/u,
  echarts: /^(?:lib\/|[^/]+\.js$)/u,
  'gpt-tokenizer': /^esm\/bpeRanks\/r50k_base\.js$/u,
  koffi: /\.c?js$/u,
  pdfkit: /^js\//u,
  zod: /^(?!src\/)/u,
};
/** Written for people who develop with a package, not for those who run it. */
const UNUSED =
  /\.(?:map|md|markdown|flow|ts|mts|cts|tsbuildinfo)$|^(?:docs?|tests?|__tests__|examples?|benchmarks?)\/|(?:^|\/)\./iu;
/** Whatever else is left out, these go with a package. */
const ALWAYS = /^(?:package\.json|(?:licen[cs]e|notice|copying)[^/]*)$/iu;

/** Whether a file of a package is carried; `path` from the package's folder with `/`. */
export const keepsOfPackage = (name: string, path: string): boolean =>
  ALWAYS.test(path) || (!UNUSED.test(path) && (ONLY[name]?.test(path) ?? true));

const slashed = (path: string): string => path.split(sep).join('/');

/** All files under `folder`, or itself where it is one; sorted, without what lies in `node_modules`. */
function filesOf(folder: string): string[] {
  const walk = (path: string): string[] =>
    readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
      if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : walk(join(path, entry.name));
      return entry.isFile() ? [join(path, entry.name)] : [];
    });
  if (!existsSync(folder)) return [];
  return readdirSync(dirname(folder), { withFileTypes: true }).some(
    (entry) => entry.isFile() && join(dirname(folder), entry.name) === folder,
  )
    ? [folder]
    : walk(folder).sort();
}

export interface Carried {
  readonly place: Place;
  /** Where it lies, whole. */
  readonly file: string;
  /** Under its place, with `/`. */
  readonly to: string;
}

const BUILT = 'out/';

/** Files of the house. @param built false: without the app and its pages, which others may be building just now */
export function ownFiles(root: string = ROOT, built = true): Carried[] {
  return PARTS.filter(({ from }) => built || !from.startsWith(BUILT)).flatMap(({ place, from, keep }) =>
    filesOf(join(root, from))
      .map((file) => ({ place, file, to: slashed(relative(root, file)) }))
      .filter(({ to }) => keep?.(to) ?? true),
  );
}

const NAMED = /(?:\bfrom|\bimport|\)|\brequire|\.resolve)\s*\(?\s*'((?:@[a-z\d-]+\/)?[a-z\d][\w.-]*)/gu;

/** Packages that the carried sources name, those that are not carried left out. */
export function importedPackages(files: readonly Carried[], root: string = ROOT): string[] {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, object>;
  const listed = new Set(Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }));
  const named = files
    .filter(({ place, to }) => place === 'lab' && isCode(to) && !to.startsWith(BUILT))
    .flatMap(({ file }) => [...withoutComments(readFileSync(file, 'utf8')).matchAll(NAMED)].map(([, name]) => name));
  return [...new Set(named)].filter((name) => listed.has(name) && !(name in NOT_CARRIED)).sort();
}

const withoutComments = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\//gu, '').replaceAll(/^\s*\/\/.*$/gmu, '');

export interface Package {
  readonly name: string;
  readonly version: string;
  /** From the root, with `/`: `node_modules/yaml`. */
  readonly folder: string;
}

/** Packages with those that they need, as Node finds them: one of another version lies within the package that needs it. */
export function withDependencies(names: readonly string[], root: string = ROOT): Package[] {
  const found = new Map<string, Package>();
  const add = (name: string, from: string, optional: boolean): void => {
    const folder = locate(name, from);
    if (folder === undefined) {
      // Of another platform, mostly.
      if (optional) return;
      throw new Error(`The package ${name}, needed in ${from}, is not installed: run npm ci.`);
    }
    const key = slashed(relative(root, folder));
    if (found.has(key)) return;
    const text = readFileSync(join(folder, 'package.json'), 'utf8');
    const {
      version,
      dependencies = {},
      optionalDependencies = {},
    } = JSON.parse(text) as {
      version: string;
      dependencies?: Record<string, string>;
      optionalDependencies?: Record<string, string>;
    };
    found.set(key, { name, version, folder: key });
    for (const each of Object.keys(dependencies)) add(each, folder, each in optionalDependencies);
    for (const each of Object.keys(optionalDependencies)) add(each, folder, true);
  };
  for (const name of names) add(name, root, false);
  return [...found.values()].sort((a, b) => (a.folder < b.folder ? -1 : 1));
}

function locate(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, 'node_modules', name);
    if (existsSync(join(path, 'package.json'))) return path;
    if (dirname(folder) === folder) return undefined;
  }
}

export function packageFiles(packages: readonly Package[], root: string = ROOT): Carried[] {
  return packages.flatMap(({ name, folder }) => {
    const base = join(root, folder);
    return filesOf(base)
      .filter((file) => keepsOfPackage(name, slashed(relative(base, file))))
      .map((file) => ({ place: 'lab' as const, file, to: slashed(relative(root, file)) }));
  });
}
