/**
 * `npm run test:gpu [-- --budget SECONDS --out FOLDER --only STAGE,… --compare gpu.json]`: everything that only a GPU can show, in one go. Writes gpu.json
 * after every stage. Each stage is a process with a limit of its own, so that one that hangs, or breaks its context, costs no other. Without a card it
 * says so and ends well: nothing was checked.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { usableCard } from '../../main/engine/executors/cuda/card.ts';
import type { Card } from '../../main/engine/executors/cuda/card.ts';
import { CudaDevice } from '../../main/engine/executors/cuda/device.ts';
import { cudaExecutor } from '../../main/engine/executors/cuda/index.ts';
import { loadDriver } from '../../main/engine/executors/cuda/driver.ts';
import { driverLooks, firstThatLoads } from '../../main/engine/executors/cuda/libraries.ts';
import { thisMachine } from '../../main/engine/executors/cuda/surroundings.ts';
import { compareReports } from './report.ts';
import type { GpuReport, Row, StageResult } from './report.ts';
import { STAGES } from './stages/index.ts';
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
  },
});

async function driver(): Promise<string | undefined> {
  return (await firstThatLoads(driverLooks(thisMachine()), loadDriver)).look?.path;
}

/** Runs one stage in this process. */
async function runStage(name: string, result: string): Promise<void> {
  const stage = STAGES.find((each) => each.name === name)!;
  const library = await driver();
  const rows: Row[] = [];
  const keep = (error?: string) => writeFileSync(result, JSON.stringify({ rows, error }));
  let device: CudaDevice | undefined;
  let usable: Promise<Card> | undefined;
  try {
    await stage.run({
      device: () => (device ??= new CudaDevice(library!)),
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
        keep('ended before its end');
      },
    });
    keep();
  } catch (error) {
    keep((error as Error).stack ?? String(error));
  }
  device?.dispose();
}

/** Runs one stage in a process of its own. */
async function inProcess(stage: Stage, folder: string): Promise<StageResult> {
  const result = join(folder, `${stage.name}.json`);
  const began = performance.now();
  const options = ['--stage', stage.name, '--result', result, ...(values.quick ? ['--quick'] : [])];
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...options], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const limit = setTimeout(() => child.kill('SIGKILL'), stage.seconds * 2000);
  const [code, signal] = await new Promise<[number | null, string | null]>((ended) =>
    child.on('close', (...how) => ended(how)),
  );
  clearTimeout(limit);
  const seconds = (performance.now() - began) / 1000;
  const kept = existsSync(result)
    ? (JSON.parse(readFileSync(result, 'utf8')) as { rows: Row[]; error?: string })
    : { rows: [], error: 'left no result' };
  const how = code === 0 ? kept.error : `${kept.error ?? ''} (exit ${code ?? signal})`;
  return {
    name: stage.name,
    ok: how === undefined,
    seconds,
    rows: kept.rows,
    ...(how === undefined ? {} : { error: how }),
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
  if ((await driver()) === undefined) {
    console.log(
      'SKIPPED: no NVIDIA driver was found here, so nothing was checked on a GPU (`sweeplab doctor` says where it was looked for).',
    );
    return;
  }
  const began = performance.now();
  const budget = Number(values.budget);
  const only = values.only?.split(',');
  const out = resolve(values.out);
  mkdirSync(out, { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), 'sweeplab-gpu-'));
  const stages: StageResult[] = [];
  let report: GpuReport = { schema: 1, device: null, commit: commit(), stages };
  for (const stage of STAGES) {
    if (only !== undefined && !only.includes(stage.name)) continue;
    const left = budget - (performance.now() - began) / 1000;
    const result: StageResult =
      left < stage.seconds
        ? {
            name: stage.name,
            ok: false,
            skipped: true,
            seconds: 0,
            error: `only ${left.toFixed(0)} s were left`,
            rows: [],
          }
        : await inProcess(stage, folder);
    stages.push(result);
    report = { ...report, device: report.device ?? result.rows.find(({ what }) => what === 'device') ?? null };
    writeFileSync(join(out, 'gpu.json'), `${JSON.stringify(report, null, 1)}\n`);
    const word = result.ok ? 'ok' : result.skipped === true ? 'SKIPPED' : 'FAILED';
    console.log(`${stage.name.padEnd(12)} ${word.padEnd(8)} ${result.seconds.toFixed(1)} s  ${result.error ?? ''}`);
  }
  rmSync(folder, { recursive: true, force: true });
  if (values.compare !== undefined)
    for (const { stage, what } of compareReports(JSON.parse(readFileSync(values.compare, 'utf8')) as GpuReport, report))
      console.log(`worse: ${stage}: ${what}`);
  process.exitCode = stages.every(({ ok, skipped }) => ok || skipped === true) ? 0 : 1;
}

if (values.stage === undefined) await session();
else await runStage(values.stage, values.result!);
