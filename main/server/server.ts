/** Serves the interface and the lab to browsers of this machine. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { WebSocketServer } from 'ws';
import { LIMITS } from '../../preload/contract/limits.ts';
import { contentSecurityPolicy, findPageFile, pageHeaders } from '../host/pageFiles.ts';
import type { LabServer } from '../host/services/labServer.ts';
import { Access } from './access.ts';
import { noteRunning } from './running.ts';
import { Sessions } from './sessions.ts';
import { socketPort, TellingSocket } from './socketPort.ts';

export interface ServeOptions {
  readonly lab: Pick<LabServer, 'connect' | 'download' | 'admit'>;
  /** Folder of the built interface. */
  readonly pages: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Where the browsers that were let in are remembered; without it, until the end of the process. */
  readonly sessions?: string;
  /** Where commands of the same user find the port and a key. */
  readonly note?: string;
}

export interface BrowserServer {
  readonly port: number;
  /** An address that opens the interface once; ask again for another browser. */
  url(): string;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
/** https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 */
const GOING_AWAY = 1001;
/** Where the WebSocket is. */
const SOCKET_PATH = '/lab';
/** What a browser runs that was just let in. */
const FORWARD = "location.replace('/' + location.hash)";
const FORWARD_HASH = createHash('sha256').update(FORWARD).digest('base64');
/** Connections of one browser are few; more are a mistake. */
const MOST_CONNECTIONS = 64;

/** Starts listening. @throws an Error that says so when the port is taken */
export async function serveBrowsers({ lab, pages, port, sessions, note }: ServeOptions): Promise<BrowserServer> {
  const server = createServer({ requestTimeout: 30_000 });
  await listen(server, port);
  const own = (server.address() as AddressInfo).port;
  const remembered = new Sessions({ path: sessions });
  const access = new Access(own, remembered);
  const headers = pageHeaders(contentSecurityPolicy([`ws://${HOST}:${own}`, `ws://localhost:${own}`]));
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: LIMITS.answeredBytes,
    perMessageDeflate: false,
    WebSocket: TellingSocket,
  });

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (!access.hostIsOurs(request)) return end(response, 421, 'This is not the address of Sweeplab.');
    if (!access.originIsOurs(request, false)) return end(response, 403, 'Requests from other sites are refused.');
    if (request.method !== 'GET' && request.method !== 'HEAD') return end(response, 405, 'Only GET is served.');
    // `//name` and `http://name` would name another host.
    if (!/^\/(?!\/)/u.test(request.url ?? '')) return end(response, 404, 'There is no such page.');
    const { pathname, searchParams } = new URL(request.url!, `http://${HOST}`);
    const token = searchParams.get('token');
    // Programs that show links look at their heads first: that must not spend the one use.
    if (token !== null && request.method === 'HEAD') return end(response, 200, '');
    if (token !== null && !access.hasSession(request)) {
      const cookie = access.redeem(token);
      if (cookie === undefined)
        return end(
          response,
          403,
          'This address was used before, or is of an earlier start. Another one: sweeplab serve --new-address',
        );
      response.setHeader('Set-Cookie', cookie);
      return forward(response);
    }
    if (token !== null) {
      // Left in a history or a chat, it must not let a second browser in.
      access.spend(token);
      return forward(response);
    }
    if (!access.hasSession(request))
      return end(
        response,
        403,
        'Open Sweeplab by the address that it prints when it starts: it holds the key. Another one: sweeplab serve --new-address',
      );
    const download = /^\/download\/([0-9a-f]{32})$/u.exec(pathname)?.[1];
    if (download !== undefined) return await sendDownload(lab, download, request, response);
    const file = await findPageFile(pages, pathname);
    if (file === undefined) return end(response, 404, 'There is no such page.');
    // Files of a build carry a hash of their content in the name; the page itself does not.
    const lasting = pathname.startsWith('/assets/');
    response.writeHead(200, {
      'Content-Type': file.type,
      'Content-Length': file.bytes,
      'Cache-Control': lasting ? 'private, max-age=31536000, immutable' : 'no-cache',
    });
    if (request.method === 'HEAD') response.end();
    else await pipeline(createReadStream(file.path), response);
  };

  server.on('request', (request, response) => {
    answer(request, response).catch(() => {
      // Not sent yet: say so. Half sent: the browser must not take it for the whole.
      if (response.headersSent) response.destroy();
      else end(response, 500, 'The file cannot be read.');
    });
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const refuse = (status: string): void => {
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    };
    if (!access.hostIsOurs(request)) return refuse('421 Misdirected Request');
    if (!access.originIsOurs(request, true) || !access.hasSession(request)) return refuse('403 Forbidden');
    if (request.url !== SOCKET_PATH) return refuse('404 Not Found');
    if (sockets.clients.size >= MOST_CONNECTIONS) return refuse('503 Service Unavailable');
    sockets.handleUpgrade(request, socket, head, (opened) =>
      lab.connect(socketPort(opened, { bounded: true }), { trusted: false }),
    );
  });

  const url = (): string => `http://${HOST}:${own}/?token=${access.token()}`;
  const forget = (): number => {
    const count = access.forget();
    const open = [...sockets.clients];
    // The answer to whoever asked for it goes out first.
    setImmediate(() => {
      for (const socket of open) socket.close(GOING_AWAY);
    });
    return count;
  };
  const withdraw = lab.admit({ url, forget });
  const unnote = note === undefined ? undefined : noteRunning(note, own, remembered.openOwn());

  return {
    port: own,
    url,
    close: () =>
      new Promise((resolve) => {
        unnote?.();
        withdraw();
        for (const socket of sockets.clients) socket.terminate();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      reject(taken ? new Error(`port ${port} is in use by another program; choose another with --port`) : error);
    });
    server.listen(port, HOST, resolve);
  });
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' });
  response.end(`${text}\n`);
}

/**
 * To the interface, without the token in the address. A redirect would still count as coming from where the link was clicked, and a
 * strict cookie would not be sent; a refresh counts as ours.
 */
function forward(response: ServerResponse): void {
  response.writeHead(200, {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    // The place in the address (`#/queue`) never reaches the server, and a refresh would lose it: only a script can keep it.
    'Content-Security-Policy': contentSecurityPolicy([], `'sha256-${FORWARD_HASH}'`),
  });
  const plain = '<noscript><meta http-equiv="refresh" content="0; url=/"></noscript>';
  response.end(
    `<!doctype html><title>Sweeplab</title><link rel="icon" href="/icon.svg"><script>${FORWARD}</script>${plain}`,
  );
}

async function sendDownload(
  lab: ServeOptions['lab'],
  token: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const file = lab.download(token);
  if (file === undefined) return end(response, 404, 'This export is gone; make it again.');
  response.writeHead(200, {
    'Content-Type': 'text/csv; charset=utf-8',
    'Content-Disposition': `attachment; filename="${file.name.replaceAll(/[^\w.-]/gu, '_')}"`,
    'Cache-Control': 'no-store',
  });
  if (request.method === 'HEAD') response.end();
  else await pipeline(createReadStream(file.path), response);
}
