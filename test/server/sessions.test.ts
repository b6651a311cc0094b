import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { callRunning, lastPort, noteRunning } from '../../main/server/running.ts';
import { Sessions } from '../../main/server/sessions.ts';
import { startServing } from './serving.ts';
import type { Serving } from './serving.ts';

const DAY = 86_400_000;

it('ends also where its data folder has become another, or a file (would catch a lab that never ends)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sweeplab-note-'));
  try {
    const home = join(folder, 'home');
    const note = join(home, 'serving.json');
    mkdirSync(home);
    const unnote = noteRunning(note, 4317, 'key');
    rmSync(home, { recursive: true });
    unnote();
    mkdirSync(home);
    unnote();
    expect(readdirSync(home)).toEqual([]);
    rmSync(home, { recursive: true });
    writeFileSync(home, 'a file');
    unnote();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('sessions', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sweeplab-sessions-'));
    path = join(folder, 'browsers.json');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('outlive the process in a file that only its owner reads and that holds no key (would catch keys for whoever reads a backup)', () => {
    const key = new Sessions({ path }).open();
    expect(new Sessions({ path }).has(key)).toBe(true);
    expect(readFileSync(path, 'utf8')).not.toContain(key);
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600);
    // What the file says is no key either.
    const { digest } = (JSON.parse(readFileSync(path, 'utf8')) as { sessions: { digest: string }[] }).sessions[0]!;
    expect(new Sessions({ path }).has(digest)).toBe(false);
  });

  it.skipIf(process.platform === 'win32')('tighten a file that others could read', () => {
    writeFileSync(path, '', { mode: 0o644 });
    new Sessions({ path }).open();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('end thirty days after the browser was last seen (would catch keys that last for ever)', () => {
    let now = 1e12;
    const open = (): Sessions => new Sessions({ path, now: () => now });
    const key = open().open();
    now += 29 * DAY;
    expect(open().has(key)).toBe(true);
    now += 29 * DAY;
    expect(open().has(key)).toBe(true);
    now += 31 * DAY;
    expect(open().has(key)).toBe(false);
  });

  it('are at most 64, and none is left after clearing (would catch a list that grows, and a revocation that is forgotten)', () => {
    const sessions = new Sessions({ path });
    const keys = Array.from({ length: 70 }, () => sessions.open());
    expect(keys.filter((key) => new Sessions({ path }).has(key))).toEqual(keys.slice(6));
    expect(sessions.clear()).toBe(64);
    expect(keys.some((key) => sessions.has(key) || new Sessions({ path }).has(key))).toBe(false);
  });

  it.each(['', '{', '[]', '{"sessions":[{"digest":"00","seen":1},{"digest":5},null]}', '{"sessions":7}'])(
    'survive the file %j (would catch a lab that does not start)',
    (text) => {
      writeFileSync(path, text);
      const sessions = new Sessions({ path });
      expect(sessions.has('')).toBe(false);
      expect(new Sessions({ path }).has(sessions.open())).toBe(false);
      expect(sessions.has(sessions.open())).toBe(true);
    },
  );
});

describe('a lab that is served', () => {
  let serving: Serving;
  beforeEach(async () => (serving = await startServing()));
  afterEach(() => serving.close());

  it('is found again by a page left open over a restart, without a new address (would catch sessions that end with the process)', async () => {
    const client = await serving.client();
    const { instance } = await client.call('app.info', {});
    await serving.restart();
    const again = await client.call('app.info', {}).catch(() => client.call('app.info', {}));
    expect(again.instance).not.toBe(instance);
  });

  it('gives addresses for further browsers, to pages and to commands of the user (would catch a second browser that cannot come in)', async () => {
    const client = await serving.client();
    const { url } = await client.call('browsers.address', {});
    const { url: other } = await callRunning(serving.paths.serving, 'browsers.address', {});
    expect(other).not.toBe(url);
    for (const address of [url, other]) {
      expect((await serving.get(address.slice(serving.origin.length))).status).toBe(200);
      expect((await serving.get(address.slice(serving.origin.length))).status).toBe(403);
    }
  });

  it('tells commands only while it runs, by a note of its owner (would catch a key that outlives the lab)', async () => {
    const { serving: note } = serving.paths;
    if (process.platform !== 'win32') expect(statSync(note).mode & 0o777).toBe(0o600);
    const { key } = JSON.parse(readFileSync(note, 'utf8')) as { key: string };
    const cookie = `sweeplab-${serving.server.port}=${key}`;
    expect((await serving.get('/', { cookie })).status).toBe(200);
    expect(readFileSync(serving.paths.browsers, { encoding: 'utf8', flag: 'a+' })).not.toContain(key);
    await serving.restart();
    expect((await serving.get('/', { cookie })).status).toBe(403);
    await serving.server.close();
    await expect(callRunning(note, 'browsers.address', {})).rejects.toMatchObject({ code: 'disconnected' });
    expect(lastPort(note)).toBe(serving.server.port);
  });

  it('turns out every browser when it is told to, at once and for good (would catch a lost laptop that goes on watching)', async () => {
    const cookie = await serving.cookie();
    const unused = serving.server.url().slice(serving.origin.length);
    const socket = await serving.socket({ cookie, origin: serving.origin });
    if (typeof socket === 'number') throw new Error(`refused: ${socket}`);
    const closed = new Promise<number>((resolve) => socket.on('close', resolve));
    expect(await callRunning(serving.paths.serving, 'browsers.forget', {})).toEqual({ forgotten: 1 });
    expect(await closed).toBe(1001);
    for (const path of ['/', unused]) expect((await serving.get(path, { cookie })).status).toBe(403);
    expect(await serving.socket({ cookie, origin: serving.origin })).toBe(403);
    await serving.restart();
    expect((await serving.get('/', { cookie })).status).toBe(403);
  });
});
