/** Message ports of the main process. One that was handed to a page goes on there as a real one. */
import { Emitter } from './emitter.ts';
import { makeWire } from './wire.ts';

const { pack, unpack } = makeWire();

/** The way to the page that has the port now. */
interface Page {
  post(text: string): void;
  close(): void;
}

interface PortEvents {
  message: [event: Electron.MessageEvent];
  close: [];
}

export class MessagePortMain
  extends Emitter<PortEvents>
  implements Pick<Electron.MessagePortMain, 'postMessage' | 'start' | 'close'>
{
  #other: MessagePortMain | undefined;
  #page: Page | undefined;
  #waiting: string[] = [];
  #started = false;
  #closed = false;

  join(other: MessagePortMain): void {
    this.#other = other;
  }

  postMessage(message: unknown, transfer: readonly unknown[] = []): void {
    if (this.#page !== undefined) throw new Error('A port that was handed over cannot be used.');
    // Only ports, as Electron has it: array buffers are no part of what it transfers.
    if (transfer.length > 0) throw new TypeError('Port at index 0 is not a valid port');
    const text = pack(message);
    if (!this.#closed) this.#other?.fromOther(text);
  }

  start(): void {
    this.#started = true;
    for (const text of this.#waiting.splice(0)) this.#deliver(text);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#other?.otherEndGone();
  }

  /** To a page: from now on this object is only the way there. */
  handOver(page: Page): void {
    if (this.#page !== undefined) throw new Error('Port at index 0 is already neutered');
    this.#page = page;
    for (const text of this.#waiting.splice(0)) page.post(text);
    if (this.#closed) page.close();
  }

  fromOther(text: string): void {
    if (this.#page !== undefined) this.#page.post(text);
    else if (this.#started) this.#deliver(text);
    else this.#waiting.push(text);
  }

  /** The page that has it posted something, or has let it go. */
  fromPage(text: string): void {
    if (!this.#closed) this.#other?.fromOther(text);
  }

  otherEndGone(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#page === undefined) setImmediate(() => this.emit('close'));
    else this.#page.close();
    this.#other?.otherEndGone();
  }

  #deliver(text: string): void {
    setImmediate(() => this.emit('message', { data: unpack(text), ports: [] } as unknown as Electron.MessageEvent));
  }
}

export class MessageChannelMain {
  readonly port1 = new MessagePortMain();
  readonly port2 = new MessagePortMain();

  constructor() {
    this.port1.join(this.port2);
    this.port2.join(this.port1);
  }
}
