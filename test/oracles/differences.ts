/** Gradients by central differences of a function computed in float64. */
import type { Random } from './random.ts';

/**
 * Derivative of f at 0 along a direction: Ridders' method (Numerical Recipes §5.7): central differences with shrinking steps,
 * extrapolated to step 0; returns the best estimate and its error estimate.
 */
export function derivative(f: (t: number) => number, step = 0.02): { value: number; error: number } {
  const shrink = 1.6;
  const levels = 7;
  let h = step;
  let previous: number[] = [(f(h) - f(-h)) / (2 * h)];
  let best = { value: previous[0]!, error: Infinity };
  for (let i = 1; i < levels; i++) {
    h /= shrink;
    const row = [(f(h) - f(-h)) / (2 * h)];
    let factor = shrink * shrink;
    for (let j = 1; j <= i; j++) {
      row[j] = (row[j - 1]! * factor - previous[j - 1]!) / (factor - 1);
      factor *= shrink * shrink;
      const error = Math.max(Math.abs(row[j]! - row[j - 1]!), Math.abs(row[j]! - previous[j - 1]!));
      if (error < best.error) best = { value: row[j]!, error };
    }
    if (Math.abs(row[i]! - previous[i - 1]!) >= 2 * best.error) break;
    previous = row;
  }
  return best;
}

/** Directions to project a gradient on: a few single elements and one dense random direction. */
export function directions(size: number, random: Random, single = 3): Float64Array[] {
  const result = [Float64Array.from({ length: size }, () => random.normal())];
  for (let i = 0; i < Math.min(single, size); i++) {
    const unit = new Float64Array(size);
    unit[random.integer(0, size - 1)] = 1;
    result.push(unit);
  }
  return result;
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
