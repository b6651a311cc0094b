/**
 * How other commands of this user reach a lab that is being served: a note beside the database, which only its owner can read, tells the
 * port and a key. With the key they call as a browser does.
 */
import { readFileSync } from 'node:fs';
import { WebSocket } from 'ws';
import type { Input, Output, RouteName } from '../../preload/contract/api.ts';
import { LabError } from '../../preload/contract/rpc.ts';
import type { HostMessage } from '../../preload/contract/rpc.ts';
import { cookieName } from './access.ts';
import { writePrivate } from './sessions.ts';
import { socketPort } from './socketPort.ts';

interface Note {
  readonly port: number;
  /** Empty once the lab has ended: then the port is the one to take again. */
  readonly key: string;
}

const PATIENCE_MS = 10_000;

/** @returns what is to be done when it ends */
export function noteRunning(path: string, port: number, key: string): () => void {
  writePrivate(path, JSON.stringify({ port, key } satisfies Note));
  return () => {
    // The data folder was removed, or replaced by another: nothing is left behind in it.
    if (read(path)?.key !== key) return;
    try {
      writePrivate(path, JSON.stringify({ port, key: '' } satisfies Note));
    } catch {
      // Who finds the note finds nobody at the port.
    }
  };
}

/** The port that was used last. */
export function lastPort(path: string): number | undefined {
  return read(path)?.port;
}

/** Calls the lab that is being served. @throws LabError `disconnected` when there is none */
export async function callRunning<R extends RouteName>(path: string, route: R, input: Input<R>): Promise<Output<R>> {
  const note = read(path);
  const none = new LabError(
    'disconnected',
    'No Sweeplab is being served from this data folder. Start it: sweeplab serve',
  );
  if (note === undefined || note.key === '') throw none;
  const origin = `http://127.0.0.1:${note.port}`;
  const headers = { cookie: `${cookieName(note.port)}=${note.key}`, origin };
  const socket = new WebSocket(`ws://127.0.0.1:${note.port}/lab`, { headers, handshakeTimeout: PATIENCE_MS });
  const port = socketPort(socket);
  try {
    return await new Promise<Output<R>>((resolve, reject) => {
      const timer = setTimeout(() => reject(new LabError('disconnected', 'The lab does not answer.')), PATIENCE_MS);
      port.onClose(() => {
        clearTimeout(timer);
        reject(none);
      });
      port.onMessage((raw) => {
        const message = raw as HostMessage;
        if (message.kind === 'hello') port.post({ kind: 'request', id: 1, route, input });
        if (message.kind !== 'reply') return;
        clearTimeout(timer);
        if (message.ok) resolve(message.value as Output<R>);
        else reject(new LabError(message.code, message.message, message.details));
      });
    });
  } finally {
    port.close();
  }
}

function read(path: string): Note | undefined {
  try {
    const { port, key } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Note>;
    if (!Number.isInteger(port) || port! < 1 || port! > 65_535 || typeof key !== 'string') return undefined;
    return { port: port!, key };
  } catch {
    return undefined;
  }
}
