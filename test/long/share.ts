/** How much of their full size long tests take: SWEEPLAB_LONG_SHARE, 1 unless given. 0.01 tries all of them out in a few minutes. */
const SHARE = Number(process.env.SWEEPLAB_LONG_SHARE ?? 1);

/** So much of a number, and at least `least`. */
export const shareOf = (full: number, least = 1): number => Math.max(least, Math.round(full * SHARE));
