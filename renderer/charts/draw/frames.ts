/**
 * One animation frame for all charts. Work is done until the frame's share is used up and goes on in the next one, oldest first, so
 * that twenty live charts never block the pointer. A chart that asks again before its turn is drawn once.
 */
const BUDGET = 10;

const waiting = new Map<object, () => void>();
let scheduled = false;

export function requestDraw(owner: object, draw: () => void): void {
  waiting.set(owner, draw);
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(work);
}

export function cancelDraw(owner: object): void {
  waiting.delete(owner);
}

function work(): void {
  const begin = performance.now();
  for (const [owner, draw] of waiting) {
    waiting.delete(owner);
    draw();
    if (performance.now() - begin > BUDGET) break;
  }
  scheduled = waiting.size > 0;
  if (scheduled) requestAnimationFrame(work);
}
