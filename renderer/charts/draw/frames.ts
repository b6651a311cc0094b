/**
 * One animation frame for all charts. Work is done until the frame's share is used up and goes on later, oldest first, so that twenty live
 * charts never block the pointer; what the pointer is on comes before all. A chart that asks again before its turn is drawn once.
 */
const BUDGET = 8;
/** A frame that takes longer (ms) means that the machine, or the rasteriser behind the canvas, cannot keep up. */
const LATE = 26;

const first = new Map<object, () => void>();
const waiting = new Map<object, () => void>();
let scheduled = false;
let working = false;
let lastFrame = 0;
let pressure = 1;

/** Of those that wait: what takes part in a change of all, which is seen when the last of them is drawn. */
const together = new Set<object>();
/** What was drawn before that, and keeps its old picture in sight: these show the new one. */
const unseen = new Map<object, () => void>();
/** What is drawn now is part of that, or may be seen at once. */
let hidden = false;

/**
 * Inside a frame's work it is done at once: a chart is then built and drawn in one go.
 * @param pointed the pointer is on it, and someone waits: before all others
 * @param withOthers it changes with others, as live charts do: see `showLater`
 */
export function requestDraw(owner: object, draw: () => void, pointed = false, withOthers = false): void {
  if (working) {
    draw();
    return;
  }
  if (withOthers) together.add(owner);
  if (pointed) waiting.delete(owner);
  if (!pointed && first.has(owner)) first.set(owner, draw);
  else (pointed ? first : waiting).set(owner, draw);
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(work);
}

/** A change of size is seen at once, and as a fault where a chart lags behind it: so much (ms) of the frame it may take. */
const SIZED = 24;
let sized = 0;

/**
 * At once, before the frame is painted in which an observer tells of a new size, while that frame has time left; else in its turn.
 */
export function drawThisFrame(owner: object, draw: () => void): void {
  if (sized >= SIZED) {
    requestDraw(owner, draw);
    return;
  }
  cancelDraw(owner);
  requestAnimationFrame(() => (sized = 0));
  const begin = performance.now();
  hidden = together.size > 0;
  draw();
  hidden = false;
  const took = performance.now() - begin;
  sized += took;
  spent += took;
}

export function cancelDraw(owner: object): void {
  first.delete(owner);
  waiting.delete(owner);
  together.delete(owner);
}

/**
 * Charts that change together are drawn one by one, over several frames where there are many, but seen to change in one: a chart that is
 * drawn while others are still to come keeps its old picture in sight.
 * @param show uncovers what is drawn now
 * @returns whether it is to be kept from sight, until `show` is called
 */
export function showLater(owner: object, show: () => void): boolean {
  if (hidden) unseen.set(owner, show);
  else if (unseen.delete(owner)) show();
  return hidden;
}

/** It is gone, and what it would have shown. */
export function forgetDraw(owner: object): void {
  cancelDraw(owner);
  unseen.delete(owner);
}

/**
 * 1 while frames are on time; grows while they are late, up to 20. Live charts wait so many times longer between two drawings, so that
 * a slow machine draws less often instead of dropping the interface below 30 frames a second.
 */
export const drawPressure = (): number => pressure;

/** How many wait for their turn. */
export const drawsWaiting = (): number => first.size + waiting.size;

let spent = 0;
/** Time (ms) that all drawing has taken so far. */
export const timeDrawn = (): number => spent;

function work(now: number): void {
  const interval = now - lastFrame;
  lastFrame = now;
  // Longer gaps are pauses between drawings, not late frames.
  if (interval < 400) pressure = Math.min(20, Math.max(1, pressure * (interval > LATE ? 1.12 : 0.97)));
  drawSome(true);
}

/** @param framed what is drawn gets painted next */
function drawSome(framed: boolean): void {
  const begin = performance.now();
  working = true;
  try {
    while (first.size + waiting.size > 0) {
      const queue = first.size > 0 ? first : waiting;
      const [owner, draw] = queue.entries().next().value!;
      queue.delete(owner);
      hidden = together.has(owner) || (together.size > 0 && queue === waiting);
      together.delete(owner);
      draw();
      if (performance.now() - begin > BUDGET) break;
    }
  } finally {
    working = false;
    hidden = false;
    if (together.size === 0) showAll();
    spent += performance.now() - begin;
    scheduled = first.size + waiting.size > 0;
    // Live charts leave the time between two frames to the page. For what was opened or zoomed someone waits: once a frame is painted more
    // of it is drawn, after what was pressed and moved meanwhile, for the next.
    if (scheduled && framed && together.size === 0) setTimeout(drawSome, 0, false);
    else if (scheduled) requestAnimationFrame(work);
  }
}

function showAll(): void {
  const shows = [...unseen.values()];
  unseen.clear();
  for (const show of shows) show();
}
