/** A peer program in another process that works on command: one line in, one line of JSON out. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Peer<Hello, Answer> {
  /** What it said when it was ready. */
  readonly hello: Hello;
  ask(line: string): Promise<Answer>;
  close(): void;
}

/**
 * The C library gives large arrays back to the system at once and asks for them again: on a machine where fresh pages are dear that, and not
 * arithmetic, is what a peer with arrays of hundreds of megabytes would be timed at. With these it keeps them, as our arena does.
 */
const KEPT_MEMORY = {
  MALLOC_MMAP_MAX_: '0',
  MALLOC_TRIM_THRESHOLD_: String(2 ** 36),
  MALLOC_TOP_PAD_: String(2 ** 28),
};

/** Starts `python script argument`. Rejects with what it wrote to standard error when it ends before it is ready. */
export async function startPeer<Hello, Answer>(
  python: string,
  script: string,
  argument: object,
): Promise<Peer<Hello, Answer>> {
  const child = spawn(python, [script, JSON.stringify(argument)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...KEPT_MEMORY },
  });
  const errors: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
  const ended = new Promise<never>((_, reject) => {
    child.on('error', reject);
    child.on('exit', (code) =>
      reject(new Error(`the peer ended with code ${code}: ${errors.join('').trim().split('\n').at(-1) ?? ''}`)),
    );
  });
  ended.catch(() => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async <T>(): Promise<T> => {
    const line = await Promise.race([lines.next(), ended]);
    if (line.done === true) return ended;
    return JSON.parse(line.value) as T;
  };
  const hello = await next<Hello>();
  return {
    hello,
    ask: (line) => {
      child.stdin.write(`${line}\n`);
      return next<Answer>();
    },
    close: () => {
      child.stdin.end();
      child.kill();
    },
  };
}
