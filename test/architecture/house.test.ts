/** The rules of the house that no compiler checks: who may import whom, what lies at the top, sizes, folder descriptions. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesUnder, IGNORED, ROOT, sources } from './sources.ts';

const MOST_LINES = 600;

/** What lies at the top by the owner's decision. Dot files and what git ignores come on top of it. */
const TOP_LEVEL = new Set([
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'electron.vite.config.ts',
  'main',
  'renderer',
  'preload',
  'resources',
  'test',
  'README.md',
  'LICENSE',
]);

/** For each part, the parts that it may import (itself always). The first match counts, so longer prefixes stand first. */
const SHARED = ['preload/contract', 'preload/shared'];
const CHARTS = [...SHARED, 'preload/charts'];
const FILES = [...SHARED, 'main/files'];
const ALLOWED: readonly (readonly [string, readonly string[]])[] = [
  ['preload/contract', []],
  ['preload/shared', ['preload/contract']],
  ['preload/charts', SHARED],
  ['preload', ['preload/contract']],
  ['renderer', [...CHARTS, 'preload']],
  ['main/files', []],
  ['main/engine', FILES],
  ['main/store', FILES],
  ['main/lab', [...FILES, 'preload/charts', 'main/store', 'main/engine']],
  ['main/endpoint', [...FILES, 'main/store', 'main/lab']],
  ['main/host', [...FILES, 'preload/charts', 'main/store', 'main/engine', 'main/lab', 'main/endpoint']],
  [
    'main/cli',
    [...FILES, 'preload/charts', 'main/store', 'main/engine', 'main/lab', 'main/endpoint', 'main/host', 'main/server'],
  ],
  ['main/server', [...FILES, 'main/store', 'main/engine', 'main/lab', 'main/host']],
  ['main/app', [...FILES, 'main/store', 'main/engine', 'main/lab', 'main/host']],
];

const partOf = (file: string): string | undefined =>
  ALLOWED.find(([part]) => file === part || file.startsWith(`${part}/`))?.[0];

describe('the architecture', () => {
  it('has source files to check (would catch a check that looks at nothing)', () => {
    expect(sources.length).toBeGreaterThan(100);
    expect(sources.find(({ name }) => name === 'main/host/lab.ts')?.specifiers).toContain('../store/index.ts');
  });

  it('imports files that exist (would catch a view that was not told of a move)', () => {
    const missing = sources.flatMap(({ name, imports }) =>
      imports
        .filter((target) => !target.startsWith('out/') && !existsSync(join(ROOT, target)))
        .map((target) => `${name} imports ${target}`),
    );
    expect(missing).toEqual([]);
  });

  it('imports only in the allowed directions (would catch an engine that knows the database, or a cycle between parts)', () => {
    const wrong = sources.flatMap(({ name, imports }) => {
      const part = partOf(name);
      if (part === undefined) return [`${name} belongs to no part of the house`];
      const allowed = [part, ...ALLOWED.find(([each]) => each === part)![1]];
      return imports
        .filter((target) => {
          const targetPart = partOf(target);
          // package.json is read, not imported; anything else outside the parts is a mistake.
          return targetPart === undefined || !allowed.includes(targetPart);
        })
        .map((target) => `${name} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it('knows Electron only in main/app and the preload bridge (would catch a command line that needs a display)', () => {
    const electron = sources
      .filter(({ specifiers }) => specifiers.some((specifier) => /^electron(\/|$)/u.test(specifier)))
      .map(({ name }) => name)
      .filter((file) => !file.startsWith('main/app/') && file !== 'preload/index.ts');
    expect(electron).toEqual([]);
  });

  it('keeps Node and the page out of what both sides load (would catch a file that one of them cannot load)', () => {
    const FOREIGN = { 'preload/shared/': /^(node:|vue$|pinia$|echarts)/u, 'preload/charts/': /^(node:|vue$|pinia$)/u };
    const wrong = sources
      .flatMap((source) =>
        Object.entries(FOREIGN).flatMap(([part, foreign]) =>
          source.name.startsWith(part) ? [{ ...source, foreign }] : [],
        ),
      )
      .flatMap(({ name, text, specifiers, foreign }) => {
        const found = specifiers.filter((specifier) => foreign.test(specifier));
        const globals = [...text.matchAll(/(?<![./])\b(?:process|Buffer|document|window)\.\w+/gu)].map(([use]) => use);
        return [...found, ...globals].map((use) => `${name} uses ${use}`);
      });
    expect(wrong).toEqual([]);
  });

  it('keeps the database out of everything but store, and node:sqlite out of all but store and the engine lock', () => {
    const users = sources.filter(({ specifiers }) => specifiers.includes('node:sqlite')).map(({ name }) => name);
    expect(users.filter((file) => !file.startsWith('main/store/') && file !== 'main/files/folderLock.ts')).toEqual([]);
  });

  it('has nothing else at the top level', () => {
    const entries = readdirSync(ROOT).filter(
      (entry) => !entry.startsWith('.') && !IGNORED.has(entry) && !entry.endsWith('.log'),
    );
    expect(entries.filter((entry) => !TOP_LEVEL.has(entry))).toEqual([]);
  });

  it(`has no file of ${MOST_LINES} lines or more`, () => {
    const long = sources
      .map(({ name, text }) => ({ file: name, lines: text.split('\n').length }))
      .filter(({ lines }) => lines >= MOST_LINES);
    expect(long).toEqual([]);
  });

  it('describes every main folder in a README.md', () => {
    const folders = [
      'main',
      'preload',
      'main/app',
      'main/cli',
      'main/files',
      'main/host',
      'main/server',
      'main/store',
      'main/engine',
      'renderer',
    ];
    for (const parent of ['main/lab', 'main/engine', 'renderer']) {
      for (const entry of readdirSync(join(ROOT, parent))) {
        const folder = `${parent}/${entry}`;
        const described = entry !== 'public' && statSync(join(ROOT, folder)).isDirectory();
        if (described && filesUnder(join(ROOT, folder)).length > 0) folders.push(folder);
      }
    }
    const missing = folders.filter((folder) => !existsSync(join(ROOT, folder, 'README.md')));
    expect(missing).toEqual([]);
  });
});
