import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { needsAppBuild, needsBuild } from '../../main/host/buildPages.ts';
import { sources } from '../architecture/sources.ts';

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'sweeplab-build-'))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** @param at seconds */
function file(name: string, at: number): void {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '');
  utimesSync(path, at, at);
}

const OUTPUT = ['out/main/index.js', 'out/preload/index.cjs', 'out/renderer/index.html'];

/** What the named files and those that they import are built from: one file of each folder. */
function builtFrom(names: readonly string[]): string[] {
  const imports = new Map(sources.map((source) => [source.name, source.imports]));
  const found = new Set(names);
  for (const name of found) for (const imported of imports.get(name) ?? []) found.add(imported);
  return [...new Map([...found].map((name) => [dirname(name), name])).values()];
}

/** Those of the files that nobody notices when they are newer than the output. */
async function missedBy(needs: typeof needsBuild, names: readonly string[]): Promise<string[]> {
  file('renderer/vite.config.ts', 10);
  file('electron.vite.config.ts', 10);
  for (const name of OUTPUT) file(name, 20);
  const missed: string[] = [];
  for (const name of names) {
    file(name, 30);
    if (!(await needs(root))) missed.push(name);
    file(name, 10);
  }
  return missed;
}

describe('what was built', () => {
  it('is built when it is missing, and is left alone while nothing is newer (would catch a build at every start)', async () => {
    file('renderer/vite.config.ts', 10);
    file('electron.vite.config.ts', 10);
    expect([await needsBuild(root), await needsAppBuild(root)]).toEqual([true, true]);
    for (const name of OUTPUT) file(name, 20);
    expect([await needsBuild(root), await needsAppBuild(root)]).toEqual([false, false]);
    rmSync(join(root, 'out/preload/index.cjs'));
    expect([await needsBuild(root), await needsAppBuild(root)]).toEqual([false, true]);
  });

  it.each([
    ['renderer/views/start/StartView.vue', true, true],
    ['preload/contract/api.ts', true, true],
    ['preload/shared/format.ts', true, true],
    ['resources/guide/metrics.md', true, true],
    ['main/app/window.ts', false, true],
    ['main/host/pageFiles.ts', false, true],
    ['main/files/atomic.ts', false, true],
    ['preload/index.ts', false, true],
    ['main/engine/graph/graph.ts', false, false],
  ])(
    'is old when %s is newer (would catch an app that shows what was changed long ago)',
    async (source, pages, app) => {
      file('renderer/vite.config.ts', 10);
      file('electron.vite.config.ts', 10);
      for (const name of OUTPUT) file(name, 20);
      file(source, 30);
      expect([await needsBuild(root), await needsAppBuild(root)]).toEqual([pages, app]);
    },
  );

  it('is old when anything that it is made of is newer (would catch a folder that is imported and never looked at)', async () => {
    const pages = builtFrom(sources.map(({ name }) => name).filter((name) => name.startsWith('renderer/')));
    expect(pages.map((name) => dirname(name))).toContain('preload/shared');
    expect(await missedBy(needsBuild, pages)).toEqual([]);
    const app = builtFrom(['main/app/index.ts', 'preload/index.ts']);
    expect(app.map((name) => dirname(name))).toContain('main/files');
    expect(await missedBy(needsAppBuild, [...pages, ...app])).toEqual([]);
  });

  it('is used as it is where there are no sources (would catch a package that wants to build itself)', async () => {
    file('out/renderer/index.html', 10);
    expect([await needsBuild(root), await needsAppBuild(root)]).toEqual([false, false]);
  });
});
