/** Double-precision references. */

/** erf by its series (|x| < 3) or the continued fraction of erfc; about 1e-15. */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a < 3) {
    let term = a;
    let sum = a;
    for (let n = 1; n < 100 && Math.abs(term) > 1e-18; n++) {
      term *= (-a * a) / n;
      sum += term / (2 * n + 1);
    }
    return Math.sign(x) * ((2 / Math.sqrt(Math.PI)) * sum);
  }
  let f = 0;
  for (let n = 60; n > 0; n--) f = n / 2 / (a + f);
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + f));
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const normal = (x: number) => 0.5 * (1 + erf(x * Math.SQRT1_2));
const density = (x: number) => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
const inner = (x: number) => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);

export type Name = 'gelu' | 'gelu_tanh' | 'relu2' | 'silu' | 'relu';

export function activation(name: Name, x: number): number {
  if (name === 'gelu') return x * normal(x);
  if (name === 'gelu_tanh') return 0.5 * x * (1 + Math.tanh(inner(x)));
  if (name === 'relu2') return Math.max(x, 0) ** 2;
  return name === 'silu' ? x * sigmoid(x) : Math.max(x, 0);
}

export function activationGradient(name: Name, x: number): number {
  if (name === 'gelu') return normal(x) + x * density(x);
  if (name === 'gelu_tanh') {
    const t = Math.tanh(inner(x));
    const slope = Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * slope;
  }
  if (name === 'relu2') return 2 * Math.max(x, 0);
  if (name === 'relu') return x > 0 ? 1 : 0;
  const s = sigmoid(x);
  return s * (1 + x * (1 - s));
}

/** Philox4x32-10 block, with 64-bit products by BigInt. */
export function philox(counter: readonly number[], key: readonly number[]): number[] {
  let [c0, c1, c2, c3] = counter.map((x) => BigInt(x >>> 0)) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key.map((x) => BigInt(x >>> 0)) as [bigint, bigint];
  const low = 0xffffffffn;
  for (let r = 0; r < 10; r++) {
    const a = c0 * 0xd2511f53n;
    const b = c2 * 0xcd9e8d57n;
    [c0, c1, c2, c3] = [(b >> 32n) ^ c1 ^ k0, b & low, (a >> 32n) ^ c3 ^ k1, a & low];
    k0 = (k0 + 0x9e3779b9n) & low;
    k1 = (k1 + 0xbb67ae85n) & low;
  }
  return [c0, c1, c2, c3].map(Number);
}

/** Uniform number at flat index p; `seed` is key low, key high, step, micro. */
export function uniformAt(p: number, seed: readonly number[], stream: number): number {
  const block = philox([Math.floor(p / 4), stream, seed[2]!, seed[3]!], [seed[0]!, seed[1]!]);
  return (block[p % 4]! >>> 8) * 2 ** -24;
}
