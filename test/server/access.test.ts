import { createHash } from 'node:crypto';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decode, encode } from '../../preload/contract/codec.ts';
import { LIMITS } from '../../preload/contract/limits.ts';
import { startServing } from './serving.ts';
import type { Serving } from './serving.ts';

let serving: Serving;
let cookie: string;
beforeAll(async () => {
  serving = await startServing();
  cookie = await serving.cookie();
});
afterAll(() => serving.close());

describe('who may speak with the server', () => {
  it('gives the interface to a session, with its policy (would catch pages without protection)', async () => {
    const reply = await serving.get('/', { cookie });
    expect(reply).toMatchObject({ status: 200, body: expect.stringContaining('the interface') });
    expect(reply.headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self';/u,
    );
    expect(reply.headers['content-security-policy']).not.toContain('unsafe');
    expect(reply.headers['x-content-type-options']).toBe('nosniff');
    expect((await serving.get('/assets/main-1.js', { cookie })).headers['content-type']).toMatch(/javascript/u);
  });

  it('takes each token once, and gives a cookie that scripts and other sites cannot use (would catch a key that stays in the history)', async () => {
    const address = serving.server.url().slice(serving.origin.length);
    // Programs that show links look at the head first: nobody has opened it then.
    const head = await serving.get(address, {}, 'HEAD');
    expect(head.status).toBe(200);
    expect(head.headers['set-cookie']).toBeUndefined();
    const first = await serving.get(address);
    expect(first.status).toBe(200);
    expect(first.headers['set-cookie']?.[0]).toMatch(/; Max-Age=2592000; HttpOnly; SameSite=Strict; Path=\/$/u);
    expect(first.body).toContain("location.replace('/' + location.hash)");
    const [script] = /<script>([^<]*)<\/script>/u.exec(first.body)!.slice(1);
    const hash = createHash('sha256').update(script!).digest('base64');
    expect(first.headers['content-security-policy']).toContain(`script-src 'sha256-${hash}';`);
    const second = await serving.get(address);
    expect(second.status).toBe(403);
    expect(second.headers['set-cookie']).toBeUndefined();
    expect((await serving.get('/?token=')).status).toBe(403);
  });

  it('spends an address also where the browser is in already (would catch one that lets a second browser in later)', async () => {
    const address = serving.server.url().slice(serving.origin.length);
    const known = await serving.get(address, { cookie });
    expect(known).toMatchObject({ status: 200, body: expect.stringContaining('location.hash') });
    expect(known.headers['set-cookie']).toBeUndefined();
    expect((await serving.get(address)).status).toBe(403);
    // Whoever has a session is not turned away by an old address.
    expect((await serving.get(address, { cookie })).status).toBe(200);
  });

  it.each([
    ['no session', {}],
    ['a session that was made up', { cookie: 'sweeplab=1' }],
  ])('answers nothing with %s (would catch programs of other users)', async (_, headers) => {
    for (const path of ['/', '/assets/main-1.js', `/download/${'0'.repeat(32)}`])
      expect((await serving.get(path, headers)).status).toBe(403);
    expect(await serving.socket({ ...headers, origin: serving.origin })).toBe(403);
  });

  it('refuses other hosts (would catch DNS rebinding)', async () => {
    const { port } = serving.server;
    for (const host of [
      `evil.example:${port}`,
      '127.0.0.1',
      `127.0.0.1:${port + 1}`,
      `127.0.0.1.evil.example:${port}`,
    ]) {
      expect((await serving.get('/', { cookie, host })).status).toBe(421);
      expect(await serving.socket({ cookie, host, origin: serving.origin })).toBe(421);
    }
  });

  it('refuses other origins, and sockets without one (would catch a page that drives the lab of its visitor)', async () => {
    for (const origin of ['http://evil.example', 'null', 'https://127.0.0.1', 'http://127.0.0.1:1']) {
      expect((await serving.get('/', { cookie, origin })).status).toBe(403);
      expect(await serving.socket({ cookie, origin })).toBe(403);
    }
    expect(await serving.socket({ cookie })).toBe(403);
  });

  it('serves GET alone, and sockets at one place', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
      expect((await serving.get('/', { cookie }, method)).status).toBe(405);
    expect(await serving.socket({ cookie, origin: serving.origin }, '/other')).toBe(404);
  });

  it('finds no file outside of the interface (would catch traversal, links, hidden files)', async () => {
    symlinkSync(join(serving.folder, 'secret.js'), join(serving.folder, 'pages', 'link.js'));
    const paths = [
      '/../secret.js',
      '/%2e%2e/secret.js',
      '/..%2fsecret.js',
      '/assets/..%2f..%2fsecret.js',
      '/..%5csecret.js',
    ];
    paths.push('/link.js', '/.hidden.js', '/assets', '/assets/', '/%00', '/%zz', '//secret.js', '/index.html%00.js');
    for (const path of paths) {
      const reply = await serving.get(path, { cookie });
      expect([path, reply.status, reply.body.includes('secret')]).toEqual([path, 404, false]);
    }
  });

  it('ends connections that send what is no message, and goes on for others (would catch a parser that ends the process)', async () => {
    const codes: number[] = [];
    for (const bytes of ['hello', Buffer.from('hello'), Buffer.alloc(0)]) {
      const socket = await serving.socket({ cookie, origin: serving.origin });
      if (!(socket instanceof WebSocket)) throw new Error(`refused: ${socket}`);
      const closed = new Promise<number>((resolve) => socket.on('close', resolve));
      socket.on('error', () => undefined);
      socket.send(bytes);
      codes.push(await closed);
    }
    expect(codes).toEqual([1003, 1003, 1003]);
    expect((await serving.get('/', { cookie })).status).toBe(200);
  });

  const opened = async (): Promise<WebSocket> => {
    const socket = await serving.socket({ cookie, origin: serving.origin });
    if (!(socket instanceof WebSocket)) throw new Error(`refused: ${socket}`);
    return socket;
  };

  it('answers a message beyond the limit with the limit, and the calls beside it (would catch a connection that ends for all)', async () => {
    const socket = await opened();
    const answers = new Map<number, unknown>();
    const both = new Promise<void>((resolve) => {
      socket.on('message', (data) => {
        const message = decode(data as Buffer) as { id?: number };
        if (message.id !== undefined) answers.set(message.id, message);
        if (answers.size === 2) resolve();
      });
    });
    const input = { yaml: 'x'.repeat(LIMITS.messageBytes) };
    socket.send(encode({ kind: 'request', id: 1, route: 'sweeps.fromYaml', input }));
    socket.send(encode({ kind: 'request', id: 2, route: 'app.info', input: {} }));
    await both;
    expect(answers.get(1)).toMatchObject({
      ok: false,
      code: 'input',
      message: expect.stringMatching(/^The input is too long: 4,194,[\d,]+ bytes.*at most 4,194,304$/u),
    });
    expect(answers.get(2)).toMatchObject({ ok: true });
    socket.close();
  });

  it('hears others while one sends without end, and ends a connection of which too much cannot be read', async () => {
    const [flood, other] = [await opened(), await opened()];
    const closed = new Promise<[number, string]>((resolve) =>
      flood.on('close', (code, reason) => resolve([code, reason.toString()])),
    );
    let told = 0;
    flood.on('message', () => (told += 1));
    const nonsense = encode({ kind: 'nonsense' });
    for (let i = 0; i < 5000; i++) flood.send(nonsense);
    const answer = new Promise<void>((resolve) => {
      other.on('message', (data) => (decode(data as Buffer) as { id?: number }).id === 1 && resolve());
    });
    other.send(encode({ kind: 'request', id: 1, route: 'app.info', input: {} }));
    await answer;
    expect(await closed).toEqual([1008, '100 messages of this connection could not be read']);
    expect(told).toBe(100);
    other.close();
  });

  it('ends the connection of what is too long to be taken in, and says why (would catch an end without a reason)', async () => {
    const socket = await opened();
    const closed = new Promise<[number, string]>((resolve) =>
      socket.on('close', (code, reason) => resolve([code, reason.toString()])),
    );
    socket.on('error', () => undefined);
    socket.send(Buffer.alloc(LIMITS.answeredBytes + 1));
    expect(await closed).toEqual([1009, 'a message has more than 8,388,608 bytes']);
    expect((await serving.get('/', { cookie })).status).toBe(200);
  }, 30_000);
});
