/** At most `points` numbers: the largest of each stretch, so that the peak stays. */
export function downsample(values: Float64Array, points: number): number[] {
  if (values.length <= points) return [...values];
  return Array.from({ length: points }, (_, i) => {
    const from = Math.floor((i * values.length) / points);
    const to = Math.floor(((i + 1) * values.length) / points);
    return values.subarray(from, to).reduce((most, value) => Math.max(most, value), 0);
  });
}
