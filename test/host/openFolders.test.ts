import assert from 'node:assert';
import { homedir } from 'node:os';
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
    'home/wandb.json',
    'texts/a.txt',
    'texts/inner/b.txt',
    'secret/key.txt',
    'texts-of-others/c.txt',
  ])
    writeFileSync(at(name), 'text');
  symlinkSync(at('secret'), at('texts/out'));
  symlinkSync(at('texts'), at('in'));
  symlinkSync(at('home/serving.json'), at('texts/note.txt'));
  symlinkSync('/dev/zero', at('texts/zero'));
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
    ['https://example.org/a.txt'],
    ['home/a.txt'],
    ['texts'],
    ['texts/a.txt'],
    ['texts/**/*.txt'],
    ['texts/not-there.txt'],
    ['in/a.txt'],
  ])('%s: yes', async (corpus) => {
    await reads(opened(), /[/.]|texts/u.test(corpus) && !/^(hf|https):/u.test(corpus) ? at(corpus) : corpus);
  });

  it('a folder whose name has characters of a glob, where it is open', async () => {
    mkdirSync(at('gl[1]'));
    writeFileSync(at('gl[1]/a.txt'), 'text');
    const folders = opened({ allowed: [at('gl[1]')] });
    for (const path of ['gl[1]', 'gl[1]/a.txt', 'gl[1]/*.txt']) await reads(folders, at(path));
    for (const path of ['gl[1]/../secret/*.txt', 'gl[2]/*.txt', '*/a.txt'])
      await expect(reads(folders, at(path))).rejects.toMatchObject({ code: 'denied' });
    // What a refusal says does not tell which folders there are.
    const told = async (name: string): Promise<string> =>
      await reads(opened(), at(name, '*.txt')).then(
        () => 'read',
        (error: Error) => error.message.replaceAll(name, ''),
      );
    expect(await told('gl[1]')).toBe(await told('gl[3]'));
    expect(await told('gl[1]')).toContain('pages may not read');
  });

  it.each([
    ['a folder that is not open', 'secret/key.txt'],
    ['nothing (would tell which files there are)', 'secret/nothing.txt'],
    ['the way up', 'texts/../secret/key.txt'],
    ['a link out of an open folder', 'texts/out/key.txt'],
    ['a glob through it', 'texts/out/*.txt'],
    ['a glob over everything', '*/key.txt'],
    ['a name that begins alike', 'texts-of-others/c.txt'],
  ])('%s: no', async (_, corpus) => {
    for (const path of [at(corpus), relative(process.cwd(), at(corpus))])
      await expect(reads(opened(), path)).rejects.toMatchObject({
        code: 'denied',
        message: expect.stringContaining('--allow'),
      });
  });

  it.each([
    ['the keys in the data folder', 'home/serving.json', /holds keys .* never read/u],
    ['the keys of browsers', 'home/browsers.json', /holds keys .* never read/u],
    ['the key of scripts', 'home/wandb.json', /holds keys .* never read/u],
    ['the keys by a link', 'texts/note.txt', /holds keys .* never read/u],
    ['a device', '/dev/zero', /part of the system .* never read/u],
    ['a device by a link', 'texts/zero', /part of the system .* never read/u],
    ['all devices', '/dev/*', /part of the system .* never read/u],
    ['a process', '/proc/self/environ', /part of the system .* never read/u],
    ['~', '~/texts/a.txt', new RegExp(`write the whole path, such as ${join(homedir(), 'texts/a.txt')}`, 'u')],
    ['~ alone', '~', /write the whole path/u],
  ])(
    '%s: never, without advice that would not help (would catch --allow for what stays closed)',
    async (_, path, why) => {
      const whole = /^[/~]/u.test(path) ? path : at(path);
      for (const options of [{}, { ask: () => assert.fail('nobody is asked') }, { allowed: ['/', at('texts')] }]) {
        const found = await reads(opened(options), whole).catch((error: Error) => error);
        expect(found).toMatchObject({ code: 'denied', message: expect.stringMatching(why) });
        expect((found as Error).message).not.toContain('--allow');
      }
    },
  );

  it('names where a link in an open folder leads, and only there (would catch advice to open what is open)', async () => {
    await expect(reads(opened(), at('texts/out/key.txt'))).rejects.toThrow(
      `It is a link to ${at('secret/key.txt')}, out of what was opened. To open that, end Sweeplab and start it with: ` +
        `sweeplab serve --allow ${JSON.stringify(at('secret'))}`,
    );
    // The same words whether a place that is closed has a link or nothing.
    const words = async (path: string): Promise<string> =>
      String(await reads(opened({ allowed: [] }), at(path)).catch(({ message }: Error) => message)).replaceAll(
        path,
        'X',
      );
    expect(await words('in/a.txt')).toBe((await words('un/a.txt')).replaceAll('/un"', '/in"'));
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
      { values: { 'data.mix': `stories: 0.5, ${path}: 0.5` } },
      { draft: { ...draft, parameters: { 'data.corpus': { values: ['stories', path] } } } },
      { draft: { ...draft, parameters: { 'data.validation_path': { value: path } } } },
    ];
    for (const naming of namings) await expect(opened().assert(naming)).rejects.toMatchObject({ code: 'denied' });
    await opened().assert({ values: { 'schedule.kind': path }, recipe: 'quick', draft });
  });

  it('takes a name for a name only where a text is named by one (would catch a path behind a prefix, and a file of that name)', async () => {
    const inside = relative(process.cwd(), at('secret', 'key.txt'));
    for (const value of [`hf:x/../${inside}`, `hf:a/b/../${inside}`, 'hf:a/b/../../..', 'hf:a/..', 'hf:..', 'hf:/etc'])
      for (const setting of ['data.corpus', 'data.validation_path'])
        await expect(opened().assert({ values: { [setting]: value } }), `${setting} ${value}`).rejects.toMatchObject({
          code: 'denied',
        });
    for (const value of ['hf:owner/name', 'stories'])
      await expect(opened().assert({ values: { 'data.validation_path': value } }), value).rejects.toMatchObject({
        code: 'denied',
      });
  });

  it.each([
    'http://example.org/a.txt',
    'https://localhost/a.txt',
    'https://127.0.0.1/a.txt',
    'https://[::1]/a.txt',
    'https://10.0.0.1:8443/a.txt',
    'https://0x7f000001/a.txt',
    'https://router.lan/a.txt',
    'https://name:password@example.org/a.txt',
    'https:a.txt',
    'file:///etc/passwd',
  ])('%s is no address out in the world (would catch a page that has services of this network read)', async (value) => {
    await expect(reads(opened(), value)).rejects.toMatchObject({ code: 'denied' });
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
