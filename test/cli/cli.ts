/** The real `sweeplab` command in processes of its own, with a data folder per test. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const BIN = fileURLToPath(new URL('../../main/cli/bin.js', import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly done: Promise<Outcome>;
  /** Resolves when the text so far (both streams) matches. */
  until(pattern: RegExp): Promise<void>;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Starts the command with `--data-dir home`. */
export function start(home: string, args: readonly string[], { input, env = {}, cwd }: RunOptions = {}): Running {
  const child = spawn(process.execPath, [BIN, ...args, '--data-dir', home], {
    cwd,
    env: { ...process.env, NO_COLOR: '1', SWEEPLAB_HOME: '', SWEEPLAB_DEBUG: '', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const watchers: { pattern: RegExp; resolve: () => void; reject: (error: Error) => void }[] = [];
  const look = (): void => {
    for (const { pattern, resolve } of watchers) if (pattern.test(stdout + stderr)) resolve();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    look();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    look();
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input ?? '');
  const done = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      for (const watcher of watchers)
        watcher.reject(new Error(`ended before ${watcher.pattern}:\n${stdout}\n${stderr}`));
      resolve({ code, signal, stdout, stderr });
    });
  });
  const until = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      watchers.push({ pattern, resolve, reject });
      look();
    });
  return { child, done, until };
}

export function sweeplab(home: string, args: readonly string[], options?: RunOptions): Promise<Outcome> {
  return start(home, args, options).done;
}

/** Runs with `--json` and parses what it printed. */
export async function json<T = unknown>(home: string, args: readonly string[], options?: RunOptions): Promise<T> {
  return parsed<T>(await sweeplab(home, [...args, '--json'], options));
}

/** The one JSON document of an outcome. */
export function parsed<T>({ code, stdout, stderr }: Outcome): T {
  try {
    return JSON.parse(stdout) as T;
  } catch (error) {
    throw new Error(`not JSON (exit code ${code}):\n${stdout}\n${stderr}`, { cause: error });
  }
}

export function temporaryHome(): string {
  return mkdtempSync(join(tmpdir(), 'sweeplab-cli-'));
}

export function removeHome(home: string): void {
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}

/** Settings of a run that takes a moment on any device: about 5,000 parameters, 20 kB of text. */
const TINY: Readonly<Record<string, string>> = {
  'data.size': '20000',
  'data.validation': '0.1',
  'model.context': '16',
  'model.depth': '1',
  'model.width': '16',
  'model.heads': '2',
  'batch.sequences': '4',
  'schedule.warmup_steps': '2',
  'eval.tokens': '320',
  'eval.every_steps': '5',
  'stop.steps': '10',
};

/** The flags of a tiny run, with some settings replaced or added; a list varies a setting. */
export function tiny(others: Readonly<Record<string, string | readonly string[]>> = {}): string[] {
  return Object.entries({ ...TINY, ...others }).flatMap(([name, value]) => [`--${name}`, ...[value].flat()]);
}
