/** The points that no other point beats in both coordinates. */

/**
 * Indices of the Pareto front when both x and y are to be small, by increasing x. Points with a coordinate that is not finite
 * never belong to it; of equal points the first does.
 */
export function paretoFront(x: ArrayLike<number>, y: ArrayLike<number>): number[] {
  const order: number[] = [];
  for (let i = 0; i < x.length; i++) if (Number.isFinite(x[i]) && Number.isFinite(y[i])) order.push(i);
  order.sort((a, b) => x[a] - x[b] || y[a] - y[b] || a - b);
  const front: number[] = [];
  let lowest = Infinity;
  for (const i of order) {
    if (y[i] >= lowest) continue;
    front.push(i);
    lowest = y[i];
  }
  return front;
}
