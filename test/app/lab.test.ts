/** The lab of the desktop app: frames on a stream, crashes and restarts with a made-up process, and the real process. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { memoryPorts } from '../../preload/contract/port.ts';
import type { Port } from '../../preload/contract/port.ts';
import { FrameStream } from '../../main/app/frames.ts';
import type { ToLab } from '../../main/app/labMessages.ts';
import { LabProcess } from '../../main/app/labProcess.ts';
import type { LabChild } from '../../main/app/labProcess.ts';
import { spawnLab } from '../../main/app/spawnLab.ts';

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const action of cleanup.splice(0).reverse()) await action();
});

const inbox = (port: Port): { next(): Promise<unknown> } => {
  const got: unknown[] = [];
  const wanted: ((message: unknown) => void)[] = [];
  port.onMessage((message) => (wanted.shift() ?? ((each: unknown) => void got.push(each)))(message));
  return {
    next: () => (got.length > 0 ? Promise.resolve(got.shift()) : new Promise((resolve) => void wanted.push(resolve))),
  };
};

describe('frames', () => {
  const collect = (stream: Duplex) => {
    const got: unknown[] = [];
    let done!: (error?: Error) => void;
    const closed = new Promise<Error | undefined>((resolve) => (done = resolve));
    const frames = new FrameStream(stream, {
      message: (client, message) => got.push([client, message]),
      end: (client) => got.push([client]),
      closed: done,
    });
    return { frames, got, closed };
  };

  it('arrive whole and in order however they are cut (would catch a parser that trusts chunks)', async () => {
    const [a, b] = duplexPair();
    const [wire, end] = duplexPair();
    const sender = collect(a);
    const receiver = collect(end);
    sender.frames.send(1, { n: NaN, values: Float64Array.of(1, 2.5) });
    sender.frames.send(7, 'x'.repeat(100_000));
    sender.frames.end(1);
    sender.frames.close();
    const bytes = Buffer.concat(await b.toArray());
    for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7) % 4099)
      wire.write(bytes.subarray(at, at + size));
    wire.end();
    expect(await receiver.closed).toBeUndefined();
    expect(receiver.got).toEqual([[1, { n: NaN, values: Float64Array.of(1, 2.5) }], [7, 'x'.repeat(100_000)], [1]]);
  });

  it('of nonsense end the stream (would catch gigabytes reserved for a broken header)', async () => {
    for (const bytes of [
      Buffer.alloc(8, 0xff),
      Buffer.from(
        [9, 0, 0, 0, 1, 0, 0, 0, ...'nonsense!'].map((each) => (typeof each === 'string' ? each.charCodeAt(0) : each)),
      ),
    ]) {
      const [a, b] = duplexPair();
      const { closed } = collect(a);
      b.write(bytes);
      expect(await closed).toBeInstanceOf(Error);
    }
  });
});

/** A lab whose process is made up: the test plays it. */
function played(options: { refuse?: (message: unknown) => string | undefined } = {}) {
  const children: { frames: FrameStream; got: unknown[]; exit(): void; killed: boolean }[] = [];
  const pauses: { milliseconds: number; action: () => void }[] = [];
  const failures: string[] = [];
  const busy: boolean[] = [];
  let now = 0;
  let arrived: () => void = () => {};
  const spawn = (): LabChild => {
    const [stream, own] = duplexPair();
    const got: unknown[] = [];
    let exit: (how: { code: number | null; stderr: string }) => void;
    const frames = new FrameStream(own, {
      message: (client, message) => {
        got.push([client, message]);
        arrived();
      },
      end: (client) => {
        got.push([client]);
        arrived();
      },
      closed: () => {},
    });
    const child = { frames, got, killed: false, exit: () => exit({ code: 1, stderr: 'boom' }) };
    children.push(child);
    return { stream, onExit: (listener) => (exit = listener), kill: () => (child.killed = true) };
  };
  const lab = new LabProcess({
    spawn,
    onBusy: (value) => {
      busy.push(value);
      arrived();
    },
    onFailure: (message) => failures.push(message),
    now: () => now,
    later: (milliseconds, action) => void pauses.push({ milliseconds, action }),
    ...options,
  });
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise<void>((resolve) => (arrived = resolve));
  };
  return { lab, children, pauses, failures, busy, until, wait: (time: number) => (now += time) };
}

describe('the process of the lab', () => {
  it('joins pages once it is ready, each by itself (would catch mixed-up clients)', async () => {
    const { lab, children, until } = played();
    const [one, oneLab] = memoryPorts();
    const [two, twoLab] = memoryPorts();
    lab.connect(oneLab);
    lab.connect(twoLab);
    const [first, second] = [inbox(one), inbox(two)];
    one.post({ hello: 1 });
    const [child] = children;
    child.frames.send(0, { type: 'ready' });
    await until(() => child.got.length >= 3);
    expect(child.got).toEqual(
      expect.arrayContaining([
        [0, { type: 'attach', client: 1 }],
        [0, { type: 'attach', client: 2 }],
        [1, { hello: 1 }],
      ]),
    );
    child.frames.send(2, 'for two');
    child.frames.send(1, 'for one');
    expect(await first.next()).toBe('for one');
    expect(await second.next()).toBe('for two');
    one.close();
    await until(() => child.got.some((each) => (each as unknown[]).length === 1));
    expect(child.got.at(-1)).toEqual([1]);
  });

  it('is started again after a crash, with growing pauses, and given up in the end (would catch a crash loop)', async () => {
    const { lab, children, pauses, failures, busy, until, wait } = played();
    const [page, port] = memoryPorts();
    lab.connect(port);
    children[0].frames.send(0, { type: 'ready' });
    children[0].frames.send(0, { type: 'busy', busy: true });
    await until(() => busy.length === 1);
    const closed = new Promise<void>((resolve) => page.onClose(resolve));
    children[0].exit();
    // The page hears of it and connects again by itself.
    await closed;
    expect(busy).toEqual([true, false]);
    for (let i = 0; i < 3; i++) {
      pauses[i].action();
      children[i + 1].exit();
    }
    expect(pauses.map(({ milliseconds }) => milliseconds)).toEqual([250, 1000, 4000]);
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatch(/4 times.*boom/su);
    const fresh = played();
    for (let i = 0; i < 6; i++) {
      fresh.children[i].exit();
      fresh.pauses[i].action();
      fresh.wait(61_000);
    }
    expect(fresh.failures).toEqual([]);
    wait(0);
  });

  it('is not started again when it says that it cannot run (would catch ten dialogs about a locked database)', async () => {
    const { children, pauses, failures, lab } = played();
    children[0].frames.send(0, { type: 'failed', message: 'the database is locked' });
    while (failures.length === 0) await new Promise((resolve) => setImmediate(resolve));
    children[0].exit();
    expect(failures).toEqual(['the database is locked']);
    expect(pauses).toEqual([]);
    const [page, port] = memoryPorts();
    lab.connect(port);
    await new Promise<void>((resolve) => page.onClose(resolve));
  });

  it('is started once more when the person at the machine wants it (would catch an app that must be quit first)', async () => {
    const { children, pauses, failures, lab } = played();
    lab.retry();
    expect(children).toHaveLength(1);
    const fail = async (child: number): Promise<void> => {
      const before = failures.length;
      children[child].frames.send(0, { type: 'failed', message: 'the database is locked' });
      while (failures.length === before) await new Promise((resolve) => setImmediate(resolve));
    };
    await fail(0);
    children[0].exit();
    lab.retry();
    expect(children).toHaveLength(2);
    // It is wanted before the one that failed has ended.
    await fail(1);
    lab.retry();
    expect(children).toHaveLength(2);
    children[1].exit();
    pauses[0].action();
    const [page, port] = memoryPorts();
    lab.connect(port);
    const got = inbox(page);
    children[2].frames.send(0, { type: 'ready' });
    children[2].frames.send(1, 'there');
    expect(await got.next()).toBe('there');
    expect(failures).toHaveLength(2);
  });

  it('gets no message that may not pass; the page gets an error (would catch an export to any path)', async () => {
    const { lab, children, until } = played({
      refuse: (message) => ((message as { id: number }).id === 1 ? 'no' : undefined),
    });
    const [page, port] = memoryPorts();
    lab.connect(port);
    const got = inbox(page);
    children[0].frames.send(0, { type: 'ready' });
    await until(() => children[0].got.length === 1);
    page.post({ kind: 'request', id: 1 });
    page.post({ kind: 'request', id: 2 });
    expect(await got.next()).toMatchObject({ kind: 'reply', id: 1, ok: false, message: 'no' });
    await until(() => children[0].got.length === 2);
    expect(children[0].got[1]).toEqual([1, { kind: 'request', id: 2 }]);
    // A map is no plain data: an error for the page, nothing for the process.
    page.post({ kind: 'request', id: 3, input: new BigInt64Array(1) });
    expect(await got.next()).toMatchObject({ kind: 'reply', id: 3, ok: false });
  });

  it('is asked to end and waited for, then killed (would catch checkpoints cut off, or a quit that hangs)', async () => {
    const { lab, children, pauses, until } = played();
    const ended = lab.close();
    await until(() => children[0].got.length === 1);
    expect(children[0].got).toEqual([[0, { type: 'close' } satisfies ToLab]]);
    pauses[0].action();
    expect(children[0].killed).toBe(true);
    children[0].exit();
    await ended;
  });
});

describe('the real process', () => {
  it('ends when the desktop goes away (would catch a lab that trains on unseen and keeps the database locked)', async () => {
    const home = mkdtempSync(join(tmpdir(), 'sweeplab-lab-'));
    cleanup.push(() => rmSync(home, { recursive: true }));
    const entry = fileURLToPath(new URL('../../main/app/labMain.ts', import.meta.url));
    const child = spawnLab({ node: process.execPath, entry, home });
    const exit = new Promise<number | null>((resolve) => child.onExit(({ code }) => resolve(code)));
    await new Promise<void>((resolve) => {
      const frames = new FrameStream(child.stream, {
        message: (_client, message) => {
          if ((message as { type: string }).type !== 'ready') return;
          frames.close();
          resolve();
        },
        end: () => {},
        closed: () => {},
      });
    });
    expect(await exit).toBe(0);
  });

  it('answers, survives bad input and ends when asked (would catch an entry that does not start)', async () => {
    const home = mkdtempSync(join(tmpdir(), 'sweeplab-lab-'));
    cleanup.push(() => rmSync(home, { recursive: true }));
    const entry = fileURLToPath(new URL('../../main/app/labMain.ts', import.meta.url));
    const failures: string[] = [];
    const lab = new LabProcess({
      spawn: () => spawnLab({ node: process.execPath, entry, home }),
      onFailure: (text) => failures.push(text),
    });
    cleanup.push(() => lab.close());
    const [page, port] = memoryPorts();
    lab.connect(port);
    const got = inbox(page);
    expect(await got.next()).toMatchObject({ kind: 'hello' });
    const call = async (id: number, route: string, input: unknown): Promise<unknown> => {
      page.post({ kind: 'request', id, route, input });
      return got.next();
    };
    expect(await call(1, 'app.info', {})).toMatchObject({ kind: 'reply', id: 1, ok: true });
    // Statement 4.
    expect(await call(2, 'runs.get', { id: 5 })).toMatchObject({ id: 2, ok: false, code: 'input' });
    expect(await call(3, 'no.such', {})).toMatchObject({ id: 3, ok: false, code: 'route' });
    expect(await call(4, 'runs.list', { filter: {} })).toMatchObject({
      id: 4,
      ok: true,
      value: { runs: { count: 0 } },
    });

    // A second process of the same lab says why it cannot run.
    const refused = await new Promise<string>((resolve) => {
      const second = new LabProcess({
        spawn: () => spawnLab({ node: process.execPath, entry, home }),
        onFailure: resolve,
      });
      cleanup.push(() => second.close());
    });
    expect(refused).toMatch(/another|already|locked|in use/iu);
    // And so does one whose folder is none.
    const file = join(home, 'file');
    writeFileSync(file, '');
    const none = await new Promise<string>((resolve) => {
      const third = new LabProcess({
        spawn: () => spawnLab({ node: process.execPath, entry, home: file }),
        onFailure: resolve,
      });
      cleanup.push(() => third.close());
    });
    expect(none).toBe(
      `the data folder ${file} is a file, not a folder; choose another with the variable SWEEPLAB_HOME`,
    );
    const closed = new Promise<void>((resolve) => page.onClose(resolve));
    await lab.close();
    await closed;
    expect(failures).toEqual([]);
  });
});
