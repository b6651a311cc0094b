/**
 * The interface in a real Chromium, served by a real lab with made-up runs: how long a board of 500 runs × 10,000 points takes to open, to
 * follow the pointer, to hide a line and to zoom; frames per second while 20 runs × 20 metrics × 50 points/s come in; size of the bundle.
 *
 *     npm run bench -- ui [--only board|live] [--runs 500] [--points 10000]
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { PAGES } from '../../main/host/buildPages.ts';
import { loadWorkshop } from '../../main/host/lab.ts';
import { LabServer } from '../../main/host/services/labServer.ts';
import type { EngineExit, LaunchEngine } from '../../main/lab/queue/engine.ts';
import type { MetricColumn } from '../../preload/contract/metrics.ts';
import { memoryPorts } from '../../preload/contract/port.ts';
import { frames, hover, legend, openBoard, zoom } from './gestures.ts';
import { fill, hasBrowser, metricNames, onPage, option, plan } from './pageBench.ts';
import type { Bench } from './pageBench.ts';

declare const location: { hash: string };

/** `before`: points that the runs have when the board is opened. */
const LIVE = { runs: 20, metrics: 20, pointsPerSecond: 50, seconds: 8, before: 200 };
/** Engines send what they have as often. */
const FEED_MS = 100;
const TARGETS = { open: 2000, hover: 50, zoom: 200, picture: 400, fps: 30, pause: 50, bundle: 1.5e6 };
const liveMetrics = metricNames(LIVE.metrics);

function bundleBytes(): number {
  const folder = join(PAGES, 'assets');
  return readdirSync(folder)
    .filter((name) => /\.(js|css)$/u.test(name))
    .reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name))).length, 0);
}

/** Engines that only send points: another thread makes them, so that the lab's own does no more than it does for real engines. */
class Feeder {
  readonly #worker = new Worker(
    `const { parentPort, workerData: { metrics, per } } = require('node:worker_threads');
     const runs = new Map();
     parentPort.on('message', ({ id, number, step }) => runs.set(id, { number, step }));
     setInterval(() => {
       for (const [id, run] of runs) {
         const steps = Float64Array.from({ length: per }, (_, s) => run.step + s + 1);
         const columns = metrics.map((metric, k) => ({
           metric, steps, values: Float32Array.from(steps, (s) => 2 + k + 4 * Math.exp(-s / (800 + 3 * run.number)) + 0.05 * Math.sin(12.9898 * s + 78.233 * run.number)),
         }));
         run.step += per;
         parentPort.postMessage({ id, columns });
       }
     }, ${FEED_MS});`,
    { eval: true, workerData: { metrics: liveMetrics, per: (LIVE.pointsPerSecond * FEED_MS) / 1000 } },
  );
  readonly #listeners = new Map<string, (columns: readonly MetricColumn[]) => void>();
  sent = 0;

  constructor() {
    this.#worker.on('message', ({ id, columns }: { id: string; columns: readonly MetricColumn[] }) => {
      for (const { steps } of columns) this.sent += steps.length;
      this.#listeners.get(id)?.(columns);
    });
  }

  readonly launch: LaunchEngine = (runId, onMessage) => {
    const exit = Promise.withResolvers<EngineExit>();
    const number = this.#listeners.size;
    let seq = 0;
    setImmediate(() => onMessage({ type: 'ready', pid: 0 }));
    const end = (): void => {
      this.#listeners.delete(runId);
      exit.resolve({ code: 0, signal: null, stderr: [] });
    };
    return {
      pid: undefined,
      exited: exit.promise,
      send: (message) => {
        if (message.type === 'start') {
          onMessage({ type: 'begin', step: LIVE.before, keepUpTo: LIVE.before });
          this.#listeners.set(runId, (columns) => onMessage({ type: 'metrics', seq: ++seq, columns }));
          // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
          this.#worker.postMessage({ id: runId, number, step: LIVE.before });
        } else if (message.type === 'stop') {
          onMessage({ type: 'end', state: 'stopped', reason: 'measured', steps: 0, tokens: 0, summary: {} });
          end();
        }
      },
      kill: end,
    };
  };

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

const LAYOUTS = [
  ['means of 5 seeds', ''],
  ['every run a line', `&board=${encodeURIComponent('{"groupBy":"none"}')}`],
] as const;

/** Boards of finished runs: opened, pointed at, zoomed. */
async function boardBench({ page, row }: Bench, sweep: string, count: number, points: number): Promise<void> {
  for (const [name, query] of LAYOUTS) {
    await page.evaluate(() => (location.hash = '#/help'));
    await page.waitForTimeout(800);
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const opening = await openBoard(page, sweep, query);
    row(`open, ${count} runs × ${points} points, ${name}, all charts on screen`, opening.all, 'ms', TARGETS.open);
    await page.waitForTimeout(1500);
    delay.disable();
    row(`the lab's longest pause meanwhile, ${name}`, delay.max / 1e6, 'ms', TARGETS.pause);
    const times = await hover(page);
    row(`hover, ${name}, median`, times[15], 'ms', TARGETS.hover);
    row(`hover, ${name}, 90th percentile`, times[27], 'ms', TARGETS.hover);
    row(`legend, ${name}, median`, (await legend(page))[5], 'ms', TARGETS.hover);
    const { first, read, all } = await zoom(page);
    row(`zoom, ${name}, the first chart`, first, 'ms', TARGETS.zoom);
    row(`zoom, ${name}, all charts read again`, read, 'ms', TARGETS.zoom);
    row(`zoom, ${name}, all charts drawn`, all, 'ms', TARGETS.picture);
    await page.waitForTimeout(500);
  }
}

/** Boards of runs in training: frames of the page, pauses of the lab. */
async function liveBench({ lab, page, row }: Bench, feeder: Feeder, sweep: string): Promise<void> {
  const [own, other] = memoryPorts();
  lab.connect(other, { trusted: true });
  own.post({ kind: 'request', id: 1, route: 'queue.resume', input: {} });
  for (const [name, query] of LAYOUTS) {
    await page.evaluate(() => (location.hash = '#/help'));
    await page.waitForTimeout(300);
    await openBoard(page, sweep, query);
    await page.waitForTimeout(3000);
    feeder.sent = 0;
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const { fps, p95, worst } = await frames(page, LIVE.seconds);
    delay.disable();
    if (feeder.sent === 0) throw new Error('No points came in: there is nothing to measure.');
    const what = `live, ${LIVE.runs} runs × ${LIVE.metrics} metrics, ${Math.round(feeder.sent / LIVE.seconds)} points/s, ${name}`;
    row(what, fps, 'frames/s', TARGETS.fps, fps >= TARGETS.fps);
    row('  95th percentile between frames', p95, 'ms', 1000 / TARGETS.fps);
    row('  longest time between frames', worst, 'ms', TARGETS.hover);
    row("  the lab's pauses, 99th percentile", delay.percentile(99) / 1e6, 'ms', TARGETS.pause);
    row("  the lab's longest pause", delay.max / 1e6, 'ms', TARGETS.pause);
  }
  own.close();
}

export async function uiBench(args: string[]): Promise<void> {
  if (!hasBrowser()) return;
  const count = Number(option(args, '--runs', '500'));
  const points = Number(option(args, '--points', '10000'));
  const only = option(args, '--only');
  const home = mkdtempSync(join(tmpdir(), 'sweeplab-ui-bench-'));
  const feeder = new Feeder();
  const options = { paused: true, concurrency: LIVE.runs, launch: feeder.launch };
  const lab = await LabServer.open(await loadWorkshop({ home }), options);
  const { store } = lab.lab;
  try {
    const metrics = metricNames(6);
    const still = store.createSweep(
      { name: 'finished runs', spec: {}, state: 'finished' },
      only === 'live' ? [] : plan(count, metrics).map((run) => ({ ...run, state: 'finished' as const })),
    );
    await fill(store, still.runs, metrics, points);
    const live = store.createSweep({ name: 'live runs', spec: {}, state: 'running' }, plan(LIVE.runs, liveMetrics));
    await fill(store, live.runs, liveMetrics, LIVE.before);
    await onPage(lab, async (bench) => {
      if (only !== 'live') await boardBench(bench, still.sweep.id, count, points);
      if (only !== 'board') await liveBench(bench, feeder, live.sweep.id);
      bench.row('bundle, gzipped (scripts and styles)', bundleBytes() / 1e6, 'MB', TARGETS.bundle / 1e6);
    });
  } finally {
    await lab.close('kill');
    await feeder.close();
    rmSync(home, { recursive: true, force: true });
  }
}
