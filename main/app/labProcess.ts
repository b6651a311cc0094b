/**
 * The lab as seen from the desktop's process: started, started again after a crash, and joined to the ports of pages. It is a process of
 * plain Node, not one of Electron's: the engine, its worker threads and people's plug-ins are TypeScript that Node runs as it is, the
 * version of SQLite is the one that is tested, a packaged app needs no RunAsNode, and a stall of the lab never stalls a window.
 */
import { counted } from '../../preload/shared/format.ts';
import type { Duplex } from 'node:stream';
import type { Port } from '../../preload/contract/port.ts';
import type { Notice } from '../../preload/contract/shapes.ts';
import { Crashes } from './crashes.ts';
import { FrameStream } from './frames.ts';
import type { FromLab, ToLab } from './labMessages.ts';

/** A started process, as far as it is used here. */
export interface LabChild {
  readonly stream: Duplex;
  /** With the last lines of its standard error. */
  onExit(listener: (how: { code: number | null; stderr: string }) => void): void;
  kill(): void;
}

export interface LabProcessOptions {
  readonly spawn: () => LabChild;
  readonly onBusy?: (busy: boolean) => void;
  /** Asks the person at the machine whether pages may read a file or folder; without it they may not. */
  readonly onAsk?: (path: string) => Promise<boolean>;
  /** Asks them whether a program may be started; without it none is. */
  readonly onAskStart?: (words: string) => Promise<boolean>;
  readonly onFinished?: (notice: Notice) => void;
  /** It is not running and will not be started again, unless with `retry`. */
  readonly onFailure: (message: string) => void;
  /** Says whether a message of a page may pass; otherwise why not. */
  readonly refuse?: (message: unknown) => string | undefined;
  /** Replaced in tests. */
  readonly now?: () => number;
  readonly later?: (milliseconds: number, action: () => void) => void;
}

/** A lab that is asked to end saves checkpoints; after this time it is killed, and the next start goes on from the last ones. */
const PATIENCE = 30_000;

export class LabProcess {
  readonly #options: LabProcessOptions;
  readonly #ports = new Map<number, Port>();
  #child: LabChild | undefined;
  #stream: FrameStream | undefined;
  #waiting: Port[] = [];
  #ready = false;
  #busy = false;
  #next = 1;
  readonly #crashes = new Crashes();
  #ended: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  #failure: string | undefined;

  constructor(options: LabProcessOptions) {
    this.#options = options;
    this.#start();
  }

  /** True while a run trains. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Joins a page's port to the lab; while the lab starts, the port waits. */
  connect(port: Port): void {
    if (this.#closing !== undefined || this.#failure !== undefined) port.close();
    else if (this.#ready) this.#join(port);
    else this.#waiting.push(port);
  }

  /** Starts it once more after a failure: what stood in the way may be gone. */
  retry(): void {
    if (this.#failure === undefined || this.#closing !== undefined) return;
    this.#failure = undefined;
    // One that said why it cannot run may not have ended yet: it is started again when it has.
    if (this.#child === undefined) this.#start();
  }

  /** Ends training with checkpoints, then the process. */
  close(): Promise<void> {
    return (this.#closing ??= new Promise((resolve) => {
      if (this.#child === undefined) {
        resolve();
        return;
      }
      this.#ended = resolve;
      this.#tell({ type: 'close' });
      const child = this.#child;
      this.#later(PATIENCE, () => {
        if (this.#child === child) child.kill();
      });
    }));
  }

  #later(milliseconds: number, action: () => void): void {
    const { later = (time: number, run: () => void) => void setTimeout(run, time).unref() } = this.#options;
    later(milliseconds, action);
  }

  #start(): void {
    let child: LabChild;
    try {
      child = this.#options.spawn();
    } catch (error) {
      this.#fail((error as Error).message);
      return;
    }
    this.#child = child;
    this.#stream = new FrameStream(child.stream, {
      message: (client, message) => {
        if (client === 0) this.#hear(message as FromLab);
        else this.#ports.get(client)?.post(message);
      },
      end: (client) => this.#drop(client),
      closed: (error) => {
        // A stream that carries nonsense cannot be trusted any further.
        if (error !== undefined) child.kill();
      },
    });
    child.onExit((how) => this.#onExit(how));
  }

  #tell(message: ToLab): void {
    this.#stream?.send(0, message);
  }

  #hear(message: FromLab): void {
    switch (message.type) {
      case 'ready':
        this.#ready = true;
        for (const port of this.#waiting.splice(0)) this.#join(port);
        return;
      case 'busy':
        this.#setBusy(message.busy);
        return;
      case 'ask':
        void this.#ask(message.id, this.#options.onAsk?.(message.path));
        return;
      case 'askStart':
        void this.#ask(message.id, this.#options.onAskStart?.(message.words));
        return;
      case 'finished':
        this.#options.onFinished?.(message.notice);
        return;
      case 'failed':
        this.#fail(message.message);
        return;
    }
  }

  async #ask(id: number, answer: Promise<boolean> | undefined): Promise<void> {
    const yes = (await answer?.catch(() => false)) ?? false;
    this.#tell({ type: 'allowed', id, yes });
  }

  #join(port: Port): void {
    const client = this.#next++;
    this.#ports.set(client, port);
    this.#tell({ type: 'attach', client });
    port.onMessage((message) => {
      const reason = this.#options.refuse?.(message);
      if (reason === undefined) this.#forward(client, port, message);
      else refuse(port, message, reason);
    });
    port.onClose(() => {
      if (this.#ports.delete(client)) this.#stream?.end(client);
    });
  }

  #forward(client: number, port: Port, message: unknown): void {
    try {
      this.#stream?.send(client, message);
    } catch (error) {
      // Something that is no plain data: a mistake of the page, which must not end this process.
      refuse(port, message, (error as Error).message);
    }
  }

  #drop(client: number): void {
    const port = this.#ports.get(client);
    this.#ports.delete(client);
    port?.close();
  }

  #setBusy(busy: boolean): void {
    if (busy === this.#busy) return;
    this.#busy = busy;
    this.#options.onBusy?.(busy);
  }

  #onExit({ code, stderr }: { code: number | null; stderr: string }): void {
    this.#child = undefined;
    this.#stream = undefined;
    this.#ready = false;
    for (const client of this.#ports.keys()) this.#drop(client);
    this.#setBusy(false);
    if (this.#closing !== undefined || this.#failure !== undefined) {
      this.#ended?.();
      return;
    }
    const pause = this.#crashes.add((this.#options.now ?? Date.now)());
    if (pause === undefined)
      this.#fail(
        `The lab ended ${counted(this.#crashes.count, 'time')} within a minute (${code ?? 'killed'}). ${stderr}`.trim(),
      );
    else
      this.#later(pause, () => {
        if (this.#closing === undefined) this.#start();
      });
  }

  #fail(message: string): void {
    this.#failure = message;
    for (const port of this.#waiting.splice(0)) port.close();
    this.#options.onFailure(message);
  }
}

/** Answers in the place of the lab. Messages that want no answer are dropped. */
function refuse(port: Port, message: unknown, reason: string): void {
  const { kind, id } = (message ?? {}) as { kind?: unknown; id?: unknown };
  if (kind === 'request' && typeof id === 'number')
    port.post({ kind: 'reply', id, ok: false, code: 'input', message: reason });
}
