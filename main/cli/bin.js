#!/usr/bin/env node
/**
 * The `sweeplab` command. Plain JavaScript, so that a Node too old for TypeScript can still run it: such a Node hands over to
 * the Node 24 that npm installed beside Sweeplab (an optional dependency), or says what to do.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const main = join(here, 'main.ts');
const OLDEST_NODE = 24;
const OLDEST_SQLITE = '3.51.3';

/** @param {string} version @param {string} oldest */
function isAtLeast(version, oldest) {
  const a = version.split('.').map(Number);
  const b = oldest.split('.').map(Number);
  for (let i = 0; i < b.length; i++) if (a[i] !== b[i]) return a[i] > b[i];
  return true;
}

/** Runs TypeScript directly and carries an SQLite without the corruption bug of older ones. */
function suits() {
  const { node, sqlite } = process.versions;
  return Number(node.split('.')[0]) >= OLDEST_NODE && sqlite !== undefined && isAtLeast(sqlite, OLDEST_SQLITE);
}

/** The Node that npm installed as an optional dependency: in `.bin`, or in the package of this platform. */
function findNode() {
  const windows = process.platform === 'win32';
  const packages = [`node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`];
  packages.push(packages[0].replace('node-', 'node-bin-'));
  const asked = process.env.SWEEPLAB_NODE;
  if (asked !== undefined && asked !== '') return asked;
  // The folder itself and every parent: Sweeplab may be a dependency of another project.
  for (let folder = here; ; folder = dirname(folder)) {
    const modules = join(folder, 'node_modules');
    const candidates = packages.map((name) => join(modules, name, 'bin', windows ? 'node.exe' : 'node'));
    candidates.push(join(modules, '.bin', windows ? 'node.exe' : 'node'));
    const found = candidates.find((path) => existsSync(path) && !sameFile(path));
    if (found !== undefined) return found;
    if (dirname(folder) === folder) return undefined;
  }
}

/** True for the Node that runs now: handing over to it would never end. */
function sameFile(path) {
  return path === process.execPath;
}

if (suits()) {
  const { emitWarning } = process;
  // Node calls its SQLite experimental at every start; the rest of the warnings stays.
  process.emitWarning = (warning, ...rest) => {
    const type = typeof rest[0] === 'object' ? rest[0]?.type : rest[0];
    if (type !== 'ExperimentalWarning') emitWarning.call(process, warning, ...rest);
  };
  // Compiled code is kept in the system's temporary folder, which halves the time of a start.
  (await import('node:module')).enableCompileCache?.();
  const { run } = await import(pathToFileURL(main).href).catch((error) => {
    // What says so elsewhere cannot be opened either.
    if (!/EMFILE|too many open files/.test(error.message)) throw error;
    process.stderr.write(
      'sweeplab: this process has too many files open (ulimit -n): allow more, such as with ulimit -n 1024\n',
    );
    return { run: () => (process.exitCode = 1) };
  });
  await run(process.argv.slice(2));
} else if (process.env.SWEEPLAB_HANDED_OVER !== undefined) {
  refuse('The Node found beside Sweeplab is too old as well.');
} else {
  const node = findNode();
  if (node === undefined) refuse('None was found beside Sweeplab.');
  else handOver(node);
}

/** @param {string} node */
function handOver(node) {
  const child = spawn(
    node,
    ['--disable-warning=ExperimentalWarning', fileURLToPath(import.meta.url), ...process.argv.slice(2)],
    {
      stdio: 'inherit',
      env: { ...process.env, SWEEPLAB_HANDED_OVER: '1' },
    },
  );
  // The command takes two of the same signal within half a second for one: a terminal sends Ctrl-C to both processes. On Windows a
  // console does so too, and a signal that is passed on there would end the command before it has saved anything.
  const pass = process.platform === 'win32' ? () => {} : (signal) => child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, pass);
  child.on('error', (error) => refuse(`${node} cannot be started: ${error.message}.`));
  child.on('exit', (code, signal) => {
    if (signal !== null) {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    } else process.exit(code ?? 1);
  });
}

/** @param {string} why */
function refuse(why) {
  const { version } = JSON.parse(readFileSync(join(here, '../../package.json'), 'utf8'));
  process.stderr.write(
    `Sweeplab ${version} needs Node ${OLDEST_NODE} with SQLite ${OLDEST_SQLITE} or newer; this is Node ${process.versions.node}` +
      `${process.versions.sqlite ? ` with SQLite ${process.versions.sqlite}` : ''}. ${why}\n` +
      'Install it with `npm install` in the folder of Sweeplab (it brings its own Node), or get the latest Node 24 from https://nodejs.org.\n',
  );
  process.exitCode = 2;
}
