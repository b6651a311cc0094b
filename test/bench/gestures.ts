/** What a person does on a board, measured inside of the page: it is opened, pointed at, zoomed. */
import type { BarePage as Page } from './browser.ts';

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
  page.evaluate(async (hash: string) => {
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
    // The frame that shows it has been made.
    await new Promise<void>((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
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
  /** Until the chart under the pointer shows the range, with the points that it had or with those that it read. */
  readonly first: number;
  /** Until the last answer of the lab to what the charts asked for; 0 when they asked for nothing, since they have every point. */
  readonly read: number;
  /** Until every chart on screen shows what there is of the range. */
  readonly all: number;
}

/** The page tells which reads of series are under way: `globalThis.reads`. Before it loads. */
export const watchReads = (page: Page): Promise<void> =>
  page.before(() => {
    const reads = { open: new Set<number>(), sent: 0, answered: 0 };
    // oxlint-disable-next-line typescript/no-explicit-any -- names of the page
    const all = globalThis as any;
    all.reads = reads;
    const headOf = (bytes: ArrayBuffer | ArrayBufferView): string => {
      const buffer = ArrayBuffer.isView(bytes) ? bytes.buffer : bytes;
      const at = ArrayBuffer.isView(bytes) ? bytes.byteOffset : 0;
      return new TextDecoder().decode(new Uint8Array(buffer, at + 8, Math.min(80, buffer.byteLength - at - 8)));
    };
    const { WebSocket } = all;
    all.WebSocket = class extends WebSocket {
      constructor(...given: unknown[]) {
        super(...given);
        this.addEventListener('message', ({ data }: { data: ArrayBuffer }) => {
          const id = /^\{"kind":"reply","id":(\d+)/u.exec(headOf(data))?.[1];
          if (id !== undefined && reads.open.delete(Number(id))) reads.answered = performance.now();
        });
      }

      send(message: Uint8Array): void {
        const id = /^\{"kind":"request","id":(\d+),"route":"series/u.exec(headOf(message))?.[1];
        const cancelled = /^\{"kind":"cancel","id":(\d+)/u.exec(headOf(message))?.[1];
        if (cancelled !== undefined) reads.open.delete(Number(cancelled));
        if (id !== undefined) {
          reads.open.add(Number(id));
          reads.sent = performance.now();
        }
        super.send(message);
      }
    };
  });

/** Charts are watched until all on screen have drawn the range, nothing is read any more, and nothing was drawn for a while. */
export async function zoom(page: Page, from = 100, to = 180): Promise<Zoom> {
  const box = await page.evaluate(() => {
    const { x, y, width } = document.querySelector('canvas.overlay').getBoundingClientRect();
    return { x, y, width };
  });
  await page.mouse('mouseMoved', box.x + from, box.y + 60);
  await page.mouse('mousePressed', box.x + from, box.y + 60);
  await page.mouse('mouseMoved', box.x + to, box.y + 60);
  const measured = page.evaluate(
    async ({ longest, still, part }) => {
      // oxlint-disable-next-line typescript/no-explicit-any -- names of the page
      const { reads } = globalThis as any;
      reads.watched = false;
      const hosts = [...document.querySelectorAll('[data-drawn]')].filter((host) => {
        const { top, bottom } = host.getBoundingClientRect();
        return top < innerHeight && bottom > 0;
      });
      const draws: number[][] = hosts.map(() => []);
      // More than a chart of everything has in the range.
      const fineFrom = hosts.map((host: { dataset: { points: string } }) => 1.5 * part * Number(host.dataset.points));
      let [begin, last] = [0, 0];
      const watch = new MutationObserver((changes: { target: unknown }[]) => {
        if (begin === 0) return;
        for (const { target } of changes)
          requestAnimationFrame(() =>
            // The frame that shows it has been made.
            setTimeout(() => {
              last = performance.now();
              draws[hosts.indexOf(target)]!.push(last - begin);
            }, 0),
          );
      });
      for (const host of hosts) watch.observe(host, { attributes: true, attributeFilter: ['data-drawn'] });
      await new Promise<void>((resolve) => {
        reads.watched = true;
        document.querySelector('canvas.overlay').addEventListener(
          'pointerup',
          () => {
            begin = performance.now();
            const look = (): void => {
              const now = performance.now();
              const quiet = reads.open.size === 0 && now - Math.max(last, reads.answered, reads.sent) > still;
              if ((quiet && draws.every(({ length }) => length > 0)) || now - begin > longest) resolve();
              else setTimeout(look, 20);
            };
            look();
          },
          { once: true, capture: true },
        );
      });
      watch.disconnect();
      return {
        first: draws[0]?.[0],
        read: reads.sent > begin ? reads.answered - begin : 0,
        all: Math.max(...draws.map((own) => own.at(-1) ?? Number.POSITIVE_INFINITY)),
        coarse: hosts.filter(({ dataset }, i) => dataset.reduced === 'true' && !(Number(dataset.points) > fineFrom[i]!))
          .length,
      };
    },
    { longest: LONGEST_ZOOM, still: STILL, part: (to - from) / (box.width - MARGINS) },
  );
  // oxlint-disable-next-line typescript/no-explicit-any -- names of the page
  while (!(await page.evaluate(() => (globalThis as any).reads.watched === true))) await page.waitForTimeout(20);
  await page.waitForTimeout(50);
  await page.mouse('mouseReleased', box.x + to, box.y + 60);
  const { first, coarse, ...times } = await measured;
  if (first === undefined || !Number.isFinite(times.all) || coarse > 0)
    throw new Error(`${coarse} charts did not read the points of the range that they show, or some never drew it.`);
  return { first, ...times };
}

const LONGEST_ZOOM = 10_000;
/** Milliseconds without a drawing after which none is to come. */
const STILL = 600;
/** Beside the plot. */
const MARGINS = 70;

export const frames = (page: Page, seconds: number): Promise<{ fps: number; p95: number; worst: number }> =>
  page.evaluate(async (ms: number) => {
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
