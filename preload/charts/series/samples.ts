/** Some values of every line, by which the frame of a chart is found. */

/** At most so many values of all lines are looked at. */
const SAMPLE = 8000;

/** Values of each line as the axis measures them, in the order in which they were logged, without those that it cannot show; of long lines some. */
export function samplesOf(lines: readonly ArrayLike<number>[], log: boolean): readonly Float64Array[] {
  const each = Math.max(4, Math.floor(SAMPLE / Math.max(1, lines.length)));
  return lines
    .map((line) => sampleOf(line, Math.max(1, Math.floor(line.length / each)), log))
    .filter(({ length }) => length > 0);
}

function sampleOf(line: ArrayLike<number>, stride: number, log: boolean): Float64Array {
  const own = new Float64Array(Math.ceil(line.length / stride));
  let n = 0;
  for (let i = 0; i < line.length; i += stride) {
    const v = line[i];
    if (Number.isFinite(v) && !(log && v <= 0)) own[n++] = log ? Math.log(v) : v;
  }
  return own.subarray(0, n);
}

export interface Weighted {
  /** In increasing order. */
  readonly values: Float64Array;
  readonly weights: Float64Array;
}

/** All values in order, each with its weight: lines weigh 1 each, however many points they have. */
export function sorted(samples: readonly Float64Array[]): Weighted {
  const length = samples.reduce((sum, own) => sum + own.length, 0);
  const values = new Float64Array(length);
  const weights = new Float64Array(length);
  let at = 0;
  for (const own of samples) {
    values.set(own, at);
    weights.fill(1 / own.length, at, at + own.length);
    at += own.length;
  }
  // Mostly lines have equally many: then it matters not whose a value is, and numbers alone are sorted many times as fast.
  if (samples.every((own) => own.length === samples[0].length)) return { values: values.sort(), weights };
  const order = Uint32Array.from(values, (_, i) => i).sort((a, b) => values[a] - values[b]);
  return { values: Float64Array.from(order, (i) => values[i]), weights: Float64Array.from(order, (i) => weights[i]) };
}
