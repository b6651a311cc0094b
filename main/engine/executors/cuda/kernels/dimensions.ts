/** Dimensions of arrays that are walked together, as few as there can be. */

export interface Dimensions {
  readonly sizes: number[];
  /** Of each array. */
  readonly strides: number[][];
}

/** Drops dimensions of size 1 and joins neighbours that every array walks as one; at least one dimension is left. */
export function mergedDimensions(sizes: readonly number[], strides: readonly (readonly number[])[]): Dimensions {
  const out: Dimensions = { sizes: [], strides: strides.map(() => []) };
  sizes.forEach((size, d) => {
    if (size === 1) return;
    const joins = out.sizes.length > 0 && strides.every((own, i) => out.strides[i]!.at(-1) === own[d]! * size);
    if (joins) out.sizes[out.sizes.length - 1]! *= size;
    else out.sizes.push(size);
    strides.forEach((own, i) => {
      if (joins) out.strides[i]!.pop();
      out.strides[i]!.push(own[d]!);
    });
  });
  return out.sizes.length > 0 ? out : { sizes: [1], strides: strides.map(() => [1]) };
}
