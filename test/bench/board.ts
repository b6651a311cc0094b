/**
 * Boards of many finished runs in a real Chromium: 2,000 runs with 3 million points, and 500 runs with 30 million. Each is loaded with the
 * page, opened from another view, zoomed and zoomed out again, and a line is hidden; medians over several rounds. Of a zoom there are two times:
 * until the last answer to what charts read again, and until every chart on screen has drawn it.
 *
 *     npm run bench -- board [--only many|long] [--rounds 5] [--home FOLDER] [--profile FOLDER]
 *
 * `--home` keeps the made-up runs there for the next time; `--profile` writes what the page's thread did in the last round.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadWorkshop } from '../../main/host/lab.ts';
import { LabServer } from '../../main/host/services/labServer.ts';
import type { BarePage } from './browser.ts';
import { legend, openBoard, zoom } from './gestures.ts';
import { fill, hasBrowser, metricNames, onPage, option, plan } from './pageBench.ts';
import type { Bench } from './pageBench.ts';

declare const location: { hash: string };
declare const document: { querySelector(selector: string): { dispatchEvent(event: unknown): void } };
declare const MouseEvent: new (type: string) => unknown;

const SHAPES = {
  many: { runs: 2000, points: 150, metrics: 10 },
  long: { runs: 500, points: 10_000, metrics: 6 },
} as const;
const LAYOUTS = [
  ['means', `&board=${encodeURIComponent('{"groupBy":"setting"}')}`],
  ['lines', `&board=${encodeURIComponent('{"groupBy":"none"}')}`],
] as const;
const TARGETS = { load: 4000, open: 2000, zoom: 200, picture: 400, legend: 50 };

const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1]!;

interface Round {
  readonly load: number;
  readonly open: number;
  readonly first: number;
  readonly read: number;
  readonly all: number;
  readonly legend: number;
}

const elsewhere = async (page: BarePage): Promise<void> => {
  await page.evaluate(() => (location.hash = '#/help'));
  await page.waitForTimeout(1000);
};

async function round(page: BarePage, sweep: string, query: string, profiled: Profiled): Promise<Round> {
  await elsewhere(page);
  await page.reload();
  await page.waitForSelector('main');
  await page.waitForTimeout(1000);
  // The first board of a page also waits for its scripts, and finds nothing read.
  const load = (await openBoard(page, sweep, query)).all;
  await page.waitForTimeout(1000);
  await elsewhere(page);
  const open = (await profiled('open', () => openBoard(page, sweep, query))).all;
  await page.waitForTimeout(1000);
  const { first, read, all } = await profiled('zoom', () => zoom(page));
  await page.waitForTimeout(1000);
  await page.evaluate(() => document.querySelector('canvas.overlay').dispatchEvent(new MouseEvent('dblclick')));
  await page.waitForTimeout(1500);
  const hidden = await profiled('legend', () => legend(page));
  return { load, open, first, read, all, legend: median(hidden) };
}

type Profiled = <T>(name: string, work: () => Promise<T>) => Promise<T>;

const unprofiled: Profiled = (_, work) => work();

const profiler =
  (page: BarePage, folder: string, layout: string): Profiled =>
  async (name, work) => {
    await page.send('Profiler.enable');
    await page.send('Profiler.setSamplingInterval', { interval: 200 });
    await page.send('Profiler.start');
    const made = await work();
    const { profile } = await page.send('Profiler.stop');
    writeFileSync(join(folder, `${layout}-${name}.cpuprofile`), JSON.stringify(profile));
    return made;
  };

async function measure({ page, row }: Bench, sweep: string, rounds: number, folder: string | undefined): Promise<void> {
  for (const [name, query] of LAYOUTS) {
    const times: Round[] = [];
    for (let i = 0; i < rounds; i++) {
      const last = folder !== undefined && i === rounds - 1;
      times.push(await round(page, sweep, query, last ? profiler(page, folder, name) : unprofiled));
    }
    const of = (key: keyof Round): number => median(times.map((each) => each[key]));
    row(`${name}: first board of a page, all charts on screen`, of('load'), 'ms', TARGETS.load);
    row(`${name}: opened again, all charts on screen`, of('open'), 'ms', TARGETS.open);
    row(`${name}: zoom, the first chart drawn`, of('first'), 'ms', TARGETS.zoom);
    row(`${name}: zoom, all charts read again`, of('read'), 'ms', TARGETS.zoom);
    row(`${name}: zoom, all charts drawn`, of('all'), 'ms', TARGETS.picture);
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
