/** Whether there is a newer version: whom it asks, how often, and that off means no request at all. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { feedProblem, packageFeed, Updates } from '../../main/host/updates.ts';
import type { UpdateState } from '../../preload/contract/shapes.ts';

let folder: string;
let server: Server;
let feed: string;
let asked: IncomingMessage[];
let answer: (response: ServerResponse) => void;
const open: Updates[] = [];

const PAGE = 'https://example.org/releases/0.3.0';
const says = (value: unknown) => (response: ServerResponse) => void response.end(JSON.stringify(value));

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sweeplab-updates-'));
  asked = [];
  answer = says({ version: '0.3.0', page: PAGE });
  server = createServer((request, response) => {
    asked.push(request);
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  feed = `http://127.0.0.1:${(server.address() as AddressInfo).port}/feed.json`;
});
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const DAY = 24 * 3600 * 1000;
let now = 1_700_000_000_000;

function updates(more: { feed?: string | undefined; version?: string } = {}): Updates & { told: UpdateState[] } {
  const told: UpdateState[] = [];
  const made = new Updates({
    path: join(folder, 'updates.json'),
    feed,
    version: '0.2.9',
    now: () => now,
    onState: (state) => told.push(state),
    ...more,
  });
  open.push(made);
  return Object.assign(made, { told });
}
const answered = (made: { told: UpdateState[] }, times = 1): Promise<void> =>
  vi.waitFor(() => expect(made.told).toHaveLength(times), { timeout: 60_000 });

describe('looking for a newer version', () => {
  it('says that there is one, and fetches nothing else', async () => {
    const made = updates();
    made.start();
    await answered(made);
    expect(made.state).toMatchObject({ newer: { version: '0.3.0', page: PAGE }, problem: null, askedAt: now });
    expect(asked.map(({ url, method }) => [url, method])).toEqual([['/feed.json', 'GET']]);
    // Nothing of this machine, this lab or this version.
    expect(JSON.stringify([asked[0].headers, asked[0].url])).not.toMatch(/0\.2\.9|cookie|sweeplab/iu);
  });

  it('asks nobody where it is turned off, there is no feed, or it was asked today (would catch a request at every start)', async () => {
    const first = updates();
    first.start();
    await answered(first);
    const again = updates();
    again.start();
    expect(again.state.newer?.version).toBe('0.3.0');
    await again.switch(false);
    now += 2 * DAY;
    const off = updates();
    off.start();
    expect(off.state).toMatchObject({ on: false, newer: null });
    const none = updates({ feed: undefined });
    none.start();
    await none.switch(true);
    for (const each of [again, off, none]) await each.close();
    expect(asked).toHaveLength(1);
    // Turned on again, it asks at once.
    const on = updates();
    on.start();
    await answered(on);
    expect(asked).toHaveLength(2);
  });

  it.each([
    ['0.3.0', false],
    ['0.10.0', false],
    ['0.2.10', true],
    ['1.0.0', false],
    ['0.2.99', true],
  ])('compares numbers, not texts: %s', async (version, newer) => {
    const made = updates({ version });
    made.start();
    await answered(made);
    expect(made.state.newer !== null).toBe(newer);
  });

  it.each([
    ['no answer of a feed', says({ version: 'latest' }), /none of a feed/u],
    ['a page that is no address', says({ version: '9.0.0', page: 'javascript:alert(1)' }), /none of a feed/u],
    ['an endless answer', (response: ServerResponse) => void response.end('x'.repeat(200_000)), /too long/u],
    [
      'an answer that is no JSON',
      (response: ServerResponse) => void response.end('<html>'),
      /^its answer is none of a feed$/u,
    ],
    [
      'being led to where anybody could answer',
      (response: ServerResponse) => void response.writeHead(302, { location: 'http://example.org/feed.json' }).end(),
      /^it leads to http:\/\/example\.org\/feed\.json, which does not begin with https/u,
    ],
    [
      'being led in a circle',
      (response: ServerResponse) => void response.writeHead(302, { location: '/feed.json' }).end(),
      /from one address to the next/u,
    ],
    ['an error', (response: ServerResponse) => void response.writeHead(500).end(), /500/u],
  ])('says nothing after %s, and why where somebody looks', async (_what, wrong, why) => {
    answer = wrong;
    const made = updates();
    made.start();
    await answered(made);
    expect(made.state.newer).toBeNull();
    expect(made.state.problem).toMatch(why);
  });

  it('goes where releases are handed on to', async () => {
    answer = (response) => {
      if (asked.length > 1) says({ version: '0.3.0', page: PAGE })(response);
      else response.writeHead(302, { location: '/elsewhere.json' }).end();
    };
    const made = updates();
    made.start();
    await answered(made);
    expect(asked.map(({ url }) => url)).toEqual(['/feed.json', '/elsewhere.json']);
    expect(made.state.newer?.version).toBe('0.3.0');
  });

  it('takes a damaged note for none', () => {
    writeFileSync(join(folder, 'updates.json'), '{"on": ');
    expect(updates().state.on).toBe(true);
  });

  it('has no feed in a checkout, and takes none that anybody could read along', () => {
    expect(packageFeed()).toBeUndefined();
    expect(feedProblem('https://example.org/feed.json')).toBeUndefined();
    for (const address of ['', 'http://example.org/feed.json', 'file:///etc/passwd'])
      expect(feedProblem(address)).toContain('https://');
  });
});
