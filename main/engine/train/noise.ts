/**
 * The gradient noise scale (McCandlish et al. 2018): how many tokens a batch needs until its gradient says about as much as it varies,
 * tr Σ ÷ |G|². From the lengths of gradients of a small and a large batch. Each of both parts is averaged before they are divided: the mean of
 * quotients would be something else.
 */

/** The squared length of the mean gradient of so many tokens. */
export interface BatchGradient {
  readonly tokens: number;
  readonly squared: number;
}

/** Unbiased estimates; both may be negative. */
export interface Noise {
  /** tr Σ: how gradients of single tokens vary. */
  readonly trace: number;
  /** |G|² of the true gradient. */
  readonly squared: number;
}

export function noiseOf(small: BatchGradient, large: BatchGradient): Noise {
  return {
    trace: (small.squared - large.squared) / (1 / small.tokens - 1 / large.tokens),
    squared: (large.tokens * large.squared - small.tokens * small.squared) / (large.tokens - small.tokens),
  };
}

/** Running means of both parts, and how much of them is of measurements. */
export interface NoiseMean extends Noise {
  readonly weight: number;
}

const KEPT = 0.9;

export const NO_NOISE: NoiseMean = { trace: 0, squared: 0, weight: 0 };

export const withNoise = (mean: NoiseMean, { trace, squared }: Noise): NoiseMean => ({
  trace: KEPT * mean.trace + (1 - KEPT) * trace,
  squared: KEPT * mean.squared + (1 - KEPT) * squared,
  weight: KEPT * mean.weight + (1 - KEPT),
});

/** Tokens; undefined while the parts say nothing: the noise hides the gradient, or there is none. */
export function noiseScale({ trace, squared }: Noise): number | undefined {
  return trace > 0 && squared > 0 ? trace / squared : undefined;
}
