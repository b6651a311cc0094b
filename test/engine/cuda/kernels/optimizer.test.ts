import { describe, expect, test } from 'vitest';
import { Random, expectClose, seed } from '../../native/harness.ts';
import { FLOAT_TYPES, NEAR, randomFloats, unwritten } from '../arrays.ts';
import { whyNoEmulator } from '../emulator/build.ts';
import { arrayOf, runKernel } from '../harness.ts';
import type { DeviceArray } from '../harness.ts';

const why = whyNoEmulator();
const [LR, DECAY, BETA1, BETA2, EPS] = [0.01, 0.1, 0.9, 0.95, 1e-6];

const VARIANTS = [
  { kind: 'adamw' },
  { kind: 'adam' },
  { kind: 'sgd' },
  { kind: 'sgd', momentum: 0.9 },
  { kind: 'sgd', momentum: 0.9, nesterov: 1 },
  { kind: 'adagrad' },
  { kind: 'rmsprop', alpha: 0.9 },
  { kind: 'rmsprop', alpha: 0.9, centered: 1 },
  { kind: 'rmsprop', alpha: 0.9, centered: 1, momentum: 0.5 },
  { kind: 'rmsprop', alpha: 0.9, momentum: 0.5 },
];

describe.skipIf(why !== undefined)(
  `optimizers on the emulated GPU${why ? ` (SKIPPED: ${why})` : ''} (seed ${seed})`,
  () => {
    const random = new Random(8);

    // Catches every rule's formula, the order of its state, and an update that runs on an unusable gradient.
    test.each(VARIANTS)('three steps of %o, and none on an unusable gradient', async (variant) => {
      const { kind, momentum = 0, nesterov = 0, centered = 0, alpha = 0 } = variant;
      const n = random.pick([1, 2048, random.int(1, 4000)]);
      const gtype = random.pick(FLOAT_TYPES);
      const copytype = random.pick(FLOAT_TYPES);
      const p = random.array(n);
      const state = [0, 1, 2].map(() => new Float32Array(n));
      const copy = unwritten(copytype, n);
      const w = Float64Array.from(p);
      const [a, b, c] = state.map(() => new Float64Array(n)) as [Float64Array, Float64Array, Float64Array];
      let kept: Float32Array[] = [];
      for (let step = 1; step <= 4; step++) {
        const g = randomFloats(random, gtype, n);
        const scale = step === 4 ? random.pick([NaN, 0, -1]) : 0.5;
        if (step === 4) kept = [p, ...state].map((array) => array.slice());
        const [bias1, bias2] = [1 - BETA1 ** step, 1 - BETA2 ** step];
        const one = (value: number): Float32Array => Float32Array.of(value);
        const adam = kind === 'adam' || kind === 'adamw';
        await runKernel('optimizer', {
          p,
          g: g.data,
          m: state[0]!,
          v: state[1]!,
          third: state[2]!,
          copy: copy.data,
          scale: one(scale),
          lr: one(LR),
          decay: one(DECAY),
          bias1: adam ? one(bias1) : null,
          bias2: adam ? one(bias2) : null,
          n,
          gtype,
          copytype,
          kind,
          nesterov,
          centered,
          beta1: BETA1,
          beta2: BETA2,
          eps: EPS,
          momentum,
          alpha,
        });
        if (step === 4) break;
        const values = g.values();
        for (let i = 0; i < n; i++) {
          let d = values[i]! * scale;
          if (kind !== 'adamw') d += DECAY * w[i]!;
          if (adam) {
            a[i] = BETA1 * a[i]! + (1 - BETA1) * d;
            b[i] = BETA2 * b[i]! + (1 - BETA2) * d * d;
            if (kind === 'adamw') w[i]! *= 1 - LR * DECAY;
            w[i]! -= (LR * (a[i]! / bias1)) / (Math.sqrt(b[i]! / bias2) + EPS);
          } else if (kind === 'sgd') {
            a[i] = momentum * a[i]! + d;
            w[i]! -= LR * (momentum === 0 ? d : nesterov === 1 ? d + momentum * a[i]! : a[i]!);
          } else if (kind === 'adagrad') {
            a[i]! += d * d;
            w[i]! -= (LR * d) / (Math.sqrt(a[i]!) + EPS);
          } else {
            a[i] = alpha * a[i]! + (1 - alpha) * d * d;
            if (centered === 1) b[i] = alpha * b[i]! + (1 - alpha) * d;
            let u = d / (Math.sqrt(a[i]! - (centered === 1 ? b[i]! ** 2 : 0)) + EPS);
            const buffer = centered === 1 ? c : b;
            if (momentum > 0) u = buffer[i] = momentum * buffer[i]! + u;
            w[i]! -= LR * u;
          }
        }
      }
      // Steps of Adam and its like are up to 1 / (1 - beta) times the rate where a gradient is near zero.
      expectClose(p, w, 2e-5, 1, JSON.stringify(variant));
      expect([p, ...state]).toEqual(kept);
      expectClose(copy.values(), w, Math.max(NEAR[copytype], 2e-5), 1, `copy of ${JSON.stringify(variant)}`);
    });

    // Catches state of 16 bits that is read as another type, or rounded on the way.
    test.each(VARIANTS)('%o of state in 16 bits is that of 32, rounded', async (variant) => {
      const n = random.int(1, 3000);
      const numbers = { momentum: 0, nesterov: 0, centered: 0, alpha: 0, ...variant };
      const one = (value: number): Float32Array => Float32Array.of(value);
      const constants = {
        lr: one(LR),
        decay: one(DECAY),
        bias1: one(0.1),
        bias2: one(0.05),
        n,
        gtype: 'f32',
        copytype: 'f32',
      };
      for (const type of ['bf16', 'f16'] as const) {
        const g = random.array(n);
        const narrow = [0, 1, 2, 3].map(() => randomFloats(random, type, n));
        // Squares are not negative.
        for (const { data } of narrow.slice(1)) for (let i = 0; i < n; i++) data[i] = data[i]! & 0x7fff;
        const wide = narrow.map((array) => array.values());
        const pointers = ([p, m, v, third]: readonly DeviceArray[]) => ({ p: p!, m: m!, v: v!, third: third! });
        const fields = { ...constants, ...numbers, g, scale: null, copy: null, beta1: BETA1, beta2: BETA2, eps: EPS };
        await runKernel('optimizer', { ...fields, ...pointers(wide) });
        const arrays = narrow.map(({ data }) => data);
        await runKernel('optimizer', { ...fields, ...pointers(arrays), ptype: type, mtype: type });
        arrays.forEach((array, i) => expect(array, `${type} ${i}`).toEqual(arrayOf(type, wide[i]!)));
      }
    });

    test('an update without a scale or a copy', async () => {
      const [p, g] = [random.array(100), random.array(100)];
      const want = p.map((value, i) => value - 0.5 * g[i]!);
      const pointers = {
        p,
        g,
        m: null,
        v: null,
        third: null,
        copy: null,
        scale: null,
        lr: Float32Array.of(0.5),
        decay: null,
      };
      const numbers = { n: 100, nesterov: 0, centered: 0, beta1: 0, beta2: 0, eps: 0, momentum: 0, alpha: 0 };
      await runKernel('optimizer', {
        ...pointers,
        bias1: null,
        bias2: null,
        gtype: 'f32',
        copytype: 'f32',
        kind: 'sgd',
        ...numbers,
      });
      expectClose(p, want, 1e-6, 1, 'sgd');
    });

    // Catches arrays that are left out or counted twice, and pieces that read the next array.
    test('the norm of several arrays', async () => {
      const parts = [70_001, random.int(1, 9), 65_536, random.int(65_537, 140_000)].map((n) =>
        randomFloats(random, random.pick(FLOAT_TYPES), n),
      );
      const y = new Float32Array(1);
      const extra = parts.flatMap(({ data, type }) => [data, data.length, type]);
      await runKernel('global_norm', { y }, extra);
      const squares = parts.map((part) => part.values().reduce((sum, value) => sum + value * value, 0));
      expectClose(y, [Math.sqrt(squares.reduce((sum, value) => sum + value, 0))], 1e-6, 0, 'norm');
      (parts[1]!.data as Float32Array | Uint16Array)[0] = parts[1]!.type === 'f32' ? NaN : 0x7fff;
      await runKernel('global_norm', { y }, extra);
      expect(y[0]).toBeNaN();
    });
  },
);
