/** Cross-entropy from hidden states on the emulated GPU against double precision. */
import { describe, expect, test } from 'vitest';
import { expectClose, Random, seed } from '../../native/harness.ts';
import { floats, FLOAT_TYPES, randomFloats, unwritten } from '../arrays.ts';
import { whyNoEmulator } from '../emulator/build.ts';
import { runKernel } from '../harness.ts';

const why = whyNoEmulator();
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

describe.skipIf(why !== undefined)(
  `cross-entropy on the emulated GPU${why ? ` (SKIPPED: ${why})` : ''} (seed ${seed})`,
  () => {
    // Catches logits of one chunk that leak into the next, wrong ties, tiles that are lost, ignored rows that still have a gradient.
    test.each([
      { vocabulary: [2, 40], softcap: 0 },
      { vocabulary: [100, 300], softcap: 3 },
      { vocabulary: [2049, 2200], softcap: 0 },
    ])('of $vocabulary words, cap $softcap', async ({ vocabulary: [low, high], softcap }) => {
      const r = new Random(high!);
      for (const type of FLOAT_TYPES) {
        // Aligned rows take other kernels than odd ones.
        const d = r.pick([8 * r.int(1, 5), r.int(1, 40)]);
        const [vocabulary, rows] = [r.int(low!, high!), r.int(1, low! > 1000 ? 9 : 70)];
        const chunk = r.int(1, rows + 5);
        const ltype = type === 'f16' ? r.pick(['f16', 'f32'] as const) : type;
        const hidden = randomFloats(r, type, rows * d);
        const weight = randomFloats(r, type, vocabulary * d);
        // Equal logits: the first counts.
        for (let e = 0; e < d; e++) weight.data[(vocabulary - 1) * d + e] = weight.data[e]!;
        const [h, w] = [hidden.values(), weight.values()];
        const raw = Array.from({ length: rows }, (_, i) =>
          Array.from({ length: vocabulary }, (__, v) => {
            let z = 0;
            for (let e = 0; e < d; e++) z += h[i * d + e]! * w[v * d + e]!;
            return softcap > 0 ? softcap * Math.tanh(z / softcap) : z;
          }),
        );
        const top = raw.map((z) => Math.max(...z));
        // Half of the targets are the largest, so that both verdicts are seen.
        const target = Int32Array.from({ length: rows }, (_, i) =>
          r.uniform() < 0.5 ? raw[i]!.indexOf(top[i]!) : r.int(-1, vocabulary - 1),
        );
        const dloss = r.uniform() < 0.7 ? floats('f32', r.array(rows)) : undefined;
        const [loss, correct] = [unwritten('f32', rows), unwritten('f32', rows)];
        const dhidden = unwritten(type, rows * d);
        const dweight = randomFloats(r, 'f32', vocabulary * d);
        const before = dweight.values();
        const fields = {
          hidden: hidden.data,
          weight: weight.data,
          target,
          loss: loss.data,
          correct: correct.data,
          dloss: dloss?.data ?? null,
          rows,
          d,
          vocabulary,
          chunk,
          htype: type,
          wtype: type,
          dhtype: type,
          ltype,
          compute: type,
          softcap,
          dscale: 0.5,
          beta: 1,
        };
        const logits = unwritten(ltype, chunk * Math.ceil(vocabulary / 64) * 64).data;
        await runKernel('cross_entropy', { ...fields, dhidden: dhidden.data, dweight: dweight.data, logits });
        const wanted = { loss: new Float64Array(rows), correct: new Float64Array(rows) };
        const wh = new Float64Array(rows * d);
        const ww = Float64Array.from(before);
        // Sums of the sizes of the terms: what is rounded to 16 bits on the way is their share of the error.
        const sizeH = new Float64Array(rows * d).fill(1e-3);
        const sizeW = new Float64Array(vocabulary * d).fill(1);
        for (let i = 0; i < rows; i++) {
          if (target[i]! < 0) continue;
          const total = sum(raw[i]!.map((z) => Math.exp(z - top[i]!)));
          wanted.loss[i] = top[i]! + Math.log(total) - raw[i]![target[i]!]!;
          wanted.correct[i] = raw[i]!.indexOf(top[i]!) === target[i] ? 1 : 0;
          for (let v = 0; v < vocabulary; v++) {
            let g = Math.exp(raw[i]![v]! - top[i]!) / total - (v === target[i] ? 1 : 0);
            g *= 0.5 * (dloss?.values()[i] ?? 1) * (softcap > 0 ? 1 - (raw[i]![v]! / softcap) ** 2 : 1);
            for (let e = 0; e < d; e++) {
              wh[i * d + e]! += g * w[v * d + e]!;
              ww[v * d + e]! += g * h[i * d + e]!;
              sizeH[i * d + e]! += Math.abs(g * w[v * d + e]!);
              sizeW[v * d + e]! += Math.abs(g * h[i * d + e]!);
            }
          }
        }
        const what = `${type}, logits ${ltype}, ${rows} × ${d} × ${vocabulary}, chunk ${chunk}`;
        const loose = type === 'f32' ? 2e-5 : 1e-2;
        expectClose(loss.values(), wanted.loss, 1e-5, 1, `${what} loss`);
        // Which of two is larger is not asked where f32 may not tell them apart.
        const got = correct.values();
        for (let i = 0; i < rows; i++)
          if (raw[i]!.filter((z, v) => v < vocabulary - 1 && z > top[i]! - 1e-4).length > 1)
            wanted.correct[i] = got[i]!;
        expectClose(got, wanted.correct, 0, 1, `${what} correct`);
        expectClose(dhidden.values(), wh, loose, sizeH, `${what} dhidden`);
        expectClose(dweight.values(), ww, loose, sizeW, `${what} dweight`);
        // A loss alone is the same; of 16-bit logits nothing is kept then.
        const alone = unwritten('f32', rows);
        const kept = ltype === 'f32' ? logits : null;
        await runKernel('cross_entropy', { ...fields, loss: alone.data, dhidden: null, dweight: null, logits: kept });
        expect(alone.values(), `${what} without gradients`).toEqual(loss.values());
      }
    });
  },
);
