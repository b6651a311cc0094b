/**
 * Messages of several clients over one stream of bytes between the desktop's process and the lab's. Both may carry different versions
 * of V8, whose own serialization need not agree, so messages travel in the contract's codec:
 *
 *     u32 bytes of the message (little endian) · u32 client · the message
 *
 * A message of no bytes ends the client. Client 0 is the desktop itself.
 */
import type { Duplex } from 'node:stream';
import { decode, encode, OversizeError, oversizeReply } from '../../preload/contract/codec.ts';

const HEADER = 8;
/** Answers may be larger than what clients may send. */
const MOST_BYTES = 256 << 20;

export interface FrameHandlers {
  message(client: number, message: unknown): void;
  /** The other side ended this client. */
  end(client: number): void;
  /** The stream ended, or carried something that is no frame. Called once. */
  closed(error?: Error): void;
}

export class FrameStream {
  readonly #stream: Duplex;
  readonly #handlers: FrameHandlers;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #closed = false;
  readonly #bounded: boolean;

  /** @param bounded what a client sends beyond the limits of the contract gets an error for an answer */
  constructor(stream: Duplex, handlers: FrameHandlers, { bounded = false }: { readonly bounded?: boolean } = {}) {
    this.#stream = stream;
    this.#handlers = handlers;
    this.#bounded = bounded;
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('error', (error) => this.#close(error));
    stream.on('end', () => this.#close());
    stream.on('close', () => this.#close());
  }

  send(client: number, message: unknown): void {
    this.#write(client, encode(message));
  }

  end(client: number): void {
    this.#write(client, new Uint8Array());
  }

  /** Bytes that wait to be taken by the other side. */
  get pressure(): number {
    return this.#stream.writableLength;
  }

  close(): void {
    this.#stream.end();
    this.#close();
  }

  #write(client: number, bytes: Uint8Array): void {
    if (this.#closed) return;
    const header = Buffer.alloc(HEADER);
    header.writeUInt32LE(bytes.length, 0);
    header.writeUInt32LE(client, 4);
    this.#stream.write(header);
    if (bytes.length > 0) this.#stream.write(bytes);
  }

  #take(chunk: Buffer): void {
    this.#waiting.push(chunk);
    this.#bytes += chunk.length;
    while (!this.#closed && this.#bytes >= HEADER) {
      const header = this.#peek(HEADER);
      const length = header.readUInt32LE(0);
      if (length > MOST_BYTES) {
        this.#fail(new Error(`a message of ${length} bytes is longer than ${MOST_BYTES}`));
        return;
      }
      if (this.#bytes < HEADER + length) return;
      const frame = this.#peek(HEADER + length);
      this.#waiting = [this.#waiting[0].subarray(HEADER + length)];
      this.#bytes -= HEADER + length;
      this.#deliver(frame.readUInt32LE(4), frame.subarray(HEADER));
    }
  }

  #deliver(client: number, bytes: Buffer): void {
    if (bytes.length === 0) {
      this.#handlers.end(client);
      return;
    }
    let message: unknown;
    try {
      message = decode(bytes, { bounded: this.#bounded && client !== 0 });
    } catch (error) {
      if (error instanceof OversizeError) {
        this.send(client, oversizeReply(error));
        return;
      }
      this.#fail(error as Error);
      return;
    }
    this.#handlers.message(client, message);
  }

  /** The first bytes in one piece. Pieces are joined only when a message spans them. */
  #peek(bytes: number): Buffer {
    if (this.#waiting[0].length < bytes) this.#waiting = [Buffer.concat(this.#waiting)];
    return this.#waiting[0].subarray(0, bytes);
  }

  #fail(error: Error): void {
    this.#stream.destroy();
    this.#close(error);
  }

  #close(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting = [];
    this.#handlers.closed(error);
  }
}
