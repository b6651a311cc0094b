/**
 * Ids of runs and sweeps: nine characters that sort in the order of creation.
 *
 * 30 bits of seconds since 2025 and 15 bits of counter, in Crockford's base 32 (no I, L, O, U). The counter starts at
 * a random place every second, so that ids of two databases rarely meet when one is imported into the other.
 */

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const EPOCH_SECONDS = Date.UTC(2025, 0, 1) / 1000;
const COUNTER = 2 ** 15;
const LENGTH = 9;

/** The next id: later than `previous` (the newest id in the database) even when the clock went backwards. */
export function nextId(previous: string | null, now: number = Date.now(), random: () => number = Math.random): string {
  const seconds = Math.max(0, Math.floor(now / 1000) - EPOCH_SECONDS);
  // Half of the counter's range stays free above the random start: 16,384 ids per second at least.
  const fresh = seconds * COUNTER + Math.floor((random() * COUNTER) / 2);
  return encode(previous === null ? fresh : Math.max(fresh, decode(previous) + 1));
}

function encode(value: number): string {
  let text = '';
  for (let rest = value; text.length < LENGTH; rest = Math.floor(rest / 32)) text = ALPHABET[rest % 32] + text;
  return text;
}

function decode(id: string): number {
  let value = 0;
  for (const character of id) value = value * 32 + Math.max(0, ALPHABET.indexOf(character));
  return value;
}
