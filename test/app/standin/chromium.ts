/** Chromium as a child of this process, spoken with over a pipe: when this process goes away, it goes too. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';

type Parameters = Readonly<Record<string, unknown>>;
/** What DevTools say is told apart by its method; who listens knows the shape of what they asked for. */
// oxlint-disable-next-line typescript/no-explicit-any
type Told = any;

interface Waiting {
  resolve(result: Told): void;
  reject(error: Error): void;
}

/** The largest screen that is looked at. */
export const SCREEN = { x: 0, y: 0, width: 1920, height: 1080 } as const;

export class Chromium {
  /** Where another program may speak with the same Chromium. */
  readonly endpoint: Promise<string>;
  readonly gone: Promise<void>;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Map<string, ((parameters: Told, session: string | undefined) => void)[]>();
  #next = 1;
  #text: Buffer[] = [];

  constructor(program: string, profile: string) {
    mkdirSync(profile, { recursive: true });
    this.#child = spawn(
      program,
      [
        '--headless=new',
        '--no-sandbox',
        '--remote-debugging-pipe',
        '--remote-debugging-port=0',
        `--user-data-dir=${profile}`,
        '--no-startup-window',
        '--no-first-run',
        '--disable-popup-blocking',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        // Electron tells pages when the other end of a port is closed; Chromium has it, switched off.
        '--enable-blink-features=MessagePortCloseEvent',
        // Windows are never covered by others in Electron's own test either: what is drawn must not depend on it.
        '--disable-backgrounding-occluded-windows',
        '--disable-renderer-backgrounding',
        `--screen-info={${SCREEN.width}x${SCREEN.height}}`,
      ],
      { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] },
    );
    this.gone = new Promise((resolve) => this.#child.once('exit', () => resolve()));
    this.endpoint = new Promise((resolve, reject) => {
      let said = '';
      this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
        const found = /ws:\/\/\S+/u.exec((said += text));
        if (found !== null) resolve(found[0]);
      });
      this.#child.once('error', reject);
      void this.gone.then(() => reject(new Error(`Chromium ended:\n${said}`)));
    });
    this.endpoint.catch(() => {});
    const output = this.#child.stdio[4] as Readable;
    output.on('data', (chunk: Buffer) => this.#take(chunk));
    (this.#child.stdio[3] as Writable).on('error', () => {});
    void this.gone.then(() => {
      for (const { reject } of this.#waiting.values()) reject(new Error('Chromium has ended.'));
      this.#waiting.clear();
    });
  }

  send(method: string, parameters: Parameters = {}, session?: string): Promise<Told> {
    const id = this.#next++;
    const message = { id, method, params: parameters, ...(session !== undefined && { sessionId: session }) };
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject: (error) => reject(new Error(`${method}: ${error.message}`)) });
      (this.#child.stdio[3] as Writable).write(`${JSON.stringify(message)}\0`);
    });
  }

  /** For what may fail because a page or its frame has gone meanwhile. */
  tell(method: string, parameters: Parameters = {}, session?: string): void {
    this.send(method, parameters, session).catch(() => {});
  }

  on(method: string, listener: (parameters: Told, session: string | undefined) => void): void {
    this.#listeners.set(method, [...(this.#listeners.get(method) ?? []), listener]);
  }

  async close(): Promise<void> {
    this.tell('Browser.close');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await this.gone;
    clearTimeout(timer);
  }

  #take(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(0); end >= 0; end = chunk.indexOf(0, from)) {
      this.#text.push(chunk.subarray(from, end));
      from = end + 1;
      const text = Buffer.concat(this.#text).toString();
      this.#text = [];
      this.#hear(JSON.parse(text) as Told);
    }
    this.#text.push(chunk.subarray(from));
  }

  #hear({ id, result, error, method, params, sessionId }: Told): void {
    if (id === undefined) {
      for (const listener of this.#listeners.get(method) ?? []) listener(params, sessionId);
      return;
    }
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(error.message));
  }
}
