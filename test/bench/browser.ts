/**
 * A page of a real Chromium that nothing looks into. Test drivers follow what a page does on its network, for which the browser copies every
 * message of a WebSocket as text to the driver: ten times what the page itself needs for it. So this speaks the few words of the DevTools
 * protocol that a measurement takes, and no more (https://chromedevtools.github.io/devtools-protocol/).
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FLAGS = [
  '--headless=new',
  '--remote-debugging-port=0',
  '--no-first-run',
  '--no-default-browser-check',
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--hide-scrollbars',
];
const SIZE = { width: 1440, height: 900 };
const PATIENCE = 30_000;

type Answer = Readonly<Record<string, unknown>>;
type Waiting = PromiseWithResolvers<Answer>;

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

export class BarePage {
  readonly #socket: WebSocket;
  readonly #close: () => Promise<void>;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Map<string, (params: Answer) => void>();
  #session: string | undefined;
  #next = 1;

  private constructor(socket: WebSocket, close: () => Promise<void>) {
    this.#socket = socket;
    this.#close = close;
    socket.addEventListener('message', ({ data }) => this.#receive(String(data)));
  }

  /** @param program the browser's */
  static async open(program: string): Promise<BarePage> {
    const profile = mkdtempSync(join(tmpdir(), 'sweeplab-bench-browser-'));
    const child = spawn(program, [...FLAGS, `--user-data-dir=${profile}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const address = await new Promise<string>((resolve, reject) => {
      let said = '';
      child.stderr.on('data', (text) => {
        said += String(text);
        const found = /DevTools listening on (\S+)/u.exec(said);
        if (found !== null) resolve(found[1]!);
      });
      child.once('exit', () => reject(new Error(`${program} ended: ${said}`)));
    });
    const socket = new WebSocket(address);
    await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }));
    const page = new BarePage(socket, async () => {
      child.kill();
      await exited;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    });
    const { targetId } = await page.send('Target.createTarget', { url: 'about:blank' });
    page.#session = String((await page.send('Target.attachToTarget', { targetId, flatten: true })).sessionId);
    await page.send('Page.enable');
    await page.send('Runtime.enable');
    await page.send('Emulation.setDeviceMetricsOverride', { ...SIZE, deviceScaleFactor: 1, mobile: false });
    return page;
  }

  send(method: string, params: object = {}): Promise<Answer> {
    const id = this.#next++;
    const waiting = Promise.withResolvers<Answer>();
    this.#waiting.set(id, waiting);
    this.#socket.send(JSON.stringify({ id, method, params, sessionId: this.#session }));
    return waiting.promise;
  }

  on(method: string, listener: (params: Answer) => void): void {
    this.#listeners.set(method, listener);
  }

  /** Before any script of a page. */
  async before<A>(script: (argument: A) => void, argument?: A): Promise<void> {
    await this.send('Page.addScriptToEvaluateOnNewDocument', { source: call(script, argument) });
  }

  async goto(url: string): Promise<void> {
    await this.send('Page.navigate', { url });
  }

  async reload(): Promise<void> {
    await this.send('Page.reload');
  }

  /** Runs a function in the page; it sees its argument and the page, and nothing around it here. */
  async evaluate<R, A>(script: (argument: A) => R | Promise<R>, argument?: A): Promise<R> {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', {
      expression: call(script, argument),
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined) throw new Error(saidBy(exceptionDetails));
    return (result as { value: R }).value;
  }

  async waitForSelector(selector: string): Promise<void> {
    const end = performance.now() + PATIENCE;
    // While a page loads there is nothing to ask.
    const there = async (): Promise<boolean> =>
      // oxlint-disable-next-line typescript/no-explicit-any -- a name of the page
      await this.evaluate((wanted) => (globalThis as any).document.querySelector(wanted) !== null, selector).catch(
        () => false,
      );
    while (!(await there())) {
      if (performance.now() > end) throw new Error(`There is no ${selector} in the page.`);
      await pause(50);
    }
  }

  waitForTimeout(milliseconds: number): Promise<void> {
    return pause(milliseconds);
  }

  async mouse(type: 'mouseMoved' | 'mousePressed' | 'mouseReleased', x: number, y: number): Promise<void> {
    const pressed = type !== 'mouseMoved';
    await this.send('Input.dispatchMouseEvent', {
      type,
      x,
      y,
      ...(pressed ? { button: 'left', clickCount: 1 } : {}),
    });
  }

  async picture(): Promise<Buffer> {
    const { data } = await this.send('Page.captureScreenshot', { format: 'png' });
    return Buffer.from(String(data), 'base64');
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.#close();
  }

  #receive(text: string): void {
    const { id, method, params, result, error } = JSON.parse(text) as {
      id?: number;
      method?: string;
      params?: Answer;
      result?: Answer;
      error?: { message: string };
    };
    if (id === undefined) return this.#listeners.get(method!)?.(params!);
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(result!);
    else waiting?.reject(new Error(error.message));
  }
}

const call = (script: unknown, argument: unknown): string => `(${String(script)})(${JSON.stringify(argument ?? null)})`;

/** The words of an exception as the protocol tells it. */
export function saidBy(details: unknown): string {
  const { text, exception } = details as { text: string; exception?: { description?: string } };
  return exception?.description ?? text;
}
