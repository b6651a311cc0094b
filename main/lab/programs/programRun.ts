/**
 * One run of a program, from its start to its end: what it prints becomes the run's log, lines of JSON its points, its exit code its end. The
 * queue sees it as it sees training.
 *
 * Points come from standard output, from the file `$SWEEPLAB_METRICS` or from the W&B client, which finds the lab by its variables. All of
 * them are written through the one {@link OutsideRuns} of the host.
 */
import { existsSync } from 'node:fs';
import { mkdir, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { EngineMessage } from '../../../preload/contract/engine.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import { counted } from '../../../preload/shared/format.ts';
import { programSource } from '../../store/index.ts';
import type { Store } from '../../store/index.ts';
import type { OutsideLine, OutsideNews, OutsideRow, OutsideRun } from '../outside/outsideRun.ts';
import type { OutsideRuns } from '../outside/outsideRuns.ts';
import { cardEnv } from '../queue/place.ts';
import type { Ending, Slot, Training } from '../queue/place.ts';
import { commandText, withVariables } from './command.ts';
import { Lines } from './lines.ts';
import { rowOf } from './metricLines.ts';
import type { LaunchProgram, ProgramExit, ProgramProcess } from './process.ts';

export interface ProgramOptions {
  readonly store: Store;
  readonly runs: OutsideRuns;
  readonly launch: LaunchProgram;
  /** Parent of a folder for each run, which the program may use: it stays over its starts. */
  readonly files: string;
  /** Of the lab, which a program gets too. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where it may report beside its output, as variables of its environment. */
  readonly reporting?: (run: RunRecord, resumed: boolean) => Promise<Readonly<Record<string, string>>>;
  /** What it printed, line by line. */
  readonly onLine?: (run: RunRecord, line: OutsideLine) => void;
  /** Milliseconds between the wish that it ends and its end by force. */
  readonly patience?: number;
}

const PATIENCE = 10_000;
/** How long what it wrote is waited for when the database takes nothing and somebody wants the run to end. */
const COMMIT_PATIENCE = 2000;
/** How often the file of points is looked at. */
const LOOK_MS = 300;
/** How often its memory is measured, after a first look. */
const FIRST_MEASURE_MS = 500;
const MEASURE_MS = 4000;
const PIECE = 1 << 18;
/** Of its last lines one tells of a failure. */
const KEPT_LINES = 30;

export function startProgram(
  options: ProgramOptions,
  run: RunRecord,
  slot: Slot,
  onMessage: (message: EngineMessage) => void,
): Training {
  const program = new ProgramRun(options, run, slot, onMessage);
  return { ended: program.run(), conclude: program.conclude, stop: program.stop, kill: program.kill };
}

class ProgramRun {
  readonly #options: ProgramOptions;
  readonly #run: RunRecord;
  readonly #slot: Slot;
  readonly #onMessage: (message: EngineMessage) => void;
  readonly #source: string;
  #process: ProgramProcess | undefined;
  #exit: ProgramExit | undefined;
  #stopReason: string | undefined;
  #failure: string | undefined;
  /** It goes on, and what it had written after the place from which it does is written again. */
  #mayRepeat = false;
  /** The next step of lines that say none. */
  #counted = 0;
  readonly #lastErrors: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Resolved when nothing is waited for any longer. */
  readonly #hurry = Promise.withResolvers<void>();

  constructor(options: ProgramOptions, run: RunRecord, slot: Slot, onMessage: (message: EngineMessage) => void) {
    this.#options = options;
    this.#run = run;
    this.#slot = slot;
    this.#onMessage = onMessage;
    this.#source = programSource(run.id);
  }

  readonly stop = (reason: string, urgent = false): void => {
    this.#stopReason ??= reason;
    if (this.#exit !== undefined) return this.#hurrySoon();
    this.#process?.end('ask');
    const { patience = PATIENCE } = this.#options;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.kill(reason), urgent ? patience / 2 : patience);
  };

  readonly kill = (reason: string): void => {
    this.#stopReason ??= reason;
    this.#process?.end('kill');
    this.#hurrySoon();
  };

  async run(): Promise<void> {
    try {
      await this.#started();
    } catch (error) {
      this.#failure ??= (error as Error).message;
      this.#process?.end('kill');
      this.#exit ??= (await this.#process?.exited) ?? { code: null, signal: null };
    }
    clearTimeout(this.#timer);
  }

  readonly conclude = (): Ending => {
    const { code = null } = this.#exit ?? {};
    this.#outside.describe({ environment: { exit_code: code } });
    return this.#ending();
  };

  get #outside(): OutsideRun {
    return this.#options.runs.find(this.#source)!;
  }

  async #started(): Promise<void> {
    const { store, launch, env, files, reporting } = this.#options;
    const { id, seed, attempt } = this.#run;
    const program = store.outside.program(id);
    if (program === undefined) throw new Error('it is not known what is to be started');
    const again = attempt > 1;
    const resumed = again && program.resume !== null;
    const folder = join(files, id);
    const metrics = join(folder, 'metrics.jsonl');
    if (again && !resumed) await this.#beginAnew(metrics);
    this.#mayRepeat = resumed;
    this.#counted = Math.floor(this.#outside.lastStep) + 1;
    // The folder of all files is made, but no data folder that is gone.
    if (!existsSync(files)) await mkdir(files, { mode: 0o700 });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const whole = {
      ...withoutHost(env),
      // What Python prints is seen when it prints it.
      PYTHONUNBUFFERED: '1',
      ...cardEnv(this.#slot),
      ...(await reporting?.(this.#run, resumed)),
      SWEEPLAB_RUN_ID: id,
      SWEEPLAB_SEED: String(seed),
      SWEEPLAB_RUN_DIR: folder,
      SWEEPLAB_METRICS: metrics,
      SWEEPLAB_RESUME: resumed ? '1' : '',
    };
    const command = withVariables([...program.command, ...(resumed ? program.resume! : [])], whole);
    this.#outside.describe({
      environment: {
        command: commandText(command).slice(0, 20_000),
        folder: program.folder,
        ...(this.#slot.device === null ? {} : { device: this.#slot.device }),
        exit_code: null,
      },
    });
    if (this.#stopReason !== undefined) return;
    const ended = new AbortController();
    const from = await sizeOf(metrics);
    const started = launch({ runId: id, command, folder: program.folder, env: whole });
    this.#process = started;
    // Somebody wanted its end while it began.
    if (this.#stopReason !== undefined) started.end('kill');
    const written = Promise.all([
      this.#read(started.stdout, 'stdout'),
      this.#read(started.stderr, 'stderr'),
      this.#follow(metrics, from, ended.signal),
      this.#measure(started, ended.signal),
    ]).catch((error: unknown) => {
      this.#failure ??= `recording failed: ${(error as Error).message}`;
      started.end('kill');
    });
    this.#exit = await started.exited;
    started.stdout.destroy();
    started.stderr.destroy();
    ended.abort();
    if (this.#stopReason !== undefined) this.#hurrySoon();
    await Promise.race([written, this.#hurry.promise]);
  }

  /** What an earlier start has written is no part of this run. */
  async #beginAnew(metrics: string): Promise<void> {
    const { store, runs } = this.#options;
    runs.forget(this.#source);
    store.truncateAfter(this.#run.id, Number.MIN_SAFE_INTEGER);
    store.outside.resetFeed(this.#source);
    this.#onMessage({ type: 'begin', step: 0, keepUpTo: Number.MIN_SAFE_INTEGER });
    await rm(metrics, { force: true });
  }

  async #read(stream: Readable, name: 'stdout' | 'stderr'): Promise<void> {
    const lines = new Lines();
    try {
      for await (const piece of stream as AsyncIterable<Buffer>) await this.#printed(lines.take(piece), name);
    } catch (error) {
      // Nobody waits for what a process still holds that has outlived the program.
      if (!stream.destroyed || this.#exit === undefined) throw error;
    }
    await this.#printed(lines.end(), name);
    await this.#tooLong(lines);
  }

  async #printed(texts: readonly string[], stream: 'stdout' | 'stderr'): Promise<void> {
    const rows: OutsideRow[] = [];
    const lines: OutsideLine[] = [];
    const at = Date.now();
    for (const text of texts) {
      const row = stream === 'stdout' ? rowOf(text) : undefined;
      if (row !== undefined) rows.push(row);
      else lines.push({ text, at, stream });
    }
    for (const line of lines) this.#options.onLine?.(this.#run, line);
    if (stream === 'stderr') {
      this.#lastErrors.push(...texts.filter((text) => text.trim() !== '').slice(-KEPT_LINES));
      this.#lastErrors.splice(0, this.#lastErrors.length - KEPT_LINES);
    }
    await this.#add({ rows, lines });
  }

  /** Reads the file of points as it grows, and once more after the end. */
  async #follow(path: string, from: number, ended: AbortSignal): Promise<void> {
    const lines = new Lines();
    let at = from;
    for (let last = false; ;) {
      at = await this.#readFrom(path, at, lines);
      if (last) break;
      last = await delay(LOOK_MS, ended.aborted, { signal: ended }).catch(() => true);
    }
    await this.#points(lines.end());
    await this.#tooLong(lines);
  }

  /** Its memory, soon after the begin and then now and then: what the next runs of the script will need. */
  async #measure(started: ProgramProcess, ended: AbortSignal): Promise<void> {
    for (let pause = FIRST_MEASURE_MS; ; pause = Math.min(MEASURE_MS, 2 * pause)) {
      if (await delay(pause, ended.aborted, { signal: ended }).catch(() => true)) return;
      const memory = started.memory();
      if (memory === null) return;
      const run = this.#outside;
      await run.add({ system: [{ memory }], feed: run.feed });
    }
  }

  async #readFrom(path: string, from: number, lines: Lines): Promise<number> {
    if ((await sizeOf(path)) <= from) return from;
    const file = await open(path, 'r');
    try {
      const buffer = Buffer.alloc(PIECE);
      let at = from;
      while (this.#failure === undefined) {
        const { bytesRead } = await file.read(buffer, 0, PIECE, at);
        if (bytesRead === 0) break;
        at += bytesRead;
        await this.#points(lines.take(buffer.subarray(0, bytesRead)));
      }
      return at;
    } finally {
      await file.close();
    }
  }

  async #points(texts: readonly string[]): Promise<void> {
    const rows: OutsideRow[] = [];
    let others = 0;
    for (const text of texts) {
      const row = rowOf(text, this.#counted);
      if (row === undefined) {
        if (text.trim() !== '') others++;
        continue;
      }
      rows.push(row);
      this.#counted = Math.max(this.#counted, Math.floor(row.step)) + 1;
    }
    if (others > 0)
      this.#warn(
        `the file of points has ${counted(others, 'line')} without a point; a point is {"step": 1, "loss": 2.5}`,
      );
    await this.#add({ rows });
  }

  async #tooLong({ skipped }: Lines): Promise<void> {
    if (skipped > 0) this.#warn(`${counted(skipped, 'line')} left out: more than a million characters`);
  }

  #warn(message: string): void {
    // Waited for with the points that follow.
    this.#options.store.appendEvent({ runId: this.#run.id, kind: 'warning', message }).catch(() => undefined);
  }

  async #add({ rows = [], lines = [] }: Pick<OutsideNews, 'rows' | 'lines'>): Promise<void> {
    if (rows.length === 0 && lines.length === 0) return;
    if (this.#mayRepeat && rows.length > 0) this.#goOnFrom(rows[0]!.step);
    const run = this.#outside;
    // Not every line has every metric.
    const latest = Object.assign({}, ...rows.map(({ values }) => values)) as OutsideRow['values'];
    await run.add({ rows, lines, feed: run.feed, ...(rows.length === 0 ? {} : { summary: latest }) });
  }

  /** The first step after a resumption says from where it went on: what was written behind it is written again. */
  #goOnFrom(step: number): void {
    this.#mayRepeat = false;
    if (step > this.#outside.lastStep) return;
    const { store, runs } = this.#options;
    const keepUpTo = step - Math.max(1, Math.abs(step)) * Number.EPSILON;
    runs.forget(this.#source);
    store.truncateAfter(this.#run.id, keepUpTo);
    this.#onMessage({ type: 'begin', step: Math.max(0, Math.floor(step)), keepUpTo });
  }

  #hurrySoon(): void {
    setTimeout(this.#hurry.resolve, COMMIT_PATIENCE).unref();
  }

  #ending(): Ending {
    if (this.#failure !== undefined) return { state: 'failed', reason: this.#failure };
    if (this.#stopReason !== undefined) return { state: 'stopped', reason: this.#stopReason };
    const { code, signal, error } = this.#exit!;
    if (error !== undefined) return { state: 'failed', reason: `the program cannot be started: ${error}` };
    if (code === 0) return { state: 'finished', reason: 'exit code 0' };
    // The last line of a Python error is its message.
    const last = this.#lastErrors.at(-1);
    const hint = signal === 'SIGKILL' ? ': killed from outside, often by the system for want of memory' : '';
    const words = last === undefined ? '' : `: ${last.trim().slice(0, 300)}`;
    return { state: 'failed', reason: `${signal ?? `exit code ${code}`}${hint}${words}` };
  }
}

/** 0 for what is not there, or is no file. */
const sizeOf = async (path: string): Promise<number> => {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true ? found.size : 0;
};

/** Variables that make a program take itself for a part of the lab. */
const OF_THE_HOST = /^(?:NODE_CHANNEL_|ELECTRON_|NODE_OPTIONS$|NODE_COMPILE_CACHE$|SWEEPLAB_NODE$)/u;

const withoutHost = (env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !OF_THE_HOST.test(name)));
