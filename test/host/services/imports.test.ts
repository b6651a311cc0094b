/** Imports of pages: what is sent, shown, written, cancelled, and what is left of it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../../renderer/connect/client.ts';
import type { ImportPreview } from '../../../preload/contract/imports.ts';
import { finishing, TestLab, Watch } from './support.ts';

const lab = new TestLab();
let client: Client;
beforeAll(async () => {
  await lab.open(finishing);
  client = lab.client();
});
afterAll(() => lab.close());

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const left = (): string[] =>
  existsSync(lab.server.lab.paths.imports) ? readdirSync(lab.server.lab.paths.imports) : [];
const shown = ({ runs }: ImportPreview) => runs.map(({ name, fate, config, seed }) => [name, fate, config, seed]);

/** Begins an import and sends files for it, in parts of a few bytes. */
async function sent(files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const { id } = await client.call('import.open', {});
  const all = Object.entries(files).map(([path, content]) => ({
    path,
    bytes: typeof content === 'string' ? bytesOf(content) : new Uint8Array(content),
  }));
  const { numbers } = await client.call('import.files', {
    id,
    files: all.map(({ path, bytes }) => ({ path, size: bytes.length })),
  });
  const step = 1000;
  await Promise.all(
    all.flatMap(({ bytes }, i) =>
      numbers[i] === null
        ? []
        : Array.from({ length: Math.ceil(bytes.length / step) }, (_, part) =>
            client.call('import.send', {
              id,
              parts: [{ file: numbers[i]!, at: part * step, bytes: bytes.slice(part * step, (part + 1) * step) }],
            }),
          ),
    ),
  );
  return id;
}

const TABLE = 'step,train/loss,lr,seed\n0,4,0.1,1\n10,3,0.1,1\n0,5,0.1,2\n10,nan,0.1,2\n';

describe('an import of a page', () => {
  it('is shown before it is written, appears at once for everybody, and updates when it comes once more', async () => {
    const other = new Watch(lab.client(), 'runs');
    const id = await sent({ 'table.csv': TABLE });
    const preview = await client.call('import.preview', { id });
    expect(shown(preview)).toEqual([
      ['table 1', 'new', { lr: 0.1, seed: 1 }, 1],
      ['table 2', 'new', { lr: 0.1, seed: 2 }, 2],
    ]);
    expect((await client.call('runs.list', { filter: { deleted: 'any' } })).runs.count).toBe(0);
    const result = await client.call('import.write', { id });
    expect(result).toMatchObject({ counts: { new: 2, update: 0 }, points: 4, sweeps: [expect.any(String)] });
    const event = await other.until(({ runs }) => runs.length > 0);
    // Nobody has seen them while they were filled.
    expect(other.events.flatMap(({ runs }) => runs).every(({ deletedAt }) => deletedAt === null)).toBe(true);
    expect(event.runs.map(({ id: run }) => run).toSorted()).toEqual(result.created.toSorted());
    await client.call('import.close', { id });
    expect(left()).toEqual([]);

    const points = new Watch(client, 'points');
    const again = await sent({ 'table.csv': TABLE.replace('10,3,', '10,2,') });
    expect((await client.call('import.preview', { id: again })).counts).toEqual({
      new: 0,
      update: 1,
      same: 1,
      here: 0,
    });
    const { updated } = await client.call('import.write', { id: again });
    expect(updated).toEqual([result.created[0]]);
    // Charts that show it read it again.
    await points.until(({ resync }) => resync.includes(updated[0]!));
    await client.call('import.close', { id: again });
  });

  it('takes a folder of a tracker, and leaves out what is none of its files', async () => {
    const folder = fileURLToPath(
      new URL('../../fixtures/trackers/wandb/offline-run-20261127_152341-tp3vwj4d', import.meta.url),
    );
    const name = 'run-tp3vwj4d.wandb';
    const id = await sent({
      [`wandb/offline-run-1/${name}`]: readFileSync(join(folder, name)),
      'wandb/debug.log': 'x',
      'wandb/.git/config': 'x',
      'wandb/offline-run-1/__pycache__/x.pyc': 'x',
    });
    const { sources, leftOut } = await client.call('import.preview', { id });
    expect(sources.map(({ kind, name: of }) => [kind, of])).toEqual([['wandb', 'offline-run-1']]);
    expect(leftOut).toEqual([]);
    expect(left()).toEqual([id]);
    expect(readdirSync(join(lab.server.lab.paths.imports, id))).toEqual(['0']);
    await client.call('import.close', { id });
  });

  it('is understood as the person says', async () => {
    const id = await sent({ 'odd.csv': 'n,a,b\n1,5,7\n2,6,7\n' });
    const first = await client.call('import.preview', { id, roles: { n: 'step', b: 'metric' }, sweep: 'mine' });
    expect(first.runs[0]!.series.map(({ metric }) => metric)).toEqual(['a', 'b']);
    expect(first.runs[0]!.sweep).toBe('mine');
    const second = await client.call('import.preview', {
      id,
      roles: { n: 'step', a: 'ignore', b: 'metric' },
      sweep: null,
    });
    expect(second.runs[0]!.series.map(({ metric }) => metric)).toEqual(['b']);
    expect(second.runs[0]!.sweep).toBeNull();
    await expect(client.call('import.preview', { id, format: 'tensorboard' })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('nothing to import'),
    });
    // What cannot be shown cannot be written.
    await expect(client.call('import.write', { id })).rejects.toMatchObject({ code: 'state' });
    await client.call('import.close', { id });
  });

  it('leaves nothing where it is cancelled while it is read or written', async () => {
    const rows = Array.from({ length: 30_000 }, (_, i) => `${i},${i / 7},${i % 3}`).join('\n');
    const id = await sent({ 'long.csv': 'step,a/loss,b/loss\n1,2,3\n' });
    const { numbers } = await client.call('import.files', {
      id,
      files: [{ path: 'rows.csv', size: rows.length + 19 }],
    });
    const bytes = bytesOf(`step,a/loss,b/loss\n${rows}`);
    for (let at = 0; at < bytes.length; at += 1 << 20)
      await client.call('import.send', {
        id,
        parts: [{ file: numbers[0]!, at, bytes: bytes.slice(at, at + (1 << 20)) }],
      });
    const before = await client.call('runs.list', { filter: { deleted: 'any' } });
    const reading = new AbortController();
    const looked = client.call('import.preview', { id }, { signal: reading.signal });
    reading.abort();
    await expect(looked).rejects.toMatchObject({ code: 'cancelled' });
    const watch = new Watch(client, 'imports');
    await client.call('import.preview', { id });
    const writing = new AbortController();
    const written = client.call('import.write', { id }, { signal: writing.signal });
    await watch.until((each) => each.id === id && each.phase === 'writing');
    writing.abort();
    // Whole, where the cancelling came too late.
    const made = await written.then(({ created }) => created.length).catch(({ code }: { code: string }) => code);
    expect(['cancelled', 2]).toContain(made);
    await client.call('import.close', { id });
    expect((await client.call('runs.list', { filter: { deleted: 'any' } })).runs.count).toBe(
      before.runs.count + (made === 2 ? 2 : 0),
    );
    expect(lab.server.lab.store.outside.dropUnfinished()).toBe(0);
    expect(left()).toEqual([]);
  });

  it('reads no path that pages may not read, nor where a link leads (would catch a link out of an open folder)', async () => {
    const secret = join(lab.home, '..', `${lab.home.split('/').at(-1)}-secret.csv`);
    writeFileSync(secret, TABLE);
    const folder = join(lab.home, 'cache', 'linked');
    mkdirSync(folder, { recursive: true });
    symlinkSync(secret, join(folder, 'link.csv'));
    const { id } = await client.call('import.open', {});
    for (const path of [secret, join(folder, 'link.csv'), '/etc', '~/x', join(lab.home, 'browsers.json')])
      await expect(client.call('import.preview', { id, paths: [path] })).rejects.toMatchObject({ code: 'denied' });
    await expect(client.call('import.preview', { id, paths: [folder] })).rejects.toMatchObject({
      message: expect.stringContaining('links that lead out of the folders that were opened'),
    });
    writeFileSync(join(folder, 'own.csv'), TABLE);
    expect((await client.call('import.preview', { id, paths: [join(folder, 'own.csv')] })).counts.new).toBe(2);
    await client.call('import.close', { id });
  });

  it('takes no bytes that were not told, none twice, and no more imports at once than may be', async () => {
    const { id } = await client.call('import.open', {});
    const file = { path: '../../../escape.csv', size: 3 };
    const { numbers } = await client.call('import.files', { id, files: [file, { path: 'a//b', size: 1 }] });
    expect(numbers).toEqual([null, null]);
    await client.call('import.files', { id, files: [{ path: 'a.csv', size: 3 }] });
    const part = (at: number, text: string, number = 0) => ({ file: number, at, bytes: bytesOf(text) });
    const send = (...parts: ReturnType<typeof part>[]) => client.call('import.send', { id, parts });
    await expect(send(part(0, 'abcd'))).rejects.toMatchObject({ code: 'state' });
    await expect(send(part(1, 'a'))).rejects.toMatchObject({ code: 'state' });
    await expect(send(part(0, 'a', 1))).rejects.toMatchObject({ code: 'not-found' });
    expect(await send(part(0, 'ab'))).toEqual({ received: 2 });
    await expect(send(part(0, 'ab'))).rejects.toMatchObject({ code: 'state' });
    await expect(client.call('import.preview', { id })).rejects.toMatchObject({ code: 'state' });
    const tooMuch = { path: 'b.csv', size: 2 ** 40 };
    await expect(client.call('import.files', { id, files: [tooMuch] })).rejects.toMatchObject({ code: 'invalid' });
    const more = await Promise.all(Array.from({ length: 7 }, () => client.call('import.open', {})));
    await expect(client.call('import.open', {})).rejects.toMatchObject({ code: 'busy' });
    for (const each of [{ id }, ...more]) await client.call('import.close', each);
    await expect(client.call('import.preview', { id })).rejects.toMatchObject({ code: 'not-found' });
  });

  it('removes what a kill has left of sent files', async () => {
    const folder = lab.server.lab.paths.imports;
    await lab.server.close('kill');
    mkdirSync(join(folder, 'abc'), { recursive: true });
    writeFileSync(join(folder, 'abc', '0'), 'half');
    await lab.open(finishing);
    expect(existsSync(folder)).toBe(false);
  });
});
