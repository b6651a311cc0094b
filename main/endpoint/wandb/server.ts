/**
 * Answers the W&B client on this machine: GraphQL, streams and files. Every request but the answer to an address that was given needs the
 * key; every body is bounded; what is refused is refused with words that the client shows.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OutsideRuns } from '../../lab/outside/outsideRuns.ts';
import type { OutsideSweeps } from '../../lab/outside/outsideSweeps.ts';
import { StoreError } from '../../store/index.ts';
import type { Store } from '../../store/index.ts';
import type { SweepState } from '../../../preload/contract/runs.ts';
import { isLetIn } from './access.ts';
import { readJson, Refusal } from './body.ts';
import { takeFileStream } from './fileStream.ts';
import { answerGraphql, runOperations } from './graphql.ts';
import type { Operations } from './graphql.ts';
import { WandbRuns } from './runs.ts';
import type { KnownRun } from './runs.ts';
import { sweepOperations } from './sweeps.ts';
import { Turns } from './turns.ts';
import { Uploads } from './uploads.ts';

const HOST = '127.0.0.1';
const NAMES = [HOST, 'localhost'] as const;
const STREAM_BYTES = 64 << 20;
const QUERY_BYTES = 16 << 20;
/** Scripts at once, several connections each. */
const MOST_CONNECTIONS = 1024;

export interface EndpointOptions {
  readonly store: Store;
  /** Of origin `wandb`. */
  readonly runs: OutsideRuns;
  readonly sweeps: OutsideSweeps;
  /** Of the key that is valid now. */
  readonly key: () => string;
  /** 0: any that is free. */
  readonly port: number;
  /** Folder of the files of runs. */
  readonly files: string;
}

export class WandbEndpoint {
  readonly #server: Server;
  readonly #key: () => string;
  readonly #uploads: Uploads;
  readonly #wandb: WandbRuns;
  readonly #operations: Operations;
  readonly #runs: OutsideRuns;
  readonly #turns = new Turns();

  /** @throws an Error of the system when the port is taken */
  static async open(options: EndpointOptions): Promise<WandbEndpoint> {
    const endpoint = new WandbEndpoint(options);
    await listen(endpoint.#server, options.port);
    return endpoint;
  }

  private constructor({ key, files, store, runs, sweeps }: EndpointOptions) {
    this.#key = key;
    this.#uploads = new Uploads(files);
    this.#runs = runs;
    this.#wandb = new WandbRuns(store, runs);
    const parts = { store, wandb: this.#wandb, uploads: this.#uploads, base: () => this.url };
    const update = (id: string, state: SweepState): void => void store.updateSweep(id, { state });
    this.#operations = { ...runOperations(parts), ...sweepOperations({ sweeps, runs, update }) };
    this.#server = createServer({ requestTimeout: 300_000, headersTimeout: 30_000 });
    this.#server.maxConnections = MOST_CONNECTIONS;
    this.#server.on('request', (request, response) => {
      this.#answer(request, response).catch((error: unknown) => refuse(response, error));
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  get url(): string {
    return `http://${HOST}:${this.port}`;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { headers, method = 'GET', url = '/' } = request;
    // A name that was pointed at this machine, or a page in a browser: neither is a script of this user.
    if (!NAMES.some((name) => headers.host?.toLowerCase() === `${name}:${this.port}`))
      throw new Refusal(421, 'this is not the address of Sweeplab');
    if (headers.origin !== undefined) throw new Refusal(403, 'requests from web pages are refused');
    const path = url.replace(/\?.*$/u, '');
    const token = /^\/upload\/([0-9a-f]{48})$/u.exec(path)?.[1];
    if (token !== undefined && method === 'PUT') {
      await this.#uploads.take(token, request);
      return send(response, 200, {});
    }
    if (method === 'GET') return sayWhere(response);
    if (path.startsWith('/sdk/otel/')) {
      // The client's own telemetry, which it sends without a key.
      request.resume();
      return send(response, 200, {});
    }
    if (!isLetIn(headers.authorization, this.#key()))
      throw new Refusal(
        401,
        'this key is not (or no longer) valid for this Sweeplab; the one that is: sweeplab wandb env',
      );
    if (method !== 'POST') throw new Refusal(405, 'POST and PUT are answered');
    if (path === '/graphql')
      return send(response, 200, await answerGraphql(this.#operations, await readJson(request, QUERY_BYTES)));
    const stream = /^\/files\/[^/]+\/([^/]+)\/([^/]+)\/file_stream$/u.exec(path);
    if (stream !== null) return await this.#stream(stream, request, response);
    throw new Refusal(404, `nothing is answered at ${path.slice(0, 100)}`);
  }

  async #stream(
    [, project, name]: readonly string[],
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const find = (): KnownRun => this.#wandb.get(decoded(project!), decoded(name!));
    const { source } = find();
    const body = await readJson(request, STREAM_BYTES);
    // What the one before it has left behind is looked up again.
    const known = await this.#turns.take(source, async () => {
      const now = find();
      await takeFileStream(this.#runs, this.#wandb, now, body);
      return now;
    });
    send(response, 200, { limits: {}, exitcode: null, ...(known.run.stopWanted ? { stopped: true } : {}) });
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Refusal(400, `${part.slice(0, 60)} is not encoded as part of an address`);
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(text);
}

/** The addresses of runs that the client prints lead here. */
function sayWhere(response: ServerResponse): void {
  response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' });
  response.end('Scripts report here. Look at their runs in Sweeplab itself: on the board, and under Sweeps.\n');
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.destroy();
  const [status, message] =
    error instanceof Refusal
      ? [error.status, error.message]
      : error instanceof StoreError && !error.retryable
        ? [400, error.message]
        : // Tried again by the client.
          [503, error instanceof StoreError ? error.message : 'Sweeplab could not answer this'];
  const words = `Sweeplab: ${message}`;
  // What is left of the body is not read.
  response.setHeader('Connection', 'close');
  send(response, status, { error: words, errors: [{ message: words }] });
}
