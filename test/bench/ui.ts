/**
 * The interface in a real Chromium, served by a real lab with made-up runs: how long a board of 500 runs × 10,000 points takes to open, to
 * follow the pointer and to zoom; frames per second while 20 runs × 20 metrics × 50 points/s come in; size of the bundle.
 *
 *     npm run bench -- ui [--runs 500] [--points 10000]
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import type { Page } from 'playwright-core';
import { buildPages, needsBuild, PAGES } from '../../main/host/buildPages.ts';
import { loadWorkshop } from '../../main/host/lab.ts';
import { LabServer } from '../../main/host/services/labServer.ts';
import { serveBrowsers } from '../../main/server/server.ts';
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
const LIVE = { runs: 20, metrics: 20, pointsPerSecond: 50, seconds: 8 };
const TARGETS = { open: 2000, hover: 50, zoom: 200, fps: 30, bundle: 1.5e6 };

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

/** From letting go of the drag until the chart under the pointer shows the range. */
async function zoom(page: Page): Promise<number> {
  const box = (await page.locator('canvas.overlay').first().boundingBox())!;
  await page.mouse.move(box.x + 100, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + 180, box.y + 60);
  const measured = page.evaluate(async () => {
    const host = document.querySelector('[data-drawn]');
    let begin = 0;
    document
      .querySelector('canvas.overlay')
      .addEventListener('pointerup', () => (begin = performance.now()), { once: true, capture: true });
    return await new Promise<number>((resolve) => {
      const watch = new MutationObserver(() => {
        if (begin === 0) return;
        watch.disconnect();
        resolve(performance.now() - begin);
      });
      watch.observe(host, { attributes: true });
    });
  });
  await page.waitForTimeout(50);
  await page.mouse.up();
  return await measured;
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

export async function uiBench(args: string[]): Promise<void> {
  if (!existsSync(CHROMIUM)) {
    console.log(`Skipped: no Chromium at ${CHROMIUM} (set CHROMIUM to where it is).`);
    return;
  }
  const count = option(args, '--runs', 500);
  const points = option(args, '--points', 10_000);
  if (await needsBuild()) await buildPages();
  const home = mkdtempSync(join(tmpdir(), 'sweeplab-ui-bench-'));
  const lab = await LabServer.open(await loadWorkshop({ home }), { paused: true });
  const { store } = lab.lab;
  const metrics = Array.from({ length: 6 }, (_, k) => (k === 0 ? 'val/loss' : `val/metric_${k}`));
  const still = store.createSweep(
    { name: 'finished runs', spec: {}, state: 'finished' },
    plan(count, metrics).map((run) => ({ ...run, state: 'finished' as const })),
  );
  await fill(lab, still.runs, metrics, points);
  const liveMetrics = Array.from({ length: LIVE.metrics }, (_, k) => (k === 0 ? 'val/loss' : `val/metric_${k}`));
  const live = store.createSweep({ name: 'live runs', spec: {}, state: 'running' }, plan(LIVE.runs, liveMetrics));
  for (const run of live.runs) store.setRunState(run.id, 'running');
  await fill(lab, live.runs, liveMetrics, 200);

  const server = await serveBrowsers({ lab, pages: PAGES, port: 0 });
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  let ingest: ReturnType<typeof setInterval> | undefined;
  const rows: { what: string; measured: string; target: string; met: boolean }[] = [];
  const row = (what: string, measured: number, unit: string, target: number, met = measured <= target): void => {
    rows.push({
      what,
      measured: `${measured.toFixed(measured < 100 ? 1 : 0)} ${unit}`,
      target: `${target} ${unit}`,
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
    for (const [name, query] of [
      ['means of 5 seeds', ''],
      ['every run a line', `&board=${encodeURIComponent('{"groupBy":"none"}')}`],
    ] as const) {
      await page.evaluate(() => (location.hash = '#/help'));
      await page.waitForTimeout(800);
      row(
        `open, ${count} runs × ${points} points, ${name}`,
        await openBoard(page, still.sweep.id, query, 3),
        'ms',
        TARGETS.open,
      );
      await page.waitForTimeout(1500);
      const times = await hover(page);
      row(`hover, ${name}, median`, times[15], 'ms', TARGETS.hover);
      row(`hover, ${name}, 90th percentile`, times[27], 'ms', TARGETS.hover);
      row(`zoom, ${name}`, await zoom(page), 'ms', TARGETS.zoom);
      await page.waitForTimeout(500);
    }
    let step = 200;
    let sent = 0;
    const per = LIVE.pointsPerSecond / 10;
    ingest = setInterval(() => {
      const steps = Float64Array.from({ length: per }, (_, s) => step + s + 1);
      step += per;
      for (const [i, run] of live.runs.entries()) {
        const columns = liveMetrics.map((metric, k) => ({ metric, steps, values: steps.map((s) => value(i, k, s)) }));
        sent += per * liveMetrics.length;
        void store.appendMetrics(run.id, columns, { steps: step });
      }
    }, 100);
    await openBoard(page, live.sweep.id, '', 3);
    await page.waitForTimeout(3000);
    sent = 0;
    const grouped = await frames(page, LIVE.seconds);
    const name = `${LIVE.runs} runs × ${LIVE.metrics} metrics, ${Math.round(sent / LIVE.seconds)} points/s`;
    row(`live, ${name}, means`, grouped.fps, 'frames/s', TARGETS.fps, grouped.fps >= TARGETS.fps);
    await page.evaluate(() => (location.hash = '#/help'));
    await openBoard(page, live.sweep.id, `&board=${encodeURIComponent('{"groupBy":"none"}')}`, 3);
    await page.waitForTimeout(3000);
    const single = await frames(page, LIVE.seconds);
    row(`live, ${name}, every run a line`, single.fps, 'frames/s', TARGETS.fps, single.fps >= TARGETS.fps);
    const bytes = bundleBytes();
    row('bundle, gzipped (scripts and styles)', bytes / 1e6, 'MB', TARGETS.bundle / 1e6);
    console.table(rows);
    console.log(
      `load average ${loadavg()
        .map((load) => load.toFixed(1))
        .join(' ')}; frame gaps live: p95 ${grouped.p95.toFixed(0)} ms, worst ${grouped.worst.toFixed(0)} ms`,
    );
    if (problems.length > 0) throw new Error(`The page had errors: ${problems.join('; ')}`);
  } finally {
    clearInterval(ingest);
    await browser.close();
    await server.close();
    await lab.close();
    rmSync(home, { recursive: true, force: true });
  }
}
