/** What a person does on a board, measured inside of the page: it is opened, pointed at, zoomed. */
import type { Page } from 'playwright-core';

// Names of the page, for the functions that are sent there; the types of this program are Node's.
/* oxlint-disable typescript/no-explicit-any */
declare const location: any;
declare const document: any;
declare const innerHeight: number;
declare const requestAnimationFrame: (done: (now: number) => void) => number;
declare const PointerEvent: any;
declare const MutationObserver: any;
/* oxlint-enable typescript/no-explicit-any */

/** Milliseconds since a board was asked for until a chart, and until every chart on screen, shows curves. */
export interface Opening {
  readonly first: number;
  readonly all: number;
}

export const openBoard = (page: Page, sweep: string, query: string): Promise<Opening> =>
  page.evaluate(async (hash) => {
    const begin = performance.now();
    let first: number | undefined;
    location.hash = hash;
    await new Promise<void>((resolve, reject) => {
      let cards = 0;
      // oxlint-disable-next-line typescript/no-explicit-any -- an element of the page
      let charts: any[] = [];
      const look = (): void => {
        const found = document.querySelectorAll('article[data-metric]');
        // Where they are is asked seldom: it costs the page a layout.
        if (found.length !== cards) {
          cards = found.length;
          charts = [...found].filter((card) => card.getBoundingClientRect().top < innerHeight);
        }
        const drawn = charts.filter((card) => Number(card.querySelector('[data-drawn]')?.dataset.drawn) > 0);
        if (drawn.length > 0) first ??= performance.now() - begin;
        if (charts.length > 0 && drawn.length === charts.length) resolve();
        else if (performance.now() - begin > 60_000) reject(new Error('The board did not open within a minute.'));
        else requestAnimationFrame(look);
      };
      look();
    });
    return { first: first!, all: performance.now() - begin };
  }, `#/board?sweep=${sweep}${query}`);

/** From the pointer's move to the end of the frame that shows it. */
export const hover = (page: Page): Promise<number[]> =>
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
export const legend = (page: Page): Promise<number[]> =>
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
export interface Zoom {
  /** Until the chart under the pointer shows the range with the points that it has. */
  readonly first: number;
  /** Until it shows the points of the range read from the database. */
  readonly sampled: number;
  /** Until every chart on screen shows them. */
  readonly all: number;
}

/** Charts are watched until all on screen are fine; each draws the range at once, and again when its points have been read. */
export async function zoom(page: Page, from = 100, to = 180): Promise<Zoom> {
  const box = (await page.locator('canvas.overlay').first().boundingBox())!;
  await page.mouse.move(box.x + from, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + to, box.y + 60);
  const measured = page.evaluate(
    async ([longest, part]) => {
      const hosts = [...document.querySelectorAll('[data-drawn]')].filter((host) => {
        const { top, bottom } = host.getBoundingClientRect();
        return top < innerHeight && bottom > 0;
      });
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
      // More than a chart of everything has in the range.
      const fineFrom = hosts.map((host: { dataset: { points: string } }) => 1.5 * part * Number(host.dataset.points));
      for (const host of hosts) watch.observe(host, { attributes: true, attributeFilter: ['data-drawn'] });
      await new Promise<void>((resolve) => {
        document.querySelector('canvas.overlay').addEventListener(
          'pointerup',
          () => {
            begin = performance.now();
            const look = (): void => {
              const fine = draws.every((own, i) => own.some(({ points }) => points > fineFrom[i]!));
              if (fine || performance.now() - begin > longest) resolve();
              else requestAnimationFrame(look);
            };
            look();
          },
          { once: true, capture: true },
        );
      });
      watch.disconnect();
      return draws.map((own, i) => ({
        first: own[0]?.at,
        fine: own.find(({ points }) => points > fineFrom[i]!)?.at,
      }));
    },
    [LONGEST_ZOOM, (to - from) / (box.width - MARGINS)] as const,
  );
  await page.waitForTimeout(50);
  await page.mouse.up();
  const draws = await measured;
  const late = draws.filter(({ fine }) => fine === undefined).length;
  if (late > 0)
    throw new Error(`${late} of ${draws.length} charts did not read the points of the range that they show.`);
  return { first: draws[0]!.first!, sampled: draws[0]!.fine!, all: Math.max(...draws.map(({ fine }) => fine!)) };
}

const LONGEST_ZOOM = 10_000;
/** Beside the plot. */
const MARGINS = 70;

export const frames = (page: Page, seconds: number): Promise<{ fps: number; p95: number; worst: number }> =>
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
