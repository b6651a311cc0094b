/** `sweeplab serve` as a person types it: twice, and from a second terminal. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadWorkshop } from '../../main/host/lab.ts';
import { LabServer } from '../../main/host/services/labServer.ts';
import { serveBrowsers } from '../../main/server/server.ts';
import type { BrowserServer } from '../../main/server/server.ts';

const BIN = fileURLToPath(new URL('../../main/cli/bin.js', import.meta.url));

let home: string;
let lab: LabServer;
let server: BrowserServer;
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'sweeplab-serve-'));
  // A page, so that nothing is built for this.
  const pages = join(home, 'pages');
  mkdirSync(pages);
  writeFileSync(join(pages, 'index.html'), '');
  const workshop = await loadWorkshop({ home });
  const { browsers: sessions, serving: note } = workshop.paths;
  lab = await LabServer.open(workshop, { paused: true });
  server = await serveBrowsers({ lab, pages, port: 0, sessions, note });
});
afterEach(async () => {
  await server.close();
  await lab.close('kill');
  rmSync(home, { recursive: true, force: true });
});

function sweeplab(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child: ChildProcess = spawn(process.execPath, [BIN, '--data-dir', home, ...args]);
  let out = '';
  let err = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (err += text));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

const opens = async (text: string): Promise<number> => {
  const url = /http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]+/u.exec(text)?.[0];
  if (url === undefined) throw new Error(`no address in ${text}`);
  return (await fetch(url)).status;
};

it('prints an address that lets one more browser in, of the lab that runs (would catch a key that the lab does not know)', async () => {
  const { code, out } = await sweeplab('serve', '--new-address');
  expect(code).toBe(0);
  expect(await opens(out)).toBe(200);
  expect(await opens(out)).toBe(403);
});

it('turns browsers out from a terminal (would catch a revocation that only the next start obeys)', async () => {
  const reply = await fetch(server.url());
  const cookie = reply.headers.get('set-cookie')!.split(';')[0]!;
  const status = async (): Promise<number> =>
    (await fetch(`http://127.0.0.1:${server.port}/`, { headers: { cookie } })).status;
  expect(await status()).toBe(200);
  const { code, out } = await sweeplab('serve', '--new-address', '--forget-browsers');
  expect([code, out]).toEqual([0, expect.stringContaining('1 browser forgotten.')]);
  expect(await status()).toBe(403);
  expect(await opens(out)).toBe(200);
});

it('opens one more page of the lab that runs instead of a second lab (would catch a start that ends with a lock)', async () => {
  const { code, out } = await sweeplab('serve', '--no-open');
  expect([code, out]).toEqual([0, expect.stringContaining('Sweeplab runs already')]);
  expect(await opens(out)).toBe(200);
});

it('says when there is no lab to ask, and creates nothing (would catch a command that waits for ever)', async () => {
  await server.close();
  const { code, err } = await sweeplab('serve', '--new-address');
  expect(code).toBe(2);
  expect(err).toContain('No Sweeplab is being served from this data folder');
});
