/**
 * `npx node test/gpu/pack.ts FOLDER`: everything that `npm run test:gpu` needs on a bare Linux machine besides this tree: Node, the packages that the engine
 * imports, the losses of the CPU executor, and a script that runs the session with them: `bash FOLDER/run.sh [options of the session]`. Nothing is downloaded, here or there.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openCpuExecutor } from '../../main/engine/executors/cpu/index.ts';
import { referenceRun } from './reference.ts';
import type { Reference } from './reference.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const MODULES = join(ROOT, 'node_modules');
/** Packages that the engine imports when it trains natively. */
const PACKAGES = [
  'koffi',
  'zod',
  'yaml',
  'jsep',
  'papaparse',
  'yauzl',
  'hyparquet',
  'hyparquet-compressors',
  'hyparquet-writer',
  'xz-decompress',
];

/** Packages with those that they need. */
function withDependencies(names: readonly string[], found = new Set<string>()): string[] {
  for (const name of names) {
    if (found.has(name) || !existsSync(join(MODULES, name))) continue;
    found.add(name);
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
      readFileSync(join(MODULES, name, 'package.json'), 'utf8'),
    ) as Record<'dependencies' | 'optionalDependencies', Record<string, string> | undefined>;
    withDependencies([...Object.keys(dependencies), ...Object.keys(optionalDependencies)], found);
  }
  return [...found];
}

const SCRIPT = `#!/bin/bash
# Unpacks what was carried along and runs the session on a GPU. Options go to it.
set -e
here="$(cd "$(dirname "$0")" && pwd)"
tree="\${SWEEPLAB_TREE:-$PWD}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
xz -dc "$here/node.xz" > "$work/node" && chmod +x "$work/node"
mkdir "$work/tree"
cp -r "$tree/main" "$tree/preload" "$tree/resources" "$tree/test" "$tree/package.json" "$work/tree/"
tar -xJf "$here/packages.tar.xz" -C "$work/tree"
# What is found, and paths among the options, are those of whoever calls: the tree goes.
export INIT_CWD="$PWD" OUT="\${OUT:-$PWD}"
export HOME="$work" PATH="$work:$PATH" SWEEPLAB_COMMIT="$(cat "$here/commit")"
if [ -d "$here/carried" ]; then cp -r "$here/carried" "$work/tree/test/gpu/"; fi
cd "$work/tree" && "$work/node" --disable-warning=ExperimentalWarning test/gpu/session.ts "$@"
`;

const [given] = process.argv.slice(2);
if (given === undefined) {
  console.error('node test/gpu/pack.ts FOLDER: which folder?');
  process.exit(2);
}
const folder = resolve(given);
mkdirSync(folder, { recursive: true });
const packages = withDependencies(PACKAGES).map((name) => join('node_modules', name));
execFileSync('tar', ['-cJf', join(folder, 'packages.tar.xz'), ...packages], { cwd: ROOT });
const node = join(folder, 'node.xz');
rmSync(node, { force: true });
execFileSync('bash', ['-c', 'xz -3 -c "$1" > "$2"', 'bash', realpathSync(process.execPath), node]);
writeFileSync(join(folder, 'commit'), execFileSync('git', ['rev-parse', 'HEAD'], { cwd: ROOT }));
const carried = join(folder, 'carried');
mkdirSync(carried, { recursive: true });
const references: Record<string, Reference> = {};
for (const policy of ['fp32', 'bf16']) {
  const scratch = mkdtempSync(join(tmpdir(), 'sweeplab-reference-'));
  references[policy] = await referenceRun(openCpuExecutor(), { policy, steps: 50, folder: scratch });
  rmSync(scratch, { recursive: true, force: true });
}
writeFileSync(join(carried, 'training.json'), JSON.stringify(references));
writeFileSync(join(folder, 'run.sh'), SCRIPT);
chmodSync(join(folder, 'run.sh'), 0o755);
