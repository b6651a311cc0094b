/** Lays out what a package carries in a folder: what goes into the archive, what lies beside it, and the pictures of the icon. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { importedPackages, ownFiles, packageFiles, ROOT, withDependencies } from './contents.ts';
import type { Carried, Package } from './contents.ts';
import { icnsOf, icoOf, iconPictures } from './icon.ts';

export interface Target {
  readonly platform: string;
  readonly arch: string;
}

/** Folders of a stage. */
export interface Stage {
  /** Becomes the archive. */
  readonly app: string;
  /** The resources of the installed app, beside the archive: the lab, and Node. */
  readonly resources: string;
  readonly lab: string;
  /** What only the building needs: pictures of the icon. */
  readonly build: string;
}

const stageAt = (folder: string): Stage => ({
  app: join(folder, 'app'),
  resources: join(folder, 'resources'),
  lab: join(folder, 'resources', 'lab'),
  build: join(folder, 'build'),
});

export interface Contents {
  readonly packages: readonly Package[];
  readonly files: readonly Carried[];
}

/** What is carried from this checkout as it is built now; see `ownFiles`. */
export function contentsOf(root: string = ROOT, built = true): Contents {
  const own = ownFiles(root, built);
  const packages = withDependencies(importedPackages(own, root), root);
  return { packages, files: [...own, ...packageFiles(packages, root)] };
}

/** The Node that the lab runs on: npm's package of it for this platform. Undefined where it is not installed. */
export function carriedNode({ platform, arch }: Target, root: string = ROOT): string | undefined {
  const name = `node-${platform === 'win32' ? 'win' : platform}-${arch}`;
  const file = join('bin', platform === 'win32' ? 'node.exe' : 'node');
  return [name, name.replace('node-', 'node-bin-')]
    .map((each) => join(root, 'node_modules', each, file))
    .find((path) => existsSync(path));
}

export interface Staging {
  readonly root?: string;
  readonly target: Target;
  /** Where newer versions are announced; without one nobody is asked. */
  readonly feed?: string | undefined;
  /** Another way to have a file in a second place, where neither is written to. */
  readonly copy?: (from: string, to: string) => void;
}

/** Copies everything into `folder`, which must not exist yet. */
export async function stage(
  folder: string,
  files: readonly Carried[],
  { root = ROOT, target, feed, copy = copyFileSync }: Staging,
): Promise<Stage> {
  mkdirSync(folder, { recursive: false });
  const made = stageAt(folder);
  for (const place of Object.values(made)) mkdirSync(place, { recursive: true });
  for (const { place, file, to } of files) copyTo(file, join(made[place], ...to.split('/')), copy);
  const { name, version, description, license } = manifestOf(root);
  const shared = { name, version, description, license, private: true, type: 'module', author: 'Sweeplab' };
  writeJson(join(made.app, 'package.json'), { ...shared, productName: 'Sweeplab', main: 'out/main/index.js' });
  writeJson(join(made.lab, 'package.json'), { ...shared, ...(feed === undefined ? {} : { feed }) });

  const node = carriedNode(target, root);
  if (node === undefined) throw new Error(`npm has no Node for ${target.platform} ${target.arch} installed here.`);
  const windows = target.platform === 'win32';
  copyTo(node, join(made.resources, windows ? 'node.exe' : 'node'), copy);
  copyTo(join(dirname(dirname(node)), 'LICENSE'), join(made.resources, 'LICENSE.node.txt'), copy);
  const [script, text] = windows ? (['sweeplab.cmd', COMMAND_WINDOWS] as const) : (['sweeplab', COMMAND] as const);
  writeFileSync(join(made.resources, script), text);
  chmodSync(join(made.resources, script), 0o755);

  const pictures = await iconPictures(readFileSync(join(root, 'renderer/public/icon.svg'), 'utf8'));
  mkdirSync(join(made.build, 'icons'));
  for (const [size, png] of pictures) writeFileSync(join(made.build, 'icons', `${size}x${size}.png`), png);
  writeFileSync(join(made.build, 'icon.ico'), icoOf(pictures));
  writeFileSync(join(made.build, 'icon.icns'), icnsOf(pictures));
  return made;
}

/** The command line of an installed app. */
const COMMAND = `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
exec "$here/node" --disable-warning=ExperimentalWarning "$here/lab/main/cli/bin.js" "$@"
`;
const COMMAND_WINDOWS = `@"%~dp0node.exe" --disable-warning=ExperimentalWarning "%~dp0lab\\main\\cli\\bin.js" %*\r\n`;

export const manifestOf = (
  root: string = ROOT,
): Readonly<Record<'name' | 'version' | 'description' | 'license', string>> =>
  JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

function copyTo(from: string, to: string, copy: (from: string, to: string) => void): void {
  mkdirSync(dirname(to), { recursive: true });
  copy(from, to);
}

const writeJson = (path: string, value: unknown): void => writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
