/** Axis ticks at round numbers. */

/**
 * About `count` ticks (a few more rather than far fewer) at 1, 2 or 5 times a power of ten inside [min, max], two at least: one alone says
 * nothing of the scale. Exact multiples, no rounding dust.
 */
export function linearTicks(min: number, max: number, count: number): number[] {
  if (!(max > min)) return Number.isFinite(min) ? [min] : [];
  // Below, a power of ten has no reciprocal; nothing that is measured is so small.
  if (max - min < 1e-290) return [min];
  const rough = (max - min) / Math.max(1, count);
  const power = Math.floor(Math.log10(rough));
  const factors = [1, 2, 5, 10];
  const wanted = factors.findIndex((f) => f * 10 ** power >= rough * 0.8);
  const ticks = multiples(min, max, factors.at(wanted)!, power);
  if (ticks.length > 1) return ticks;
  return wanted === 0 ? multiples(min, max, 5, power - 1) : multiples(min, max, factors.at(wanted - 1)!, power);
}

/** Multiples of `factor` × 10 ^ `power`. */
function multiples(min: number, max: number, factor: number, power: number): number[] {
  // Dividing by a whole number is exact to the last bit where multiplying by 0.1 is not.
  const inverse = power < 0 ? 10 ** -power / factor : undefined;
  const step = factor * 10 ** power;
  const at = (k: number): number => (inverse === undefined ? k * step : k / inverse);
  const first = Math.ceil(inverse === undefined ? min / step - 1e-9 : min * inverse - 1e-9);
  const last = Math.floor(inverse === undefined ? max / step + 1e-9 : max * inverse + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => at(first + i) + 0);
}

/**
 * Powers of ten inside [min, max], every second or third where they are many; with 2 and 5 between them, or linear ticks, when there would be
 * fewer than three. At most about twice `count`. 0 < min.
 */
export function logTicks(min: number, max: number, count: number): number[] {
  const from = Math.floor(Math.log10(min));
  const to = Math.ceil(Math.log10(max));
  const wide = (factors: readonly number[], stride: number): number[] => {
    const ticks: number[] = [];
    for (let e = from; e <= to; e += stride)
      for (const f of factors) {
        const tick = e < 0 ? f / 10 ** -e : f * 10 ** e;
        if (tick >= min * (1 - 1e-12) && tick <= max * (1 + 1e-12)) ticks.push(tick);
      }
    return ticks;
  };
  // Of a stride both ends may fall outside: then the next smaller one has enough, and 2 and 5 would crowd the axis.
  for (let stride = Math.max(1, Math.ceil((to - from) / count)); stride > 0; stride--) {
    const decades = wide([1], stride);
    if (decades.length >= 3) return decades;
  }
  const fine = wide([1, 2, 5], 1);
  if (fine.length < 3) return linearTicks(min, max, count);
  return fine.length > 2 * count + 1 ? wide([1], 1) : fine;
}
