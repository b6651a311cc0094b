/**
 * `npm run package`: the desktop app as packages of this platform. They are there whole or not at all.
 *
 *     npm run package                     AppImage and deb, NSIS, or dmg, in dist/package
 *     npm run package -- --dir            the unpacked app alone, for which no further tool is fetched
 *     npm run package -- --out FOLDER     elsewhere
 *     npm run package -- --feed ADDRESS   with somebody who says when there is a newer version; without, the app asks nobody
 */
import { createHash } from 'node:crypto';
import {
  cpSync,
  createReadStream,
  mkdtempSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { feedProblem } from '../../main/host/updates.ts';
import { configuration } from './builder.ts';
import { NOT_CARRIED, ROOT } from './contents.ts';
import { electronFolder, lacking, TOOLS } from './lacking.ts';
import { contentsOf, manifestOf, stage } from './stage.ts';

const DIST = join(ROOT, 'dist');
const target = { platform: process.platform, arch: process.arch };

function refuse(message: string): never {
  console.error(message);
  process.exit(1);
}

const { values } = parseArgs({
  options: { dir: { type: 'boolean', default: false }, out: { type: 'string' }, feed: { type: 'string' } },
});
const OUTPUT = resolve(values.out ?? join(DIST, 'package'));

const wrong = values.feed === undefined ? undefined : feedProblem(values.feed);
if (wrong !== undefined) {
  console.error(`--feed: ${wrong}`);
  process.exit(2);
}

const lacks = lacking(ROOT, target);
if (lacks.length > 0)
  refuse(
    [
      'Nothing was packaged. Missing here:',
      ...lacks.map(({ what, mend }) => `  ${what}\n    → ${mend}`),
      'Then run npm run package again.',
    ].join('\n'),
  );

console.log('Building the app …');
const built = spawnSync(process.execPath, [join(ROOT, 'node_modules/electron-vite/bin/electron-vite.js'), 'build'], {
  cwd: ROOT,
  stdio: ['ignore', 'ignore', 'inherit'],
});
if (built.status !== 0) refuse('Nothing was packaged: the app cannot be built; what failed stands above.');

mkdirSync(DIST, { recursive: true });
const work = mkdtempSync(join(DIST, 'packaging-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
try {
  const contents = contentsOf();
  const staged = await stage(join(work, 'stage'), contents.files, { target, feed: values.feed });
  const output = join(work, 'output');
  const { build } = await import('electron-builder');
  const { version } = manifestOf(join(ROOT, 'node_modules', 'electron'));
  const config = configuration({ stage: staged, output, version, electron: electronFolder(ROOT)! });
  await build({ projectDir: staged.app, config, dir: values.dir, publish: 'never' });
  rmSync(OUTPUT, { recursive: true, force: true });
  if (values.dir) cpSync(output, OUTPUT, { recursive: true, verbatimSymlinks: true });
  else await keepPackages(output);
  report(contents.packages.length);
} catch (error) {
  refuse(
    `Nothing was packaged: ${(error as Error).message}\n` +
      `electron-builder fetches the tools of a kind of package when it first makes one, from ${TOOLS}.\n` +
      'Where that cannot be reached: name a mirror in ELECTRON_BUILDER_BINARIES_MIRROR, or make the unpacked app alone: npm run package -- --dir',
  );
}

/** The packages with their checksums, all at once. */
async function keepPackages(output: string): Promise<void> {
  const names = readdirSync(output).filter((name) => /\.(?:AppImage|deb|exe|dmg)$/u.test(name));
  const ready = join(work, 'ready');
  mkdirSync(ready);
  const sums: string[] = [];
  for (const name of names) {
    renameSync(join(output, name), join(ready, name));
    const hash = createHash('sha256');
    await pipeline(createReadStream(join(ready, name)), hash);
    sums.push(`${hash.digest('hex')}  ${name}\n`);
  }
  writeFileSync(join(ready, `SHA256SUMS-${target.platform}-${target.arch}`), sums.join(''));
  renameSync(ready, OUTPUT);
}

function report(packages: number): void {
  for (const name of readdirSync(OUTPUT)) {
    const { size } = statSync(join(OUTPUT, name));
    console.log(`${name}${values.dir ? '' : `  ${(size / 1e6).toFixed(1)} MB`}`);
  }
  console.log(`In ${OUTPUT}; ${packages} packages of npm within. Not carried:`);
  for (const [name, why] of Object.entries(NOT_CARRIED)) console.log(`  ${name}: ${why}`);
}
