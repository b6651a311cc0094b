/** One suite for everything that carries messages: what the lab and its clients rely on must hold for each of them. */
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { afterEach, describe, expect, it } from 'vitest';
import { portOfMain } from '../../../main/app/port.ts';
import { socketPort } from '../../../main/server/socketPort.ts';
import { LIMITS } from '../../../preload/contract/limits.ts';
import { memoryPorts } from '../../../preload/contract/port.ts';
import type { Port } from '../../../preload/contract/port.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** Modules of the renderer are checked with the types of a browser, elsewhere. */
const renderer = async <T>(file: string): Promise<T> =>
  (await import(new URL(`../../../renderer/connect/${file}`, import.meta.url).href)) as T;

/** The two ends of an Electron port, as its documentation describes them: data arrives in `data`, after `start`. */
function electronPorts(): [Port, Port] {
  class End extends EventEmitter {
    other!: End;
    waiting: unknown[] | undefined = [];
    closed = false;
    postMessage(message: unknown): void {
      const data: unknown = structuredClone(message);
      setImmediate(() => this.other.arrive(data));
    }
    arrive(data: unknown): void {
      if (this.closed) return;
      if (this.waiting === undefined) this.emit('message', { data, ports: [] });
      else this.waiting.push(data);
    }
    start(): void {
      const waiting = this.waiting ?? [];
      this.waiting = undefined;
      for (const data of waiting) this.arrive(data);
    }
    close(): void {
      setImmediate(() => {
        for (const end of [this, this.other]) {
          if (!end.closed) end.emit('close');
          end.closed = true;
        }
      });
    }
  }
  const [a, b] = [new End(), new End()];
  a.other = b;
  b.other = a;
  return [portOfMain(a as never), portOfMain(b as never)];
}

async function channelPorts(): Promise<[Port, Port]> {
  const { portOfChannel } = await renderer<{ portOfChannel(port: unknown): Port }>('bridgePort.ts');
  const { port1, port2 } = new MessageChannel();
  return [portOfChannel(port1), portOfChannel(port2)];
}

async function socketPorts(): Promise<[Port, Port]> {
  const { connectSocket } = await renderer<{ connectSocket(address: string): Promise<Port> }>('socket.ts');
  const http = createServer();
  const sockets = new WebSocketServer({ server: http });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  closers.push(() => {
    sockets.close();
    http.close();
    http.closeAllConnections();
  });
  const served = new Promise<Port>((resolve) => sockets.on('connection', (socket) => resolve(socketPort(socket))));
  const client = await connectSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}/`);
  return [client, await served];
}

const CARRIERS: Readonly<Record<string, () => [Port, Port] | Promise<[Port, Port]>>> = {
  memory: memoryPorts,
  'message channel': channelPorts,
  'Electron port': electronPorts,
  WebSocket: socketPorts,
};

/** The next `count` messages. */
function take(port: Port, count: number): Promise<unknown[]> {
  const messages: unknown[] = [];
  return new Promise((resolve) => {
    port.onMessage((message) => {
      messages.push(message);
      if (messages.length === count) resolve(messages);
    });
  });
}

describe.each(Object.entries(CARRIERS))('a port over %s', (_name, make) => {
  async function open(): Promise<[Port, Port]> {
    const pair = await make();
    closers.unshift(() => pair.forEach((port) => port.close()));
    return pair;
  }

  it('delivers in order, both ways (would catch frames that overtake each other)', async () => {
    const [a, b] = await open();
    const toB = take(b, 200);
    const toA = take(a, 200);
    for (let i = 0; i < 200; i++) {
      a.post({ i });
      b.post({ i: -i });
    }
    expect(await toB).toEqual(Array.from({ length: 200 }, (_, i) => ({ i })));
    expect(await toA).toEqual(Array.from({ length: 200 }, (_, i) => ({ i: -i })));
  });

  it('carries typed arrays, NaN and infinities bit for bit, and leaves the sender its own (would catch lost or detached curves)', async () => {
    const [a, b] = await open();
    const values = Float64Array.from({ length: 1000 }, (_, i) => (i % 7 === 0 ? Number.NaN : Math.sin(i) * 1e300));
    const message = {
      values,
      last: Number.NEGATIVE_INFINITY,
      steps: new Float32Array([1, 2]),
      u: new Uint32Array([7]),
    };
    const arrived = take(b, 1);
    a.post(message);
    expect(await arrived).toEqual([message]);
    expect(values.length).toBe(1000);
  });

  it('carries a large message whole', async () => {
    const [a, b] = await open();
    const arrived = take(b, 1);
    a.post({ text: 'x'.repeat(1_000_000), values: new Float64Array(300_000).fill(3) });
    const [{ text, values }] = (await arrived) as [{ text: string; values: Float64Array }];
    expect([text.length, values.length, values.at(-1)]).toEqual([1_000_000, 300_000, 3]);
  });

  it('keeps what arrives before somebody listens (would catch a lost hello)', async () => {
    const [a, b] = await open();
    const first = take(b, 1);
    a.post('first');
    await first;
    a.post('to the old listener');
    expect(await take(b, 1)).toEqual(['to the old listener']);
  });

  it('does not deliver in the turn of the post (would catch a client that is called back inside its own call)', async () => {
    const [a, b] = await open();
    let arrived = false;
    b.onMessage(() => (arrived = true));
    a.post(1);
    expect(arrived).toBe(false);
  });

  it('tells both ends of a close, once, also those who ask later, and posts nothing after it', async () => {
    const [a, b] = await open();
    let calls = 0;
    const closedB = new Promise<void>((resolve) => b.onClose(resolve));
    b.onClose(() => calls++);
    const messages: unknown[] = [];
    b.onMessage((message) => messages.push(message));
    a.close();
    a.close();
    a.post('after the close');
    await closedB;
    await new Promise<void>((resolve) => a.onClose(resolve));
    await new Promise<void>((resolve) => b.onClose(resolve));
    b.post('into the void');
    await new Promise((resolve) => setImmediate(resolve));
    expect([calls, messages, a.pressure(), b.pressure()]).toEqual([1, [], 0, 0]);
  });
});

it('the socket of a page refuses what is too long for its one call, and goes on (would catch a page that loses its lab)', async () => {
  const [page, lab] = await socketPorts();
  const arrived = take(lab, 1);
  expect(() =>
    page.post({ kind: 'request', id: 1, route: 'views.set', input: 'x'.repeat(LIMITS.messageBytes) }),
  ).toThrow(/^The input is too long: 4,194,\d{3} bytes in one message; allowed: at most 4,194,304$/u);
  page.post('next');
  expect(await arrived).toEqual(['next']);
});
