/**
 * The `sweeplab` command in the process of the test: all that it prints and answers, without the seconds that a process takes to
 * load it. What signals, streams and starts do needs a process (cli.ts); each command is tried in one at least once.
 */
import { Readable } from 'node:stream';
import { vi } from 'vitest';
import { run } from '../../main/cli/main.ts';
import { parsed } from './cli.ts';
import type { Outcome, RunOptions } from './cli.ts';

type Write = typeof process.stdout.write;

/** Collects what is written to a stream, as a pipe does. */
function collect(stream: NodeJS.WriteStream): { readonly text: string; end(): void } {
  const pieces: Buffer[] = [];
  const write = ((piece: string | Uint8Array, ...rest: unknown[]): boolean => {
    pieces.push(Buffer.from(piece as string));
    const written = rest.at(-1);
    if (typeof written === 'function') queueMicrotask(written as () => void);
    return true;
  }) as Write;
  const spy = vi.spyOn(stream, 'write').mockImplementation(write);
  const listeners = new Set(stream.listeners('error'));
  return {
    get text() {
      return Buffer.concat(pieces).toString();
    },
    end() {
      spy.mockRestore();
      // A command listens to its streams until its process ends.
      for (const each of stream.listeners('error'))
        if (!listeners.has(each)) stream.removeListener('error', each as () => void);
    },
  };
}

/** The one before: streams, environment and exit code are those of the process, so commands run one after another. */
let last: Promise<unknown> = Promise.resolve();

/** Runs the command with `--data-dir home`. */
export function inside(home: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  // What stands behind `--` is somebody else's.
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  const next = last.then(() => once([...args.slice(0, end), '--data-dir', home, ...args.slice(end)], options));
  last = next.catch(() => undefined);
  return next;
}

async function once(args: readonly string[], { input = '', env = {} }: RunOptions): Promise<Outcome> {
  const environment = { NO_COLOR: '1', SWEEPLAB_HOME: '', SWEEPLAB_DEBUG: '', ...env };
  const before = Object.keys(environment).map((name) => [name, process.env[name]] as const);
  const [mask, exitCode] = [process.umask(), process.exitCode];
  const stdin = vi
    .spyOn(process, 'stdin', 'get')
    .mockReturnValue(Readable.from([Buffer.from(input)]) as typeof process.stdin);
  const [out, err] = [collect(process.stdout), collect(process.stderr)];
  try {
    Object.assign(process.env, environment);
    process.exitCode = undefined;
    await run(args);
    return { code: Number(process.exitCode ?? 0), signal: null, stdout: out.text, stderr: err.text };
  } finally {
    for (const each of [out, err]) each.end();
    stdin.mockRestore();
    process.exitCode = exitCode;
    process.umask(mask);
    for (const [name, value] of before)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  }
}

/** Runs with `--json` and parses what it printed. */
export async function jsonInside<T = unknown>(home: string, args: readonly string[], options?: RunOptions): Promise<T> {
  return parsed<T>(await inside(home, ['--json', ...args], options));
}
