/** What `doctor` looks at: everything that Sweeplab needs or can use here, each with what to do when it is missing. */
import { existsSync, readFileSync } from 'node:fs';
import { access, constants, statfs } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { dirname } from 'node:path';
import type { Finding } from '../../preload/contract/shapes.ts';
import { EXECUTORS, ON_THE_PROCESSOR } from '../engine/executors/index.ts';
import { probeExecutor, probeExecutors } from '../engine/executors/select.ts';
import { hereOrPackaged, REINSTALL } from '../engine/installation.ts';
import type { Plugin } from '../lab/settings/plugins.ts';
import { openStore, StoreError } from '../store/index.ts';
import { cudaFindings } from './cudaCheckup.ts';
import type { LabPaths } from './paths.ts';
import { packageVersion } from './version.ts';
import { counted } from '../../preload/shared/format.ts';

const GB = 1e9;
/** Less free space than this is worth a word: checkpoints of a sweep fill it quickly. */
const LITTLE_SPACE = 2 * GB;

type Check = () => Promise<Finding[] | Finding> | Finding[] | Finding;

/** Looks at everything. Never throws. Creates nothing. */
export function checkup(paths: LabPaths, loaded: readonly Plugin[], pluginError?: Error): Promise<Finding[]> {
  return look([
    node,
    processor,
    memory,
    executors,
    cudaFindings,
    () => folder(paths),
    () => database(paths),
    () => plugins(paths, loaded, pluginError),
    optionalParts,
  ]);
}

/** Of it what somebody who begins on a machine wants to know beside its devices: what they train with, what is missing, where there is room. */
export function machineFindings(paths: LabPaths): Promise<Finding[]> {
  const scarce = [memory()].filter(({ state }) => state !== 'ok');
  return look([nativeKernels, cards, () => scarce, () => folder(paths)]);
}

/** Without a card and its driver there is one thing to say of all that would be done with them. */
async function cards(): Promise<Finding[]> {
  const found = await cudaFindings();
  const driver = found.find(({ name }) => name === 'CUDA driver');
  if (driver?.state === 'ok' || found.some(({ name }) => name.startsWith('GPU '))) return found;
  return found
    .filter(({ name }) => name === 'NVIDIA GPUs')
    .map((finding) => ({ ...finding, ...(driver?.advice === undefined ? {} : { advice: driver.advice }) }));
}

async function look(checks: readonly Check[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const check of checks) {
    try {
      findings.push(...[await check()].flat());
    } catch (error) {
      findings.push({ name: check.name || 'check', state: 'problem', detail: (error as Error).message });
    }
  }
  return findings;
}

function node(): Finding[] {
  const { node: version, sqlite } = process.versions;
  return [
    { name: 'Sweeplab', state: 'ok', detail: packageVersion() },
    { name: 'Node', state: 'ok', detail: `${version} (${process.platform} ${process.arch}), SQLite ${sqlite}` },
  ];
}

/** Instruction sets that the executors make use of, as the system lists them. */
const FEATURES = ['avx2', 'fma', 'avx512f', 'avx512_bf16', 'amx_bf16', 'amx_tile', 'neon', 'asimd', 'bf16'];

function processor(): Finding {
  const model = cpus()[0]?.model.trim() ?? 'unknown';
  let features: string[] = [];
  try {
    const flags =
      /^(?:flags|Features)\s*:(.*)$/mu.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].trim().split(/\s+/u) ?? [];
    features = FEATURES.filter((name) => flags.includes(name));
  } catch {
    // Only Linux tells; the executors find out for themselves.
  }
  const list = features.length > 0 ? `; ${features.join(', ')}` : '';
  return { name: 'Processor', state: 'ok', detail: `${model}, ${availableParallelism()} cores${list}` };
}

function memory(): Finding {
  const detail = `${(totalmem() / GB).toFixed(1)} GB, ${(freemem() / GB).toFixed(1)} GB free`;
  return totalmem() < 2 * GB
    ? { name: 'Memory', state: 'problem', detail, advice: 'each run needs about 0.3 GB: use --concurrency 1' }
    : { name: 'Memory', state: 'ok', detail };
}

async function executors(): Promise<Finding[]> {
  const found = await probeExecutors();
  const any = found.some(({ available }) => available);
  return [
    ...found.map(({ kind: { name, fastest }, available, detail, advice }): Finding => ({
      name: `Executor ${name}`,
      state: available ? 'ok' : 'missing',
      detail: available ? `${detail}; precision.policy auto: ${fastest().policy}` : detail,
      ...(advice === undefined ? {} : { advice }),
    })),
    ...(any ? [] : [{ name: 'Executors', state: 'problem', detail: 'none can be used', advice: REINSTALL } as const]),
  ];
}

/** Whether the processor trains as fast as it can. */
async function nativeKernels(): Promise<Finding> {
  const name = 'Native kernels';
  const { available, detail, advice } = await probeExecutor(ON_THE_PROCESSOR);
  if (available) return { name, state: 'ok', detail };
  const slower = `${detail}: training on the processor is several times slower`;
  return { name, state: 'missing', detail: slower, ...(advice === undefined ? {} : { advice }) };
}

async function folder({ home }: LabPaths): Promise<Finding[]> {
  let existing = home;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  try {
    await access(existing, constants.W_OK);
  } catch {
    return [
      {
        name: 'Data folder',
        state: 'problem',
        detail: `${home} cannot be written`,
        advice: 'choose another one: --data-dir or SWEEPLAB_HOME',
      },
    ];
  }
  const { bavail, bsize } = await statfs(existing);
  const free = bavail * bsize;
  const space: Finding = { name: 'Disk', state: 'ok', detail: `${(free / GB).toFixed(1)} GB free` };
  return [
    { name: 'Data folder', state: 'ok', detail: existsSync(home) ? home : `${home} (made by the first run)` },
    free < LITTLE_SPACE
      ? { ...space, state: 'problem', advice: 'free some space, or choose another disk: --data-dir' }
      : space,
  ];
}

function database({ database: path }: LabPaths): Finding {
  const name = 'Run database';
  try {
    const store = openStore(path, { readOnly: true });
    try {
      const wrong = store.check();
      const size = `${counted(store.countRuns(), 'run')}, ${(store.sizeOnDisk() / 1e6).toFixed(1)} MB`;
      if (wrong.length === 0) return { name, state: 'ok', detail: `${size}, intact` };
      return {
        name,
        state: 'problem',
        detail: `${size}; damaged: ${wrong.slice(0, 3).join('; ')}`,
        advice: `keep a copy of ${path}, then export what can be read`,
      };
    } finally {
      store.close();
    }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.code === 'missing') return { name, state: 'ok', detail: 'none yet; the first run makes it' };
    return { name, state: 'problem', detail: error.message };
  }
}

function plugins({ plugins: path }: LabPaths, loaded: readonly Plugin[], error: Error | undefined): Finding {
  const name = 'Plug-ins';
  if (error !== undefined)
    return { name, state: 'problem', detail: error.message, advice: 'repair the file or take it away' };
  if (loaded.length === 0) return { name, state: 'ok', detail: `none (put .ts files into ${path})` };
  const more = loaded.map((plugin) => `${plugin.name}: ${plugin.file}`);
  return { name, state: 'ok', detail: loaded.map((plugin) => plugin.name).join(', '), more };
}

/** Packages that npm may have left out, or that no package of the app carries. */
function optionalParts(): Finding {
  const require = createRequire(import.meta.url);
  const wanted = EXECUTORS.flatMap(({ needs }) => needs ?? []);
  const absent = wanted.filter((name) => {
    try {
      require.resolve(`${name}/package.json`);
      return false;
    } catch {
      return true;
    }
  });
  return absent.length === 0
    ? { name: 'Optional parts', state: 'ok', detail: 'all installed' }
    : {
        name: 'Optional parts',
        state: 'missing',
        detail: `not installed: ${absent.join(', ')}`,
        advice: hereOrPackaged(
          'npm install, with a network; Sweeplab works without',
          'packages leave it out; Sweeplab works without',
        ),
      };
}
