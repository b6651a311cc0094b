/**
 * Boards of many finished runs in a real Chromium: 2,000 runs with 3 million points, and 500 runs with 30 million. Each is loaded with the
 * page, opened from another view, zoomed and zoomed out again, and a line is hidden; medians over several rounds.
 *
 *     npm run bench -- board [--only many|long] [--rounds 5] [--home FOLDER] [--profile FOLDER]
 *
 * `--home` keeps the made-up runs there for the next time; `--profile` writes what the page's thread did in the last round.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CDPSession, Page } from 'playwright-core';
import { loadWorkshop } from '../../main/host/lab.ts';
import { LabServer } from '../../main/host/services/labServer.ts';
import { legend, openBoard, zoom } from './gestures.ts';
import { fill, hasBrowser, metricNames, onPage, option, plan } from './pageBench.ts';
import type { Bench } from './pageBench.ts';

declare const location: { hash: string };

const SHAPES = {
  many: { runs: 2000, points: 150, metrics: 10 },
  long: { runs: 500, points: 10_000, metrics: 6 },
} as const;
const LAYOUTS = [
  ['means', `&board=${encodeURIComponent('{"groupBy":"setting"}')}`],
  ['lines', `&board=${encodeURIComponent('{"groupBy":"none"}')}`],
] as const;
const TARGETS = { load: 4000, open: 2000, zoom: 200, legend: 50 };

const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1]!;

interface Round {
  readonly load: number;
  readonly open: number;
  readonly known: number;
  readonly sampled: number;
  readonly all: number;
  readonly legend: number;
}

const elsewhere = async (page: Page): Promise<void> => {
  await page.evaluate(() => (location.hash = '#/help'));
  await page.waitForTimeout(1000);
};

async function round(page: Page, sweep: string, query: string, profiled: Profiled): Promise<Round> {
  await elsewhere(page);
  await page.reload();
  await page.waitForSelector('main', { timeout: 30_000 });
  await page.waitForTimeout(1000);
  // The first board of a page also waits for its scripts, and finds nothing read.
  const load = (await openBoard(page, sweep, query)).all;
  await page.waitForTimeout(1000);
  await elsewhere(page);
  const open = (await profiled('open', () => openBoard(page, sweep, query))).all;
  await page.waitForTimeout(1000);
  const { first: known, sampled, all } = await profiled('zoom', () => zoom(page));
  await page.waitForTimeout(1000);
  await page.locator('canvas.overlay').first().dispatchEvent('dblclick');
  await page.waitForTimeout(1500);
  const hidden = await profiled('legend', () => legend(page));
  return { load, open, known, sampled, all, legend: median(hidden) };
}

type Profiled = <T>(name: string, work: () => Promise<T>) => Promise<T>;

const unprofiled: Profiled = (_, work) => work();

const profiler =
  (cdp: CDPSession, folder: string, layout: string): Profiled =>
  async (name, work) => {
    await cdp.send('Profiler.enable');
    await cdp.send('Profiler.setSamplingInterval', { interval: 200 });
    await cdp.send('Profiler.start');
    const made = await work();
    const { profile } = await cdp.send('Profiler.stop');
    writeFileSync(join(folder, `${layout}-${name}.cpuprofile`), JSON.stringify(profile));
    return made;
  };

async function measure({ page, row }: Bench, sweep: string, rounds: number, folder: string | undefined): Promise<void> {
  for (const [name, query] of LAYOUTS) {
    const times: Round[] = [];
    for (let i = 0; i < rounds; i++) {
      const last = folder !== undefined && i === rounds - 1;
      const cdp = last ? await page.context().newCDPSession(page) : undefined;
      times.push(await round(page, sweep, query, cdp === undefined ? unprofiled : profiler(cdp, folder!, name)));
    }
    const of = (key: keyof Round): number => median(times.map((each) => each[key]));
    row(`${name}: first board of a page, all charts on screen`, of('load'), 'ms', TARGETS.load);
    row(`${name}: opened again, all charts on screen`, of('open'), 'ms', TARGETS.open);
    row(`${name}: zoom, known points`, of('known'), 'ms', TARGETS.zoom);
    row(`${name}: zoom, points of the range`, of('sampled'), 'ms', TARGETS.zoom);
    row(`${name}: zoom, points of the range on all charts`, of('all'), 'ms', TARGETS.zoom);
    row(`${name}: a run hidden`, of('legend'), 'ms', TARGETS.legend);
  }
}

export async function boardBench(args: string[]): Promise<void> {
  if (!hasBrowser()) return;
  const only = option(args, '--only');
  const rounds = Number(option(args, '--rounds', '5'));
  const kept = option(args, '--home');
  const profile = option(args, '--profile');
  for (const [name, { runs, points, metrics }] of Object.entries(SHAPES)) {
    if (only !== undefined && only !== name) continue;
    console.log(`${name}: ${runs} runs × ${metrics} metrics × ${points} points`);
    const home = kept === undefined ? mkdtempSync(join(tmpdir(), 'sweeplab-board-bench-')) : join(kept, name);
    const known = existsSync(home) && kept !== undefined;
    mkdirSync(home, { recursive: true });
    // Layouts of the last time.
    rmSync(join(home, 'views.json'), { force: true });
    const folder = profile === undefined ? undefined : join(profile, name);
    if (folder !== undefined) mkdirSync(folder, { recursive: true });
    const lab = await LabServer.open(await loadWorkshop({ home }), { paused: true });
    try {
      const { store } = lab.lab;
      const names = metricNames(metrics);
      if (!known)
        await fill(
          store,
          store.createSweep(
            { name: 'many', spec: {}, state: 'finished' },
            plan(runs, names).map((run) => ({ ...run, state: 'finished' as const })),
          ).runs,
          names,
          points,
        );
      const [sweep] = store.listSweeps();
      await onPage(lab, (bench) => measure(bench, sweep!.id, rounds, folder));
    } finally {
      await lab.close('kill');
      if (kept === undefined) rmSync(home, { recursive: true, force: true });
    }
  }
}
