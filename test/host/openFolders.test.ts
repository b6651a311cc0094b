import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OpenFolders } from '../../main/host/openFolders.ts';
import type { OpenFoldersOptions } from '../../main/host/openFolders.ts';
import { builtInRegistry } from '../../main/lab/settings/index.ts';
import { labPaths } from '../../main/host/paths.ts';

let folder: string;
const at = (...path: string[]): string => join(folder, ...path);
const { specs } = builtInRegistry();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sweeplab-open-'));
  for (const name of ['home', 'texts', 'texts/inner', 'secret', 'texts-of-others']) mkdirSync(at(name));
  for (const name of [
    'home/a.txt',
    'home/serving.json',
    'texts/a.txt',
    'texts/inner/b.txt',
    'secret/key.txt',
    'texts-of-others/c.txt',
  ])
    writeFileSync(at(name), 'text');
  symlinkSync(at('secret'), at('texts/out'));
  symlinkSync(at('texts'), at('in'));
  symlinkSync(at('home/serving.json'), at('texts/note.txt'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const opened = (options: Partial<OpenFoldersOptions> = {}): OpenFolders =>
  new OpenFolders({ paths: labPaths(at('home')), specs, allowed: [at('texts')], isKnown: () => false, ...options });
const reads = (folders: OpenFolders, corpus: string): Promise<void> =>
  folders.assert({ values: { 'data.corpus': corpus } });

describe('what pages may have read', () => {
  it.each([
    ['stories'],
    ['tinyshakespeare'],
    ['hf:owner/name'],
    ['home/a.txt'],
    ['texts'],
    ['texts/a.txt'],
    ['texts/**/*.txt'],
    ['texts/not-there.txt'],
    ['in/a.txt'],
  ])('%s: yes', async (corpus) => {
    await reads(opened(), /[/.]|texts/u.test(corpus) && !corpus.startsWith('hf:') ? at(corpus) : corpus);
  });

  it.each([
    ['a folder that is not open', 'secret/key.txt'],
    ['nothing (would tell which files there are)', 'secret/nothing.txt'],
    ['the way up', 'texts/../secret/key.txt'],
    ['a link out of an open folder', 'texts/out/key.txt'],
    ['a glob through it', 'texts/out/*.txt'],
    ['a glob over everything', '*/key.txt'],
    ['a name that begins alike', 'texts-of-others/c.txt'],
    ['the keys in the data folder', 'home/serving.json'],
    ['the keys by a link', 'texts/note.txt'],
  ])('%s: no', async (_, corpus) => {
    for (const path of [at(corpus), relative(process.cwd(), at(corpus))])
      await expect(reads(opened(), path)).rejects.toMatchObject({
        code: 'denied',
        message: expect.stringContaining('--allow'),
      });
  });

  it.each(['/etc/passwd', '/proc/self/environ', '/dev/zero', '/'])('%s: no', async (path) => {
    await expect(reads(opened(), path)).rejects.toMatchObject({ code: 'denied' });
  });

  it('looks at every place that can name a file (would catch a second door)', async () => {
    const path = at('secret', 'key.txt');
    const draft = { recipe: null, settings: {}, parameters: {} };
    const namings: Parameters<OpenFolders['assert']>[0][] = [
      { values: { 'data.validation_path': path } },
      { recipe: at('secret', 'r.yaml') },
      { draft: { ...draft, recipe: at('secret', 'r.yml') } },
      { draft: { ...draft, settings: { 'data.corpus': path } } },
      { draft: { ...draft, parameters: { 'data.corpus': { values: ['stories', path] } } } },
      { draft: { ...draft, parameters: { 'data.validation_path': { value: path } } } },
    ];
    for (const naming of namings) await expect(opened().assert(naming)).rejects.toMatchObject({ code: 'denied' });
    await opened().assert({ values: { 'schedule.kind': path }, recipe: 'quick', draft });
  });

  it('texts of runs that were launched go on being read, by their whole path alone', async () => {
    const path = at('secret', 'key.txt');
    const folders = opened({ isKnown: (_, value) => value === path || value === 'secret.txt' });
    await reads(folders, path);
    expect(folders.reachFor({ 'data.corpus': path, 'data.validation_path': '' })).toBeUndefined();
    await expect(reads(folders, 'secret.txt')).rejects.toMatchObject({ code: 'denied' });
    expect(folders.reachFor({ 'data.corpus': at('texts') })?.within).toEqual([at('home'), at('texts')]);
  });

  it('asks the person at the machine once, and takes a no for a no', async () => {
    const asked: string[] = [];
    const folders = opened({ ask: async (path) => asked.push(path) > 0 && path === at('secret') });
    await reads(folders, at('secret', '*.txt'));
    await reads(folders, at('secret', 'key.txt'));
    for (let i = 0; i < 3; i++) await expect(reads(folders, '/etc/passwd')).rejects.toMatchObject({ code: 'denied' });
    await expect(reads(folders, at('home', 'serving.json'))).rejects.toMatchObject({ code: 'denied' });
    expect(asked).toEqual([at('secret'), '/etc/passwd']);
  });
});
