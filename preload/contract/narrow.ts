/** Ends of ranges in half the bytes. */

/** More than half of the distance to the next number of 32 bits, and less than one and a half: to add it and to round is to go there. */
const NEXT = 1.2 * 2 ** -24;
/** Of smaller ones that distance is no share of them. */
const LEAST = 2 ** -120;

/** Of larger ones there may be none. */
const MOST = 2 ** 127;

/** To 32 bits, where these do not hold a number to the next one on the given side. As it is where they are too few for its size. */
export function narrowed(values: Float64Array, away: -1 | 1): Float64Array | Float32Array {
  const narrow = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const exact = values[i]!;
    const near = Math.fround(exact);
    const size = Math.abs(near);
    const short = away < 0 ? near > exact : near < exact;
    // Half of all numbers are short of theirs: to ask of each would take longer than to add nothing to the others.
    if (size > LEAST && size < MOST) narrow[i] = near + away * NEXT * size * Number(short);
    else if (size === Infinity && Number.isFinite(exact)) return values;
    else narrow[i] = short ? nextOf(near, away) : near;
  }
  return narrow;
}

function nextOf(near: number, away: -1 | 1): number {
  const narrow = Float32Array.of(near);
  const bits = new Int32Array(narrow.buffer);
  // Numbers in order are bits in order: downwards from a negative one, upwards from a positive one.
  if (near === 0) bits[0] = away < 0 ? -0x7f_ff_ff_ff : 1;
  else bits[0] = bits[0]! + (near > 0 === away > 0 ? 1 : -1);
  return narrow[0]!;
}
