/**
 * Where NVIDIA's libraries may lie: the driver's (libcuda, nvcuda), and cuBLASLt, which is used where a program put it. Functions of what
 * they are given of a machine, so that every kind of machine can be made up; `surroundings.ts` is this one.
 *
 * Each place that is looked at is one {@link Look}, in the order in which they count: the first library that loads is taken, the rest is
 * never looked at. Windows gets whole paths only, because it would look for a bare name in places that anybody may write to.
 */
import { posix, win32 } from 'node:path';

export interface Surroundings {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Sweeplab's data folder, where `sweeplab setup cuda` puts cuBLASLt. */
  readonly dataFolder?: string;
  /** Names in a folder; none where it cannot be read. */
  list(folder: string): readonly string[];
  /** Folders of packages of a Python, which is asked; none where it is not there, fails or takes too long. */
  sitePackages(command: readonly string[]): Promise<readonly string[]>;
}

export interface Look {
  /** What led there, for people: `CUDA_PATH`. */
  readonly from: string;
  /** The library: a whole path, or a name that the system's loader looks up. Where nothing lies: the folder. */
  readonly path: string;
  /** The CUDA that it belongs to; null for the driver's own, and where nothing lies. */
  readonly major: number | null;
  /** `found` means worth loading. */
  readonly state: 'found' | 'skipped' | 'absent';
  /** Why it is not used; empty where it is found. */
  readonly why: string;
}

/** Folders in which libraries are looked for before anywhere else, as PATH lists them. */
export const FIRST_FOLDERS = 'SWEEPLAB_CUDA_LIBRARIES';

/** `off`: cuBLASLt is not used, wherever it lies. */
export const CUBLAS_SWITCH = 'SWEEPLAB_CUBLASLT';

/** Versions of cuBLASLt whose calls are known here, the newest first. */
const KNOWN_MAJORS: readonly number[] = [13, 12];

const isWindows = ({ platform }: Surroundings): boolean => platform === 'win32';
const pathsOf = (here: Surroundings): typeof posix => (isWindows(here) ? win32 : posix);
/** `\folder` would mean the drive of the current folder. */
const isWhole = (here: Surroundings, path: string): boolean =>
  isWindows(here) ? /^(?:[a-z]:[\\/]|\\\\[^\\])/iu.test(path) : posix.isAbsolute(path);

/** A folder to look in, or a sentence on why not. */
interface Place {
  readonly from: string;
  readonly folder: string;
  readonly refused?: string;
}

/** The folders that a variable names, each whole. */
function named(here: Surroundings, variable: string, inside: readonly string[] = ['']): Place[] {
  const { join, delimiter } = pathsOf(here);
  const given = here.env[variable] ?? '';
  const folders = variable === FIRST_FOLDERS ? given.split(delimiter) : [given];
  return folders
    .filter((folder) => folder !== '')
    .flatMap((folder): Place[] =>
      isWhole(here, folder)
        ? inside.map((part) => ({ from: variable, folder: join(folder, part) }))
        : [{ from: variable, folder, refused: 'not a whole path' }],
    );
}

// --- the driver ---

/** Where the driver's library may be, best first. Nothing on systems without CUDA. */
export function* driverLooks(here: Surroundings): Generator<Look> {
  const { join } = pathsOf(here);
  if (isWindows(here)) {
    const name = 'nvcuda.dll';
    for (const place of named(here, FIRST_FOLDERS)) yield lookFor(here, place, name);
    const root = here.env.SystemRoot ?? here.env.SYSTEMROOT ?? '';
    yield lookFor(
      here,
      { from: 'System32', folder: join(isWhole(here, root) ? root : 'C:\\Windows', 'System32') },
      name,
    );
    return;
  }
  if (here.platform !== 'linux') return;
  const name = 'libcuda.so.1';
  for (const place of named(here, FIRST_FOLDERS)) yield lookFor(here, place, name);
  yield { from: 'the system', path: name, major: null, state: 'found', why: '' };
  // Where the loader is not told of it: WSL, NixOS, containers.
  for (const folder of ['/usr/lib/wsl/lib', '/run/opengl-driver/lib', '/usr/local/nvidia/lib64'])
    yield lookFor(here, { from: 'a usual folder', folder }, name);
}

function lookFor(here: Surroundings, { from, folder, refused }: Place, name: string): Look {
  if (refused !== undefined) return { from, path: folder, major: null, state: 'skipped', why: refused };
  if (!here.list(folder).includes(name)) return { from, path: folder, major: null, state: 'absent', why: `no ${name}` };
  return { from, path: pathsOf(here).join(folder, name), major: null, state: 'found', why: '' };
}

// --- cuBLASLt ---

/** Where the wheels of pip put libraries, under a folder of packages. */
const inPackages = (here: Surroundings): readonly string[] =>
  isWindows(here)
    ? ['nvidia/cu13/bin/x86_64', 'nvidia/cublas/bin', 'torch/lib']
    : ['nvidia/cu13/lib', 'nvidia/cublas/lib', 'torch/lib'];

const inToolkit = (here: Surroundings): readonly string[] =>
  isWindows(here)
    ? ['bin/x64', 'bin']
    : ['lib64', 'lib', `targets/${here.arch === 'arm64' ? 'sbsa' : 'x86_64'}-linux/lib`];

/**
 * Where cuBLASLt may be, best first. A Python is only asked when whoever looks has come so far.
 *
 * @param driverMajor CUDA that the driver runs (`cuDriverGetVersion` ÷ 1000): a library of a later one never works; null: not known
 */
export async function* cublasLooks(here: Surroundings, driverMajor: number | null): AsyncGenerator<Look> {
  if (!isWindows(here) && here.platform !== 'linux') return;
  const asked = here.env[CUBLAS_SWITCH] ?? '';
  if (asked !== '') {
    const why = asked === 'off' ? 'it is off' : `it is ${JSON.stringify(asked)}; off is all that it can be`;
    yield { from: CUBLAS_SWITCH, path: 'cuBLASLt', major: null, state: 'skipped', why };
    if (asked === 'off') return;
  }
  const seen = new Set<string>();
  for await (const place of cublasPlaces(here, driverMajor)) {
    const looks = 'path' in place ? [place] : looksIn(here, place, driverMajor);
    for (const look of looks) {
      if (seen.has(look.path)) continue;
      seen.add(look.path);
      yield look;
    }
  }
}

async function* cublasPlaces(here: Surroundings, driverMajor: number | null): AsyncGenerator<Place | Look> {
  const { join } = pathsOf(here);
  yield* named(here, FIRST_FOLDERS);
  if (here.dataFolder !== undefined)
    for (const major of KNOWN_MAJORS)
      yield { from: 'sweeplab setup cuda', folder: join(here.dataFolder, 'cuda', `${major}`) };
  for (const variable of ['VIRTUAL_ENV', 'CONDA_PREFIX']) {
    const [place] = named(here, variable);
    if (place === undefined) continue;
    if (place.refused !== undefined) yield place;
    else for (const folder of packagesUnder(here, place.folder)) yield* wheels(here, variable, folder);
  }
  yield* named(here, 'CONDA_PREFIX', [isWindows(here) ? 'Library/bin' : 'lib']);
  // LD_LIBRARY_PATH and the cache of the loader. Windows would look in the current folder and in PATH.
  if (!isWindows(here))
    for (const major of KNOWN_MAJORS) yield judged('the system', cublasName(here, major), major, driverMajor);
  for (const variable of ['CUDA_PATH', 'CUDA_HOME']) yield* named(here, variable, inToolkit(here));
  yield* toolkits(here);
  for (const command of isWindows(here) ? [['py', '-3'], ['python']] : [['python3'], ['python']])
    for (const folder of await here.sitePackages(command))
      if (isWhole(here, folder)) yield* wheels(here, command.join(' '), folder);
}

const wheels = (here: Surroundings, from: string, packages: string): Place[] =>
  inPackages(here).map((part) => ({ from, folder: pathsOf(here).join(packages, part) }));

/** Folders of packages of an environment: one for each Python in it. */
function packagesUnder(here: Surroundings, root: string): string[] {
  const { join } = pathsOf(here);
  if (isWindows(here)) return [join(root, 'Lib', 'site-packages')];
  const versions = here.list(join(root, 'lib')).filter((name) => name.startsWith('python3'));
  return versions.toSorted(newestFirst).map((name) => join(root, 'lib', name, 'site-packages'));
}

/** Toolkits where NVIDIA's installers put them, the newest first. */
function toolkits(here: Surroundings): Place[] {
  const { join } = pathsOf(here);
  const inside = (root: string): Place[] =>
    inToolkit(here).map((part) => ({ from: 'CUDA toolkit', folder: join(root, part) }));
  if (isWindows(here)) {
    const programs = here.env.ProgramFiles ?? here.env.PROGRAMFILES ?? '';
    const folder = join(
      isWhole(here, programs) ? programs : 'C:\\Program Files',
      'NVIDIA GPU Computing Toolkit',
      'CUDA',
    );
    const versions = here.list(folder).filter((name) => /^v\d/u.test(name));
    return versions.toSorted(newestFirst).flatMap((name) => inside(join(folder, name)));
  }
  const versions = here.list('/usr/local').filter((name) => /^cuda-\d/u.test(name));
  return [
    ...inside('/usr/local/cuda'),
    ...versions.toSorted(newestFirst).flatMap((name) => inside(join('/usr/local', name))),
    ...inside('/opt/cuda'),
  ];
}

const newestFirst = (a: string, b: string): number => b.localeCompare(a, 'en', { numeric: true });

/** How the file of a version is called. */
export const cublasName = ({ platform }: Pick<Surroundings, 'platform'>, major: number): string =>
  platform === 'win32' ? `cublasLt64_${major}.dll` : `libcublasLt.so.${major}`;

/** Every version of cuBLASLt in a folder, those that may work first; or that there is none. */
function looksIn(here: Surroundings, { from, folder, refused }: Place, driverMajor: number | null): Look[] {
  if (refused !== undefined) return [{ from, path: folder, major: null, state: 'skipped', why: refused }];
  const pattern = isWindows(here) ? /^cublasLt64_(\d+)\.dll$/iu : /^libcublasLt\.so\.(\d+)$/u;
  const looks = here.list(folder).flatMap((name): Look[] => {
    const major = pattern.exec(name)?.[1];
    return major === undefined ? [] : [judged(from, pathsOf(here).join(folder, name), Number(major), driverMajor)];
  });
  if (looks.length === 0) return [{ from, path: folder, major: null, state: 'absent', why: 'no cuBLASLt' }];
  return looks.toSorted((a, b) => b.major! - a.major!);
}

function judged(from: string, path: string, major: number, driverMajor: number | null): Look {
  const why = !KNOWN_MAJORS.includes(major)
    ? `of CUDA ${major}; Sweeplab knows ${KNOWN_MAJORS.toReversed().join(' and ')}`
    : driverMajor !== null && major > driverMajor
      ? `of CUDA ${major}, and this driver runs up to ${driverMajor}`
      : '';
  return { from, path, major, state: why === '' ? 'found' : 'skipped', why };
}

// --- loading ---

export interface Found<T> {
  /** The first that loaded; undefined: none did. */
  readonly library?: T;
  readonly look?: Look;
  /** Everything that was looked at, in order, with the reasons. */
  readonly looks: readonly Look[];
}

/** Loads the first library that can be loaded. @param load throws where it cannot */
export async function firstThatLoads<T>(
  looks: Iterable<Look> | AsyncIterable<Look>,
  load: (path: string) => T,
): Promise<Found<T>> {
  const seen: Look[] = [];
  for await (const look of looks) {
    if (look.state !== 'found') {
      seen.push(look);
      continue;
    }
    try {
      const library = load(look.path);
      seen.push(look);
      return { library, look, looks: seen };
    } catch (error) {
      seen.push({ ...look, state: 'skipped', why: (error as Error).message.split('\n')[0] });
    }
  }
  return { looks: seen };
}
