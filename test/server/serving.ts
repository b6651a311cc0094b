/** A lab with a server over it, and clients of it as a browser would be. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'node:http';
import { WebSocket } from 'ws';
import type { Port } from '../../preload/contract/port.ts';
import { loadWorkshop } from '../../main/host/lab.ts';
import type { LabPaths } from '../../main/host/paths.ts';
import { LabServer } from '../../main/host/services/labServer.ts';
import { serveBrowsers } from '../../main/server/server.ts';
import type { BrowserServer } from '../../main/server/server.ts';
import { socketPort } from '../../main/server/socketPort.ts';
import { createClient } from '../../renderer/connect/client.ts';
import type { Client } from '../../renderer/connect/client.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Serving {
  readonly folder: string;
  readonly lab: LabServer;
  readonly server: BrowserServer;
  get(path: string, headers?: Record<string, string>, method?: string): Promise<Reply>;
  /** A new session: the line to send as `Cookie`. */
  cookie(): Promise<string>;
  /** A socket that is open, or the status by which it was refused. */
  socket(headers: Record<string, string>, path?: string): Promise<WebSocket | number>;
  client(): Promise<Client>;
  readonly origin: string;
  readonly paths: LabPaths;
  /** Ends every client's connection, as a machine that slept would find it. */
  dropConnections(): void;
  /** Ends the lab, and a new one takes its place, on the same port. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function startServing(): Promise<Serving> {
  const folder = mkdtempSync(join(tmpdir(), 'sweeplab-server-'));
  const pages = join(folder, 'pages');
  mkdirSync(join(pages, 'assets'), { recursive: true });
  writeFileSync(join(pages, 'index.html'), '<!doctype html><p>the interface');
  writeFileSync(join(pages, 'assets', 'main-1.js'), 'export {};');
  writeFileSync(join(pages, '.hidden.js'), 'secret');
  writeFileSync(join(folder, 'secret.js'), 'secret');
  const workshop = await loadWorkshop({ home: join(folder, 'home') });
  const { browsers, serving: note } = workshop.paths;
  const open = async (wanted: number) => {
    const lab = await LabServer.open(workshop, { warm: false });
    return { lab, server: await serveBrowsers({ lab, pages, port: wanted, sessions: browsers, note }) };
  };
  let { lab, server } = await open(0);
  const { port } = server;
  const origin = `http://127.0.0.1:${port}`;
  const clients: Client[] = [];
  const sockets: WebSocket[] = [];
  const serving: Serving = {
    folder,
    get lab() {
      return lab;
    },
    get server() {
      return server;
    },
    origin,
    paths: workshop.paths,
    get: (path, headers = {}, method = 'GET') =>
      new Promise((resolve, reject) => {
        // Not fetch: it normalises paths and forbids the headers that matter here.
        const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (text: string) => (body += text));
          response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }));
        });
        sent.on('error', reject).end();
      }),
    cookie: async () => {
      const reply = await serving.get(server.url().slice(origin.length));
      return String(reply.headers['set-cookie']?.[0]).split(';')[0]!;
    },
    socket: (headers, path = '/lab') =>
      new Promise((resolve) => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });
        socket.on('open', () => resolve(socket));
        socket.on('unexpected-response', (_request, response) => resolve(response.statusCode!));
        socket.on('error', () => resolve(0));
      }),
    client: async () => {
      const cookie = await serving.cookie();
      const connect = async (): Promise<Port> => {
        const opened = new WebSocket(`ws://127.0.0.1:${port}/lab`, { headers: { cookie, origin } });
        sockets.push(opened);
        const carried = socketPort(opened);
        await new Promise((resolve, reject) => opened.on('open', resolve).on('error', reject));
        return carried;
      };
      const client = createClient({ connect, pauses: [0] });
      clients.push(client);
      return client;
    },
    dropConnections: () => {
      for (const socket of sockets.splice(0)) socket.terminate();
    },
    restart: async () => {
      await server.close();
      await lab.close('kill');
      ({ lab, server } = await open(port));
    },
    close: async () => {
      for (const client of clients) client.close();
      await server.close();
      await lab.close('kill');
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return serving;
}
