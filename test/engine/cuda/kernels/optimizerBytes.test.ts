import { describe, expect, test } from 'vitest';
import { Random, seed } from '../../native/harness.ts';
import { noMoments, stepInBytes } from '../../optim/bytesReference.ts';
import { FLOAT_TYPES, randomFloats, unwritten } from '../arrays.ts';
import { whyNoEmulator } from '../emulator/build.ts';
import { runKernel } from '../harness.ts';

const why = whyNoEmulator();
const H = { lr: 0.01, decay: 0.1, beta1: 0.9, beta2: 0.95, eps: 1e-6 };
const one = (value: number): Float32Array => Float32Array.of(value);
const fraction = (x: number): number => x - Math.floor(x);

describe.skipIf(why !== undefined)(
  `moments in bytes on the emulated GPU${why ? ` (SKIPPED: ${why})` : ''} (seed ${seed})`,
  () => {
    const random = new Random(9);

    // Catches blocks that share a scale, lanes beyond the end, and an update from an unusable gradient.
    test.each([1, 255, 256, 2049, 8192 + 300])(
      'three updates of %d elements, and none on an unusable gradient',
      async (n) => {
        const gtype = random.pick(FLOAT_TYPES);
        const copytype = random.pick(FLOAT_TYPES);
        const blocks = Math.ceil(n / 256);
        const p = random.array(n);
        const [m, v] = [new Uint8Array(n), new Uint8Array(n)];
        const [mscale, vscale] = [new Float32Array(blocks), new Float32Array(blocks)];
        const copy = unwritten(copytype, n);
        const w = Float64Array.from(p);
        const ways = new Float64Array(n);
        const kept = noMoments(n);
        for (let t = 1; t <= 4; t++) {
          const g = randomFloats(random, gtype, n);
          const scale = t === 4 ? random.pick([NaN, 0, -1]) : 0.5;
          const before = [p, m, v, mscale, vscale].map((array) => array.slice());
          await runKernel('optimizer_bytes', {
            p,
            g: g.data,
            m,
            mscale,
            v,
            vscale,
            copy: copy.data,
            scale: one(scale),
            lr: one(H.lr),
            decay: one(H.decay),
            bias1: one(1 - H.beta1 ** t),
            bias2: one(1 - H.beta2 ** t),
            offset1: one(fraction(t * 0.7548776662466927)),
            offset2: one(fraction(t * 0.5698402909980532)),
            n,
            gtype,
            copytype,
            beta1: H.beta1,
            beta2: H.beta2,
            eps: H.eps,
          });
          if (t === 4) {
            expect([p, m, v, mscale, vscale]).toEqual(before);
            break;
          }
          const halved = g.values().map((x) => x * scale);
          const from = w.slice();
          stepInBytes(w, halved, kept, { ...H, t });
          from.forEach((x, i) => (ways[i]! += Math.abs(w[i]! - x)));
        }
        // What it moved there and back: the first step alone is as long as the rate.
        const way = Math.max(...ways);
        const apart = w.map((x, i) => Math.abs(x - p[i]!));
        expect(way).toBeGreaterThan(0.005);
        // A number that rounding carries over a threshold takes the other level.
        expect(apart.filter((x) => x > 1e-4 * way).length).toBeLessThanOrEqual(Math.max(1, 0.02 * n));
        expect(Math.max(...apart)).toBeLessThan(0.2 * way);
        const copied = copy.values();
        const half = copytype === 'bf16' ? 2 ** -8 : copytype === 'f16' ? 2 ** -11 : 0;
        copied.forEach((x, i) => expect(Math.abs(x - p[i]!)).toBeLessThanOrEqual(half * Math.abs(p[i]!) + 1e-7));
      },
    );
  },
);
