/** What a package carries: complete, nothing more, and able to run where nothing else is installed. */
import { spawn, spawnSync } from 'node:child_process';
import type { SpawnSyncReturns } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepsOfPackage, NOT_CARRIED, ownFiles, ROOT } from '../../.ci/package/contents.ts';
import type { Carried } from '../../.ci/package/contents.ts';
import { lacking } from '../../.ci/package/lacking.ts';
import { carriedNode, contentsOf, stage } from '../../.ci/package/stage.ts';
import type { Stage } from '../../.ci/package/stage.ts';
import { filesUnder, specifiersOf } from '../architecture/sources.ts';

const target = { platform: process.platform, arch: process.arch };
const folder = mkdtempSync(join(tmpdir(), 'sweeplab-package-'));
const { packages, files } = contentsOf(ROOT, false);
/** The built interface is not what is tested here: one page stands for it. */
const PAGE = '<!doctype html><title>Sweeplab</title>';
let carried: Carried[];
let staged: Stage;

const put = (path: string, text: string): string => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
  return join(folder, path);
};

/** Links are made many times faster than copies of a hundred megabytes; not across disks. */
function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

beforeAll(async () => {
  const page = put('made/index.html', PAGE);
  const main = put('made/index.js', '');
  carried = [
    ...files,
    { place: 'app', file: main, to: 'out/main/index.js' },
    { place: 'app', file: page, to: 'out/renderer/index.html' },
    { place: 'lab', file: page, to: 'out/renderer/index.html' },
  ];
  staged = await stage(join(folder, 'stage'), carried, { target, copy: linkOrCopy });
});
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

const sourcesOf = (all: readonly Carried[]): Carried[] =>
  all.filter(({ place, to }) => place === 'lab' && /^(?:main|preload)\/.*\.(?:ts|js)$/u.test(to));

describe('what a package carries', () => {
  it('has every file that one of its files names (would catch a worker that is left behind)', () => {
    const there = new Set(files.map(({ to }) => to));
    const missing = sourcesOf(files).flatMap(({ file, to }) => {
      const text = readFileSync(file, 'utf8');
      const workers = [...text.matchAll(/new URL\('(\.[^']*\.ts)', import\.meta\.url\)/gu)].map(([, name]) => name);
      return [...specifiersOf(text).filter((name) => name.startsWith('.')), ...workers]
        .map((name) => join(dirname(to), name).replaceAll('\\', '/'))
        .filter((name) => !there.has(name))
        .map((name) => `${to} names ${name}`);
    });
    expect(missing).toEqual([]);
    for (const entry of ['main/cli/bin.js', 'main/app/labMain.ts', 'resources/gpus.yaml', 'LICENSE'])
      expect(there).toContain(entry);
  });

  it('is the app where it was built, and its archive holds nothing else', () => {
    const root = join(folder, 'house');
    for (const path of ['out/main/index.js', 'out/preload/index.cjs', 'out/renderer/assets/a.js', 'main/app/window.ts'])
      put(join('house', path), '');
    const own = ownFiles(root).map(({ place, to }) => `${place} ${to}`);
    expect(own.sort()).toEqual([
      'app out/main/index.js',
      'app out/preload/index.cjs',
      'app out/renderer/assets/a.js',
      'lab out/renderer/assets/a.js',
    ]);
  });

  it('has neither what builds it nor what tests it (would catch a package that grows unseen)', () => {
    const names = packages.map(({ name }) => name);
    for (const name of [...Object.keys(NOT_CARRIED), 'vitest', 'electron-builder', 'vue', 'node-gyp', 'typescript'])
      expect(names).not.toContain(name);
    expect(files.filter(({ to }) => /^(?:test|\.ci|renderer)\/|\.(?:cc|cu|map|d\.ts)$/u.test(to))).toEqual([]);
    const bytes = files.reduce((sum, { file }) => sum + statSync(file).size, 0);
    expect(bytes).toBeLessThan(100e6);
  });

  it('keeps the licence of every package that has one', () => {
    for (const path of ['LICENSE', 'license.md', 'LICENCE.txt', 'NOTICE', 'package.json'])
      expect(keepsOfPackage('echarts', path), path).toBe(true);
    expect(keepsOfPackage('echarts', 'types/core.d.ts')).toBe(false);
    expect(keepsOfPackage('echarts', 'dist/echarts.js')).toBe(false);
  });

  it('lies in the stage as it is listed, with Node beside it', () => {
    const found = (place: string): string[] =>
      walk(place).map((path) => path.slice(place.length + 1).replaceAll('\\', '/'));
    const listed = (place: string): string[] => carried.filter((each) => each.place === place).map(({ to }) => to);
    expect(found(staged.app).sort()).toEqual([...listed('app'), 'package.json'].sort());
    expect(found(staged.lab).sort()).toEqual([...listed('lab'), 'package.json'].sort());
    const windows = process.platform === 'win32';
    expect(readdirSync(staged.resources).sort()).toEqual(
      ['LICENSE.node.txt', 'lab', windows ? 'node.exe' : 'node', windows ? 'sweeplab.cmd' : 'sweeplab'].sort(),
    );
  });
});

/** As `filesUnder`, which passes over folders that git ignores. */
const walk = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? walk(join(path, entry.name)) : [join(path, entry.name)],
  );

/** Three processes that begin from nothing, on a machine that has other work too. */
const PATIENCE = { timeout: 300_000 };

describe('a package where nothing else is installed', PATIENCE, () => {
  const environment = (): Record<string, string> => ({
    PATH: process.env.PATH ?? '',
    HOME: folder,
    SWEEPLAB_HOME: join(folder, 'lab'),
    ...(process.env.SystemRoot === undefined ? {} : { SystemRoot: process.env.SystemRoot }),
    ...(process.env.NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }),
  });
  const node = (): string => join(staged.resources, process.platform === 'win32' ? 'node.exe' : 'node');
  const BIN = (): string[] => ['--disable-warning=ExperimentalWarning', join(staged.lab, 'main/cli/bin.js')];
  const run = (args: readonly string[]): SpawnSyncReturns<string> =>
    spawnSync(node(), args, { cwd: folder, env: environment(), encoding: 'utf8' });

  it('loads every package that its sources name (would catch a file of a package that was left out)', () => {
    const named = sourcesOf(carried)
      .flatMap(({ file }) => specifiersOf(readFileSync(file, 'utf8')))
      .filter((name) => /^[@a-z]/u.test(name) && !name.startsWith('node:'))
      .filter((name) => !Object.keys(NOT_CARRIED).some((each) => name === each || name.startsWith(`${each}/`)))
      .filter((name) => !/\/types\//u.test(name));
    const script = put(
      'stage/resources/lab/load.mjs',
      `for (const name of ${JSON.stringify([...new Set(named)])}) await import(name);`,
    );
    const ran = run([script]);
    rmSync(script);
    expect(ran.status, ran.stderr).toBe(0);
    expect(named.length).toBeGreaterThan(20);
  });

  /** The command line that a package brings. */
  const command = (...args: string[]): SpawnSyncReturns<string> =>
    process.platform === 'win32'
      ? run([...BIN(), ...args])
      : spawnSync(join(staged.resources, 'sweeplab'), args, { cwd: folder, env: environment(), encoding: 'utf8' });

  it('trains and draws from the terminal (would catch a resource that is looked for in the checkout)', () => {
    const trained = command(
      'train',
      '--recipe',
      'quick',
      '--model.depth',
      '1',
      '--model.width',
      '16',
      '--stop.steps',
      '2',
      '--name',
      'packaged',
    );
    expect(trained.stderr + trained.stdout).toContain('finished: stop.steps reached');
    const picture = join(folder, 'a.pdf');
    const drawn = command('plot', 'packaged', '--out', picture);
    expect(drawn.status, drawn.stderr + drawn.stdout).toBe(0);
    expect(readFileSync(picture, 'latin1')).toMatch(/^%PDF/u);
  });

  it('advises what can be done with it (would catch a word of npm, which is not there)', () => {
    const looked = command('doctor', '--json');
    const { findings } = JSON.parse(looked.stdout) as { findings: { name: string; advice?: string }[] };
    expect(findings.length).toBeGreaterThan(8);
    expect(findings.filter(({ name, advice }) => name !== 'CUDA kernels' && /\bnpm\b/u.test(advice ?? ''))).toEqual([]);
    const gpu = findings.find(({ name }) => name === 'Executor tfjs-gpu');
    expect(gpu?.advice).toContain('packages leave it out');
  });

  it('serves the interface', async () => {
    const child = spawn(node(), [...BIN(), 'serve', '--no-open', '--port', '0', '--json'], {
      cwd: folder,
      env: environment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const said = await new Promise<string>((resolve) => {
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
        if (text.includes('"port"')) resolve(text);
      });
      void ended.then(() => resolve(text));
    });
    const url = /http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]+/u.exec(said)?.[0];
    expect(url, said).toBeDefined();
    const first = await fetch(url!, { redirect: 'manual' });
    const cookie = first.headers.get('set-cookie')!.split(';')[0];
    const page = await fetch(new URL('/', url), { headers: { cookie } });
    expect(await page.text()).toBe(PAGE);
    child.kill('SIGTERM');
    await ended;
  });
});

describe('packaging', () => {
  it('says what is missing and how to get it (would catch a build that ends in a stack trace)', () => {
    const bare = join(folder, 'bare');
    mkdirSync(bare);
    const lacks = lacking(bare, { platform: 'linux', arch: 'x64' });
    expect(lacks.map(({ what }) => what.split(' ')[0])).toEqual(["Electron's", 'Node', 'the']);
    for (const { mend } of lacks) expect(mend).toMatch(/^np[mx] /u);
    expect(lacking(bare, { platform: 'win32', arch: 'x64' })).toHaveLength(2);
  });

  it('finds the Node of this platform, which npm installed', () => {
    expect(existsSync(carriedNode(target) ?? '')).toBe(true);
    expect(carriedNode({ platform: 'linux', arch: 'none' })).toBeUndefined();
  });

  it('has rules for files that are there (would catch a rule that was not told of a move)', () => {
    expect(filesUnder(join(ROOT, 'resources/cuda')).length).toBeGreaterThan(0);
    for (const path of ['main/app/labMain.ts', 'main/app/frames.ts', 'resources/recipes/quick.yaml'])
      expect(files.map(({ to }) => to)).toContain(path);
  });
});
