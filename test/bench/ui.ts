/**
 * The interface in a real Chromium, served by a real lab with made-up runs: how long a board of 500 runs × 10,000 points takes to open, to
 * follow the pointer, to hide a line and to zoom; frames per second while 20 runs × 20 metrics × 50 points/s come in; size of the bundle.
 *
 *     npm run bench -- ui [--only board|live] [--runs 500] [--points 10000]
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import type { Page } from 'playwright-core';
import { buildPages, needsBuild, PAGES } from '../../main/host/buildPages.ts';
import { loadWorkshop } from '../../main/host/lab.ts';
import { LabServer } from '../../main/host/services/labServer.ts';
import type { EngineExit, LaunchEngine } from '../../main/lab/queue/engine.ts';
import { serveBrowsers } from '../../main/server/server.ts';
import type { MetricColumn } from '../../preload/contract/metrics.ts';
import { memoryPorts } from '../../preload/contract/port.ts';
import type { NewRun, RunRecord } from '../../preload/contract/runs.ts';

// Names of the page, for the functions that are sent there; the types of this program are Node's.
/* oxlint-disable typescript/no-explicit-any */
declare const location: any;
declare const document: any;
declare const requestAnimationFrame: (done: (now: number) => void) => number;
declare const PointerEvent: any;
declare const MutationObserver: any;
/* oxlint-enable typescript/no-explicit-any */

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
/** `before`: points that the runs have when the board is opened. */
const LIVE = { runs: 20, metrics: 20, pointsPerSecond: 50, seconds: 8, before: 200 };
/** Engines send what they have as often. */
const FEED_MS = 100;
const TARGETS = { open: 2000, hover: 50, zoom: 200, fps: 30, pause: 50, bundle: 1.5e6 };
const liveMetrics = Array.from({ length: LIVE.metrics }, (_, k) => (k === 0 ? 'val/loss' : `val/metric_${k}`));

const value = (run: number, metric: number, step: number): number =>
  2 + metric + 4 * Math.exp(-step / (800 + 3 * run)) + 0.05 * Math.sin(12.9898 * step + 78.233 * run);

function plan(count: number, metrics: readonly string[]): NewRun[] {
  return Array.from({ length: count }, (_, i) => {
    const width = 32 * 2 ** (Math.floor(i / 5) % 5);
    const lr = 0.001 * (1 + Math.floor(i / 25));
    return {
      name: `width=${width} lr=${lr} seed=${i % 5}`,
      config: { seed: i % 5, 'model.width': width, 'optimizer.lr': lr },
      seed: i % 5,
      settingKey: `${width}/${lr}`,
      summary: Object.fromEntries(metrics.map((name, k) => [name, value(i, k, 1e9)])),
      color: Math.floor(i / 5),
    };
  });
}

async function fill(
  lab: LabServer,
  runs: readonly RunRecord[],
  metrics: readonly string[],
  points: number,
): Promise<void> {
  const { store } = lab.lab;
  const steps = Float64Array.from({ length: points }, (_, s) => s + 1);
  for (const [i, run] of runs.entries())
    await store.appendMetrics(
      run.id,
      metrics.map((metric, k) => ({ metric, steps, values: steps.map((s) => value(i, k, s)) })),
      { steps: points },
    );
  // What a lab does by itself within a minute, in slices that nobody notices.
  while (store.sumUp(50));
}

/** Resolves once `count` charts of the board show curves, with the milliseconds since `go` was called in the page. */
const openBoard = (page: Page, sweep: string, query: string, count: number): Promise<number> =>
  page.evaluate(
    async ([hash, wanted]) => {
      const begin = performance.now();
      location.hash = hash as string;
      await new Promise<void>((resolve) => {
        const look = (): void => {
          const drawn = [...document.querySelectorAll('[data-drawn]')].filter(
            (each: { dataset: { drawn: string } }) => Number(each.dataset.drawn) > 0,
          );
          if (drawn.length >= (wanted as number)) resolve();
          else requestAnimationFrame(look);
        };
        look();
      });
      return performance.now() - begin;
    },
    [`#/board?sweep=${sweep}${query}`, count] as const,
  );

/** From the pointer's move to the end of the frame that shows it. */
const hover = (page: Page): Promise<number[]> =>
  page.evaluate(async () => {
    const canvas = document.querySelector('canvas.overlay');
    const box = canvas.getBoundingClientRect();
    const times: number[] = [];
    for (let i = 0; i < 30; i++) {
      const begin = performance.now();
      canvas.dispatchEvent(
        new PointerEvent('pointermove', { clientX: box.x + 80 + 6 * i, clientY: box.y + 90, bubbles: true }),
      );
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
      times.push(performance.now() - begin);
    }
    return times.sort((a, b) => a - b);
  });

/** Milliseconds from hiding or showing the first row of the run list until the first chart is drawn without or with it, sorted. */
const legend = (page: Page): Promise<number[]> =>
  page.evaluate(async () => {
    const times: number[] = [];
    const chart = document.querySelector('[data-drawn]');
    for (let i = 0; i < 10; i++) {
      const drawn = new Promise<void>((resolve) => {
        const watch = new MutationObserver(() => {
          watch.disconnect();
          resolve();
        });
        watch.observe(chart, { attributes: true, attributeFilter: ['data-drawn'] });
      });
      const begin = performance.now();
      document.querySelector('button.eye').click();
      await drawn;
      times.push(performance.now() - begin);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    return times.sort((a, b) => a - b);
  });

/** Milliseconds since the drag was let go of. */
interface Zoom {
  /** Until the chart under the pointer shows the range with the points that it has. */
  readonly first: number;
  /** Until it shows the points of the range read from the database. */
  readonly sampled: number;
  /** Until every chart on screen shows them. */
  readonly all: number;
}

/** Charts are watched for two seconds; each draws the range at once, and again when its points have been read. */
async function zoom(page: Page): Promise<Zoom> {
  const box = (await page.locator('canvas.overlay').first().boundingBox())!;
  await page.mouse.move(box.x + 100, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + 180, box.y + 60);
  const measured = page.evaluate(async () => {
    const hosts = [...document.querySelectorAll('[data-drawn]')];
    const draws: { at: number; points: number }[][] = hosts.map(() => []);
    let begin = 0;
    const watch = new MutationObserver((changes: { target: unknown }[]) => {
      if (begin === 0) return;
      for (const { target } of changes)
        draws[hosts.indexOf(target)]!.push({
          at: performance.now() - begin,
          points: Number((target as { dataset: { points: string } }).dataset.points),
        });
    });
    for (const host of hosts) watch.observe(host, { attributes: true, attributeFilter: ['data-drawn'] });
    await new Promise<void>((resolve) => {
      document.querySelector('canvas.overlay').addEventListener(
        'pointerup',
        () => {
          begin = performance.now();
          setTimeout(resolve, 2000);
        },
        { once: true, capture: true },
      );
    });
    watch.disconnect();
    return draws;
  });
  await page.waitForTimeout(50);
  await page.mouse.up();
  const draws = await measured;
  const [own] = draws;
  const coarse = own?.[0];
  // The points of the range are many times those that a chart of everything has in it.
  const fine = (drawn: typeof own) => drawn?.find(({ points }) => points > 2 * coarse!.points)?.at;
  const sampled = coarse === undefined ? undefined : fine(own);
  if (sampled === undefined) throw new Error('The chart did not read the points of the range that it shows.');
  return {
    first: coarse!.at,
    sampled,
    all: Math.max(...draws.filter(({ length }) => length > 0).map((drawn) => fine(drawn) ?? drawn.at(-1)!.at)),
  };
}

const frames = (page: Page, seconds: number): Promise<{ fps: number; p95: number; worst: number }> =>
  page.evaluate(async (ms) => {
    const gaps: number[] = [];
    const begin = performance.now();
    let last = begin;
    await new Promise<void>((resolve) => {
      const tick = (now: number): void => {
        gaps.push(now - last);
        last = now;
        if (performance.now() - begin < ms) requestAnimationFrame(tick);
        else resolve();
      };
      requestAnimationFrame(tick);
    });
    gaps.sort((a, b) => a - b);
    return {
      fps: (1000 * gaps.length) / (performance.now() - begin),
      p95: gaps[Math.floor(0.95 * gaps.length)],
      worst: gaps.at(-1)!,
    };
  }, 1000 * seconds);

function bundleBytes(): number {
  const folder = join(PAGES, 'assets');
  return readdirSync(folder)
    .filter((name) => /\.(js|css)$/u.test(name))
    .reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name))).length, 0);
}

const option = (args: readonly string[], name: string, usual: number): number => {
  const at = args.indexOf(name);
  return at === -1 ? usual : Number(args[at + 1]);
};

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

interface Bench {
  readonly lab: LabServer;
  readonly page: Page;
  row(what: string, measured: number, unit: string, target: number, met?: boolean): void;
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
    row(`open, ${count} runs × ${points} points, ${name}`, await openBoard(page, sweep, query, 3), 'ms', TARGETS.open);
    await page.waitForTimeout(1500);
    delay.disable();
    row(`the lab's longest pause meanwhile, ${name}`, delay.max / 1e6, 'ms', TARGETS.pause);
    const times = await hover(page);
    row(`hover, ${name}, median`, times[15], 'ms', TARGETS.hover);
    row(`hover, ${name}, 90th percentile`, times[27], 'ms', TARGETS.hover);
    row(`legend, ${name}, median`, (await legend(page))[5], 'ms', TARGETS.hover);
    const { first, sampled, all } = await zoom(page);
    row(`zoom, ${name}, known points`, first, 'ms', TARGETS.zoom);
    row(`zoom, ${name}, points of the range`, sampled, 'ms', TARGETS.zoom);
    row(`zoom, ${name}, on all charts`, all, 'ms', TARGETS.zoom);
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
    await openBoard(page, sweep, query, 3);
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
  if (!existsSync(CHROMIUM)) {
    console.log(`Skipped: no Chromium at ${CHROMIUM} (set CHROMIUM to where it is).`);
    return;
  }
  const count = option(args, '--runs', 500);
  const points = option(args, '--points', 10_000);
  const at = args.indexOf('--only');
  const only = at === -1 ? undefined : args[at + 1];
  if (await needsBuild()) await buildPages();
  const home = mkdtempSync(join(tmpdir(), 'sweeplab-ui-bench-'));
  const feeder = new Feeder();
  const options = { paused: true, concurrency: LIVE.runs, launch: feeder.launch };
  const lab = await LabServer.open(await loadWorkshop({ home }), options);
  const { store } = lab.lab;
  const metrics = Array.from({ length: 6 }, (_, k) => (k === 0 ? 'val/loss' : `val/metric_${k}`));
  const still = store.createSweep(
    { name: 'finished runs', spec: {}, state: 'finished' },
    only === 'live' ? [] : plan(count, metrics).map((run) => ({ ...run, state: 'finished' as const })),
  );
  await fill(lab, still.runs, metrics, points);
  const live = store.createSweep({ name: 'live runs', spec: {}, state: 'running' }, plan(LIVE.runs, liveMetrics));
  await fill(lab, live.runs, liveMetrics, LIVE.before);

  const server = await serveBrowsers({ lab, pages: PAGES, port: 0 });
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  const rows: { what: string; measured: string; target: string; met: boolean }[] = [];
  const row: Bench['row'] = (what, measured, unit, target, met = measured <= target) => {
    rows.push({
      what,
      measured: `${measured.toFixed(measured < 100 ? 1 : 0)} ${unit}`,
      target: `${target.toFixed(target < 10 ? 1 : 0)} ${unit}`,
      met,
    });
  };
  try {
    const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(server.url());
    await page.waitForSelector('main', { timeout: 30_000 });
    await page.waitForTimeout(1500);
    const bench = { lab, page, row };
    if (only !== 'live') await boardBench(bench, still.sweep.id, count, points);
    if (only !== 'board') await liveBench(bench, feeder, live.sweep.id);
    row('bundle, gzipped (scripts and styles)', bundleBytes() / 1e6, 'MB', TARGETS.bundle / 1e6);
    console.table(rows);
    const loads = loadavg().map((load) => load.toFixed(1));
    console.log(`load average ${loads.join(' ')}`);
    if (problems.length > 0) throw new Error(`The page had errors: ${problems.join('; ')}`);
  } finally {
    await browser.close();
    await server.close();
    await lab.close('kill');
    await feeder.close();
    rmSync(home, { recursive: true, force: true });
  }
}
