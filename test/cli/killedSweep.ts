/**
 * A 2 × 2 × 2-seed sweep that is killed at random moments, host or engine, and resumed until it is done, compared with an
 * undisturbed one: weights bit for bit, every point of every metric but those that measure time, and nothing lost that was committed.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openStore } from '../../main/store/index.ts';
import type { Store } from '../../main/store/index.ts';
import { start, sweeplab, tiny } from './cli.ts';
import type { Running } from './cli.ts';

/** Metrics that measure the machine: they differ from run to run. */
const TIMED = new Set(['seconds', 'tokens_per_second', 'system/memory']);

export interface KillOptions {
  readonly steps: number;
  readonly random: () => number;
}

function sweepArguments(steps: number): string[] {
  const flags = tiny({
    'stop.steps': String(steps),
    'eval.every_steps': '10',
    // Dropout draws random numbers at every step: they must not depend on where a run was cut.
    'model.dropout': '0.1',
    'model.depth': ['1', '2'],
    'model.width': ['16', '32'],
  });
  return ['sweep', ...flags, '--seeds', '2'];
}

export interface RunResult {
  readonly steps: number;
  /** SHA-256 of weights.safetensors of the last checkpoint. */
  readonly weights: string;
  /** By metric: points as text, so that NaN compares equal. */
  readonly metrics: Readonly<Record<string, string>>;
}

/** The results of a finished sweep, by the name of the run. */
export function results(home: string): Record<string, RunResult> {
  const store = openStore(join(home, 'runs.sqlite'), { readOnly: true });
  try {
    return Object.fromEntries(
      store.listRuns().map((run) => {
        if (run.state !== 'finished') throw new Error(`${run.name} is ${run.state}: ${run.endReason}`);
        const weights = readFileSync(join(run.checkpoint!, 'weights.safetensors'));
        const metrics = store.metricNames(run.id).filter((name) => !TIMED.has(name));
        return [
          run.name,
          {
            steps: run.steps,
            weights: createHash('sha256').update(weights).digest('hex'),
            metrics: Object.fromEntries(metrics.map((name) => [name, pointsText(store, run.id, name)])),
          },
        ];
      }),
    );
  } finally {
    store.close();
  }
}

function pointsText(store: Store, id: string, metric: string): string {
  const { step, value } = store.readAll(id, metric);
  return [...step].map((at, i) => `${at}:${value[i]}`).join(' ');
}

/** An undisturbed sweep. */
export async function undisturbed(home: string, steps: number): Promise<void> {
  const outcome = await sweeplab(home, sweepArguments(steps));
  if (outcome.code !== 0) throw new Error(`the undisturbed sweep failed:\n${outcome.stdout}\n${outcome.stderr}`);
}

export interface KillReport {
  readonly host: number;
  readonly engine: number;
  /** Committed points that a look just before a kill saw, and that were there after it. */
  readonly kept: number;
}

/**
 * Runs the sweep with kills until it is finished. `reference` is the home of the undisturbed one, whose prepared data is reused.
 * @throws when a committed point is lost or the sweep does not come to its end
 */
export async function killed(home: string, reference: string, { steps, random }: KillOptions): Promise<KillReport> {
  cpSync(join(reference, 'cache'), join(home, 'cache'), { recursive: true });
  const report = { host: 0, engine: 0, kept: 0 };
  let args = sweepArguments(steps);
  for (let attempt = 0; ; attempt++) {
    if (attempt > 30) throw new Error('the sweep does not come to its end');
    const running = start(home, args);
    // The first three attempts are disturbed: host, engine, host. What is left then runs through.
    const disturb = attempt < 3;
    const ended = running.done.then(() => true);
    if (disturb) {
      const host = attempt !== 1;
      // By what is committed, not by the clock: a busy machine must not move the kills. The few milliseconds on top let them fall
      // anywhere within a step, an evaluation or the saving of a checkpoint.
      const share = doneShare(home, steps);
      const target = share + (1 - share) * (0.05 + 0.8 * random());
      const pause = 60 * random();
      const early = await Promise.race([
        ended,
        reached(home, steps, target, running)
          .then(() => delay(pause))
          .then(() => false),
      ]);
      if (!early) {
        const before = committed(home);
        if (host) {
          running.child.kill('SIGKILL');
          report.host++;
        } else if (killEngine(home, random)) report.engine++;
        await running.done;
        report.kept += assertKept(before, committed(home));
      }
    }
    const { code, stdout, stderr } = await running.done;
    const id = sweepId(home);
    if (id !== undefined) {
      if (code === 0) return report;
      args = ['sweep', '--retry-failed', id];
    }
    if (!disturb && code !== 0) throw new Error(`exit code ${code} without a kill:\n${stdout}\n${stderr}`);
  }
}

/** Share of the steps of all eight runs that are committed. */
function doneShare(home: string, steps: number): number {
  if (!existsSync(join(home, 'runs.sqlite'))) return 0;
  let store: Store;
  try {
    store = openStore(join(home, 'runs.sqlite'), { readOnly: true });
  } catch {
    // The database is being made.
    return 0;
  }
  try {
    return store.listRuns().reduce((sum, run) => sum + run.steps, 0) / (8 * steps);
  } finally {
    store.close();
  }
}

/** Resolves when so much is done, or the process has ended. */
async function reached(home: string, steps: number, target: number, { child }: Running): Promise<void> {
  while (child.exitCode === null && child.signalCode === null && doneShare(home, steps) < target) await delay(10);
}

function sweepId(home: string): string | undefined {
  if (!existsSync(join(home, 'runs.sqlite'))) return undefined;
  const store = openStore(join(home, 'runs.sqlite'), { readOnly: true });
  try {
    return store.listSweeps().at(-1)?.id;
  } finally {
    store.close();
  }
}

/** Every committed point of the timeless metrics. */
function committed(home: string): Map<string, string[]> {
  const points = new Map<string, string[]>();
  if (!existsSync(join(home, 'runs.sqlite'))) return points;
  let store: Store;
  try {
    store = openStore(join(home, 'runs.sqlite'), { readOnly: true });
  } catch {
    // The database is being made.
    return points;
  }
  try {
    for (const run of store.listRuns()) {
      for (const metric of store.metricNames(run.id)) {
        if (!TIMED.has(metric)) points.set(`${run.id} ${metric}`, pointsText(store, run.id, metric).split(' '));
      }
    }
    return points;
  } finally {
    store.close();
  }
}

/** @throws naming the first series that lost something. @returns how many points were there before */
function assertKept(before: Map<string, string[]>, after: Map<string, string[]>): number {
  let count = 0;
  for (const [series, points] of before) {
    const now = after.get(series) ?? [];
    points.forEach((point, i) => {
      if (now[i] !== point) throw new Error(`a committed point was lost: ${series}: ${point}, then ${now[i]}`);
    });
    count += points.length;
  }
  return count;
}

/** Kills one of the engines that the host has noted. */
function killEngine(home: string, random: () => number): boolean {
  const folder = join(home, 'engines');
  const notes = existsSync(folder) ? readdirSync(folder) : [];
  if (notes.length === 0) return false;
  const pid = Number(notes[Math.floor(random() * notes.length)].replace('.json', ''));
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}

/** Numbers in [0, 1) from a seed (mulberry32), so that a failing round can be repeated. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
