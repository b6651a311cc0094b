/**
 * The process of the lab in the desktop app: the same services as everywhere, over one stream (descriptor 3) to the desktop's process.
 * When that goes away, training ends with a checkpoint and this process with it.
 */
import { Socket } from 'node:net';
import { delimiter } from 'node:path';
import { parseArgs } from 'node:util';
import { PortCore } from '../../preload/contract/port.ts';
import type { Port } from '../../preload/contract/port.ts';
import { dataFolderProblem } from '../host/dataFolderProblem.ts';
import { loadWorkshop } from '../host/lab.ts';
import { dataHome } from '../host/paths.ts';
import { keepPrivate } from '../host/private.ts';
import { LabServer } from '../host/services/labServer.ts';
import { FrameStream } from './frames.ts';
import type { FromLab, ToLab } from './labMessages.ts';

keepPrivate();
const { values } = parseArgs({ options: { 'data-dir': { type: 'string' } } });
const clients = new Map<number, PortCore>();
let server: LabServer | undefined;
let ending = false;

const socket = new Socket({ fd: 3 });
const stream = new FrameStream(
  socket,
  {
    message: (client, message) => (client === 0 ? control(message as ToLab) : clients.get(client)?.receive(message)),
    end: (client) => drop(client),
    closed: () => void end(),
  },
  { bounded: true },
);
const tell = (message: FromLab): void => stream.send(0, message);

function control(message: ToLab): void {
  if (message.type === 'attach') attach(message.client);
  else if (message.type === 'allowed') questions.get(message.id)?.(message.yes);
  else void end();
}

/** Questions to the person at the machine that were not answered yet. */
const questions = new Map<number, (yes: boolean) => void>();
let nextQuestion = 1;

function question(message: (id: number) => FromLab): Promise<boolean> {
  const id = nextQuestion++;
  return new Promise<boolean>((resolve) => {
    questions.set(id, resolve);
    tell(message(id));
  }).finally(() => questions.delete(id));
}
const ask = (path: string): Promise<boolean> => question((id) => ({ type: 'ask', id, path }));
const askStart = (words: string): Promise<boolean> => question((id) => ({ type: 'askStart', id, words }));

function attach(client: number): void {
  const core = new PortCore();
  clients.set(client, core);
  const port: Port = {
    post: (message) => {
      if (!core.closed) stream.send(client, message);
    },
    onMessage: (listener) => core.onMessage(listener),
    onClose: (listener) => core.onClose(listener),
    pressure: () => stream.pressure,
    close: () => {
      if (clients.delete(client)) stream.end(client);
      core.close();
    },
  };
  // Pages reach the desktop's process first, which lets only paths through that were chosen in a dialog.
  if (server === undefined) port.close();
  else server.connect(port, { trusted: true });
}

function drop(client: number): void {
  const core = clients.get(client);
  clients.delete(client);
  core?.close();
}

async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  for (const client of clients.keys()) drop(client);
  await server?.close('urgent');
  process.exit(0);
}

process.on('SIGTERM', () => void end());
// Ctrl-C in the terminal of the desktop app: that process decides.
process.on('SIGINT', () => {});

try {
  const folders = (process.env.SWEEPLAB_ALLOW ?? '').split(delimiter).filter(Boolean);
  const opened = await LabServer.open(await loadWorkshop({ home: values['data-dir'] }), { folders, ask, askStart });
  server = opened;
  opened.onBusy((busy) => tell({ type: 'busy', busy }));
  opened.onFinished((notice) => tell({ type: 'finished', notice }));
  tell({ type: 'ready' });
  tell({ type: 'busy', busy: opened.training.length > 0 });
} catch (error) {
  console.error(error);
  // The app has no options for people.
  const folder = dataFolderProblem(error, dataHome(values['data-dir']), undefined, 'the variable SWEEPLAB_HOME');
  tell({ type: 'failed', message: folder ?? (error as Error).message });
  socket.end(() => process.exit(1));
}
