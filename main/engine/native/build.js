// Builds the native kernels with node-gyp against the headers that come with the Node 24 package; nothing is downloaded.
//
//   node main/engine/native/build.js             fails when the build fails
//   node main/engine/native/build.js --optional  for `npm install`: says what is missing and succeeds
//
// Plain JavaScript, because an install may start it with an older Node than the one that runs TypeScript.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashOfSources } from './sources.js';
import { notBuilt } from './notBuilt.js';

const folder = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(folder, '../../..');
const optional = process.argv.includes('--optional');
const extra = process.argv.slice(2).filter((argument) => argument !== '--optional');

/** The package of Node itself that matches this machine; it carries `include/node`. */
function nodePackage() {
  for (const name of [`node-${process.platform}-${process.arch}`, `node-bin-${process.platform}-${process.arch}`]) {
    const dir = path.join(root, 'node_modules', name);
    if (existsSync(path.join(dir, 'include/node/node_api.h'))) return dir;
  }
  return undefined;
}

function stop(reason) {
  console.error(notBuilt(reason, process.platform));
  process.exit(optional ? 0 : 1);
}

if (process.platform === 'win32') stop('there are none for Windows yet');

let gyp;
try {
  gyp = createRequire(path.join(root, 'package.json')).resolve('node-gyp/bin/node-gyp.js');
} catch {
  stop('node-gyp is not installed');
}
const headers = nodePackage();
if (headers === undefined) stop('the Node 24 package with its headers is not installed');
const own = path.join(headers, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const node = existsSync(own) ? own : process.execPath;
const jobs = String(Math.max(1, cpus().length));
const stamp = `--native_sources=${hashOfSources(folder)}`;
const run = spawnSync(
  node,
  [gyp, 'rebuild', '--silent', '-C', folder, `--nodedir=${headers}`, stamp, '-j', jobs, ...extra],
  {
    stdio: optional ? ['ignore', 'ignore', 'pipe'] : 'inherit',
    encoding: 'utf8',
  },
);
if (run.status !== 0) {
  const lines = (run.stderr ?? '').split('\n').filter((line) => /error|not found|find Python|ERR/i.test(line));
  stop(run.error?.message ?? lines[0] ?? 'node-gyp failed');
}
