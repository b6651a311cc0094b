/**
 * `npm run test:gpu [-- --budget SECONDS --out FOLDER --only STAGE,… --compare gpu.json]`: everything that only a GPU can show, in one go. Writes gpu.json
 * after every stage, and what a stage has found so far into running.json. Each stage is a process with a limit of its own, so that one that hangs, or
 * breaks its context, costs no other; none goes on past the budget. Without a card it says so and ends well: nothing was checked.
 */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { usableCard } from '../../main/engine/executors/cuda/card.ts';
import type { Card } from '../../main/engine/executors/cuda/card.ts';
import { CudaDevice } from '../../main/engine/executors/cuda/device.ts';
import { cudaExecutor } from '../../main/engine/executors/cuda/index.ts';
import { findDriver } from '../../main/engine/executors/cuda/find.ts';
import { replaceFileSync } from '../../main/files/atomic.ts';
import { compareReports } from './report.ts';
import type { GpuReport, Row, StageResult } from './report.ts';
import { STAGES } from './stages/index.ts';
import { CardLostError } from './stage.ts';
import type { Stage } from './stage.ts';

const { values } = parseArgs({
  options: {
    budget: { type: 'string', default: '520' },
    out: { type: 'string', default: process.env['OUT'] ?? '.' },
    only: { type: 'string' },
    compare: { type: 'string' },
    /** Few repeats: to try the script itself where times mean nothing. */
    quick: { type: 'boolean', default: false },
    /** For the process of one stage: where it writes its result. */
    stage: { type: 'string' },
    result: { type: 'string' },
    from: { type: 'string', default: '0' },
  },
});

/** A thing of a stage that says which it is at, and no more for so long, hangs. */
const STALLED_MS = values.quick ? Infinity : 30_000;

/** What the process of a stage leaves. */
interface Left {
  readonly rows: readonly Row[];
  readonly error?: string;
  /** What it was at, where it does many things. */
  readonly at?: number;
  /** Whether it came to its end, right or wrong. */
  readonly ended: boolean;
}

/** Paths are those of whoever called, not of the tree that runs. */
const fromCaller = (path: string): string => resolve(process.env['INIT_CWD'] ?? '.', path);

/** Runs one stage in this process. */
async function runStage(name: string, result: string): Promise<void> {
  const stage = STAGES.find((each) => each.name === name)!;
  const library = (await findDriver()).found!.path;
  const rows: Row[] = [];
  let at: number | undefined;
  const keep = (ended: boolean, error?: string): void =>
    replaceFileSync(result, JSON.stringify({ rows, error, at, ended } satisfies Left));
  let device: CudaDevice | undefined;
  let usable: Promise<Card> | undefined;
  try {
    await stage.run({
      device: () => (device ??= new CudaDevice(library)),
      executor: async (products) => {
        const card = await (usable ??= usableCard(0));
        return cudaExecutor(products === 'own' ? { ...card, cublas: undefined } : card);
      },
      carriedJson: <T>(file: string): T | undefined => {
        const path = join(import.meta.dirname, 'carried', file);
        return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as T) : undefined;
      },
      limit: stage.seconds,
      quick: values.quick,
      row: (row) => {
        rows.push(row);
        keep(false, 'ended before its end');
      },
      from: Number(values.from),
      at: (number) => {
        at = number;
        keep(false, 'ended before its end');
      },
    });
    keep(true);
  } catch (error) {
    keep(!(error instanceof CardLostError), (error as Error).stack ?? String(error));
  }
  device?.dispose();
}

/** The process of a stage, with those that it began itself. */
let running: ChildProcess | undefined;
function end(): void {
  try {
    if (running?.pid !== undefined) process.kill(-running.pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    end();
    process.exit(1);
  });

/** Runs a stage, or what is left of it, in a process of its own. @param limit milliseconds until it is ended */
async function inProcess(stage: Stage, result: string, from: number, limit: number): Promise<Left> {
  rmSync(result, { force: true });
  const options = ['--stage', stage.name, '--result', result, '--from', String(from)];
  const args = [...process.execArgv, process.argv[1]!, ...options, ...(values.quick ? ['--quick'] : [])];
  const began = Date.now();
  const child = (running = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'], detached: true }));
  let why = '';
  const watch = setInterval(() => {
    const left = read(result);
    const last = Math.max(began, statSync(result, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    if (Date.now() - began > limit) why = 'its time was up';
    else if (left.at !== undefined && Date.now() - last > STALLED_MS) why = `it hangs at ${left.at}`;
    if (why !== '') end();
  }, 500);
  const [code, signal] = await new Promise<[number | null, string | null]>((ended) =>
    child.on('close', (...how) => ended(how)),
  );
  clearInterval(watch);
  // What it began may go on without it.
  end();
  const left = read(result);
  if (code === 0) return left;
  return { ...left, ended: false, error: `${left.error ?? ''} (${why === '' ? `exit ${code ?? signal}` : why})` };
}

function read(result: string): Left {
  if (!existsSync(result)) return { rows: [], error: 'left no result', ended: false };
  return JSON.parse(readFileSync(result, 'utf8')) as Left;
}

/** Runs a stage; again from behind what broke the card, or hung, where it does one thing after the other. @param seconds that are left */
async function runWhole(stage: Stage, result: string, seconds: number): Promise<StageResult> {
  const began = performance.now();
  const spent = (): number => (performance.now() - began) / 1000;
  // Emulated, beside other work, a stage may take any time.
  const limit = values.quick ? seconds : Math.min(2 * stage.seconds, seconds);
  const rows: Row[] = [];
  const errors: string[] = [];
  let from: number | undefined = 0;
  while (from !== undefined && spent() < limit) {
    const left = await inProcess(stage, result, from, 1000 * (limit - spent()));
    rows.push(...left.rows);
    if (left.error !== undefined) errors.push(left.error);
    from = left.ended || left.at === undefined ? undefined : left.at + 1;
  }
  return {
    name: stage.name,
    ok: errors.length === 0,
    seconds: spent(),
    rows,
    ...(errors.length === 0 ? {} : { error: errors.join('\n') }),
  };
}

function commit(): string {
  const carried = process.env['SWEEPLAB_COMMIT'];
  if (carried !== undefined) return carried;
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8', cwd: import.meta.dirname }).trim();
  } catch {
    return '';
  }
}

async function session(): Promise<void> {
  const { found: driver, why } = await findDriver();
  if (driver === undefined || driver.cards.length === 0) {
    const what = driver === undefined ? 'no NVIDIA driver was found here' : (why ?? 'the driver sees no card');
    console.log(
      `SKIPPED: ${what}, so nothing was checked on a GPU (\`sweeplab doctor\` says where it was looked for).`,
    );
    return;
  }
  const began = performance.now();
  const budget = Number(values.budget);
  const only = values.only?.split(',');
  const out = fromCaller(values.out);
  mkdirSync(out, { recursive: true });
  const result = join(out, 'running.json');
  const stages: StageResult[] = [];
  let report: GpuReport = { schema: 1, device: null, commit: commit(), stages };
  for (const stage of STAGES) {
    if (only !== undefined && !only.includes(stage.name)) continue;
    const left = budget - (performance.now() - began) / 1000;
    const found: StageResult =
      left < stage.seconds
        ? {
            name: stage.name,
            ok: false,
            skipped: true,
            seconds: 0,
            error: `only ${left.toFixed(0)} s were left`,
            rows: [],
          }
        : await runWhole(stage, result, left);
    stages.push(found);
    report = { ...report, device: report.device ?? found.rows.find(({ what }) => what === 'device') ?? null };
    replaceFileSync(join(out, 'gpu.json'), `${JSON.stringify(report, null, 1)}\n`);
    const word = found.ok ? 'ok' : found.skipped === true ? 'SKIPPED' : 'FAILED';
    console.log(`${stage.name.padEnd(12)} ${word.padEnd(8)} ${found.seconds.toFixed(1)} s  ${found.error ?? ''}`);
  }
  rmSync(result, { force: true });
  if (values.compare !== undefined)
    for (const { stage, what } of compareReports(
      JSON.parse(readFileSync(fromCaller(values.compare), 'utf8')) as GpuReport,
      report,
    ))
      console.log(`worse: ${stage}: ${what}`);
  process.exitCode = stages.every(({ ok, skipped }) => ok || skipped === true) ? 0 : 1;
}

if (values.stage === undefined) await session();
else await runStage(values.stage, values.result!);
