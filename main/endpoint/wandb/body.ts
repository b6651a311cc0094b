/** Bodies of requests, read no further than they may be long, packed or not: a small archive of a large nothing fills no memory. */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** A request that is answered with a status and words, and changes nothing. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const megabytes = (bytes: number): string => `${Math.round(bytes / (1 << 20))} MiB`;

/** The unpacked body as a stream. @throws Refusal for a packing that is not known */
export function unpacked(request: IncomingMessage): Readable {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return request;
  if (encoding !== 'gzip')
    throw new Refusal(415, `content-encoding is ${encoding.slice(0, 40)}; allowed: gzip, identity`);
  const gunzip = createGunzip();
  request.on('error', (error) => gunzip.destroy(error));
  return request.pipe(gunzip);
}

/** Pieces of a body, together at most `most` bytes. @throws Refusal */
export async function* boundedPieces(request: IncomingMessage, most: number): AsyncGenerator<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > most) throw new Refusal(413, `the body has ${megabytes(announced)}; allowed: ${megabytes(most)}`);
  let bytes = 0;
  try {
    for await (const piece of unpacked(request) as AsyncIterable<Buffer>) {
      bytes += piece.length;
      if (bytes > most) throw new Refusal(413, `the body has more than ${megabytes(most)} when it is unpacked`);
      yield piece;
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(400, 'the body cannot be read: it is cut off, or not packed as it says');
  }
}

/** A body of JSON. @throws Refusal */
export async function readJson(request: IncomingMessage, most: number): Promise<Readonly<Record<string, unknown>>> {
  const pieces: Buffer[] = [];
  for await (const piece of boundedPieces(request, most)) pieces.push(piece);
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(pieces).toString('utf8'));
  } catch {
    throw new Refusal(400, 'the body is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Refusal(400, 'the body is not a JSON object');
  return value as Readonly<Record<string, unknown>>;
}
