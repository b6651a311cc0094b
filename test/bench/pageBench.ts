/** A browser on a lab, and the table of what is measured there. */
import { existsSync } from 'node:fs';
import { loadavg } from 'node:os';
import { buildPages, needsBuild, PAGES } from '../../main/host/buildPages.ts';
import type { LabServer } from '../../main/host/services/labServer.ts';
import { serveBrowsers } from '../../main/server/server.ts';
import type { Store } from '../../main/store/index.ts';
import type { NewRun, RunRecord } from '../../preload/contract/runs.ts';
import { BarePage, saidBy } from './browser.ts';
import { watchReads } from './gestures.ts';

export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Says why not. */
export function hasBrowser(): boolean {
  if (existsSync(CHROMIUM)) return true;
  console.log(`Skipped: no Chromium at ${CHROMIUM} (set CHROMIUM to where it is).`);
  return false;
}

export interface Bench {
  readonly lab: LabServer;
  readonly page: BarePage;
  row(what: string, measured: number, unit: string, target: number, met?: boolean): void;
}

/** Shows the lab in a page, prints what `work` measures there, and fails when the page had errors. */
export async function onPage(lab: LabServer, work: (bench: Bench) => Promise<void>): Promise<void> {
  if (await needsBuild()) await buildPages();
  const server = await serveBrowsers({ lab, pages: PAGES, port: 0 });
  const page = await BarePage.open(CHROMIUM);
  const rows: { what: string; measured: string; target: string; met: boolean }[] = [];
  const row: Bench['row'] = (what, measured, unit, target, met = measured <= target) => {
    rows.push({
      what,
      measured: `${measured.toFixed(measured < 100 ? 1 : 0)} ${unit}`,
      target: `${target.toFixed(target < 10 ? 1 : 0)} ${unit}`,
      met,
    });
  };
  const problems: string[] = [];
  try {
    page.on('Runtime.exceptionThrown', ({ exceptionDetails }) => problems.push(saidBy(exceptionDetails)));
    await watchReads(page);
    await page.goto(server.url());
    await page.waitForSelector('main');
    await page.waitForTimeout(1500);
    await work({ lab, page, row });
  } finally {
    if (rows.length > 0) console.table(rows);
    console.log(
      `load average ${loadavg()
        .map((load) => load.toFixed(1))
        .join(' ')}`,
    );
    await page.close();
    await server.close();
  }
  if (problems.length > 0) throw new Error(`The page had errors: ${problems.join('; ')}`);
}

/** Made-up value of a metric: falls, and swings a little, so that runs can be told apart. */
export const value = (run: number, metric: number, step: number): number =>
  2 + metric + 4 * Math.exp(-step / (800 + 3 * run)) + 0.05 * Math.sin(12.9898 * step + 78.233 * run);

/** Runs of a sweep over widths and learning rates with five seeds each. */
export function plan(count: number, metrics: readonly string[]): NewRun[] {
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

export const metricNames = (count: number): string[] =>
  Array.from({ length: count }, (_, k) => (k === 0 ? 'val/loss' : `val/metric_${k}`));

export async function fill(
  store: Store,
  runs: readonly RunRecord[],
  metrics: readonly string[],
  points: number,
): Promise<void> {
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

/** What follows an option's name; `usual` without it. */
export function option(args: readonly string[], name: string, usual: string): string;
export function option(args: readonly string[], name: string): string | undefined;
export function option(args: readonly string[], name: string, usual?: string): string | undefined {
  const at = args.indexOf(name);
  return at === -1 ? usual : args[at + 1];
}
