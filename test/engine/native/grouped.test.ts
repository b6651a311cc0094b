/** Products by groups against double precision, over groups of many blocks and of none, at every level. */
import { afterEach, describe, expect, test } from 'vitest';
import { placesByDefinition } from '../../oracles/experts.ts';
import { Arena, call, expectClose, levels, native, Random, roundBf16, seed, skipped, TYPES } from './harness.ts';
import type { Type } from './harness.ts';

describe.skipIf(native === undefined).each(levels)(
  `products by groups at level %s (seed ${seed})${skipped}`,
  (level) => {
    const arena = new Arena();
    afterEach(() => arena.clear());

    /** Ends of groups that share the rows unevenly, with an empty one; a few rows belong to none. */
    function endsOf(r: Random, rows: number, groups: number): Int32Array {
      const cuts = Int32Array.from({ length: groups }, () => r.int(0, rows)).sort();
      if (groups > 2) cuts[1] = cuts[0]!;
      return cuts;
    }
    const groupOf = (ends: Int32Array, row: number): number => ends.findIndex((end) => row < end);
    const threads = (n: number): void => {
      native.setLevel(level === 'none' ? '' : level);
      native.setThreads(n);
    };
    /** Levels without bf16 products keep f32 operands as they are. */
    const seen = (compute: Type) => (compute === 'bf16' && native.info().bf16Products ? roundBf16 : (x: number) => x);

    // Catches a row that meets another group's matrix, a block that ends at the wrong row, and sums that depend on the number of threads.
    test.each(TYPES.flatMap((type) => [false, true].map((tb) => [type, tb] as const)))(
      'rows × matrices, %s, tb %s',
      (type, tb) => {
        const r = new Random(tb ? 1 : 2);
        for (const [rows, groups, n, k] of [
          [257, 5, 67, 131],
          [90, 3, 33, 1101],
          [3, 4, 5, 7],
        ] as const) {
          const x = arena.put(r.array(rows * k), type);
          const w = arena.put(r.array(groups * n * k), type);
          const ends = endsOf(r, rows, groups);
          const at = arena.raw(ends);
          const results = [1, 3].map((count) => {
            threads(count);
            const y = arena.empty(rows * n, type);
            const types = { xtype: type, wtype: type, ytype: type, compute: type };
            call('grouped_gemm', { x: x.p, w: w.p, y: y.p, ends: at.p, rows, groups, n, k, tb: +tb, ...types });
            return arena.get(y);
          });
          const round = seen(type);
          const want = Float64Array.from({ length: rows * n }, (_, i) => {
            const [row, column] = [Math.floor(i / n), i % n];
            const e = groupOf(ends, row);
            if (e < 0) return 0;
            let sum = 0;
            for (let d = 0; d < k; d++)
              sum +=
                round(x.values[row * k + d]!) * round(w.values[e * n * k + (tb ? column * k + d : d * n + column)]!);
            return sum;
          });
          expectClose(results[0]!, want, type === 'f32' ? 1e-6 : 2 ** -8, k / 8, `${rows} ${groups} ${n} ${k}`);
          expect(results[1]).toEqual(results[0]);
        }
      },
    );

    // Catches a gradient that lacks rows, has another group's, or is left as it was for an expert that got no token.
    test.each(TYPES)('sums of outer products, %s', (type) => {
      const r = new Random(3);
      for (const [rows, groups, m, n] of [
        [1501, 3, 37, 67],
        [200, 5, 70, 33],
        [5, 3, 3, 2],
      ] as const) {
        const x = arena.put(r.array(rows * m), type);
        const y = arena.put(r.array(rows * n), type);
        const ends = endsOf(r, rows, groups);
        const at = arena.raw(ends);
        const results = [1, 3].map((count) => {
          threads(count);
          const out = arena.empty(groups * m * n);
          const types = { xtype: type, ytype: type, outtype: 'f32', compute: type };
          call('grouped_outer', { x: x.p, y: y.p, out: out.p, ends: at.p, rows, groups, m, n, ...types });
          return arena.get(out);
        });
        const round = seen(type);
        const want = new Float64Array(groups * m * n);
        for (let row = 0; row < rows; row++) {
          const e = groupOf(ends, row);
          if (e < 0) continue;
          for (let i = 0; i < m; i++)
            for (let j = 0; j < n; j++)
              want[(e * m + i) * n + j]! += round(x.values[row * m + i]!) * round(y.values[row * n + j]!);
        }
        expectClose(results[0]!, want, 1e-6, rows / 8, `${rows} ${groups} ${m} ${n}`);
        expect(results[1]).toEqual(results[0]);
      }
    });

    test('places of many tokens (catches an order that depends on threads, and a token that is lost)', () => {
      const r = new Random(4);
      const [rows, experts, active] = [2003, 9, 3];
      const chosen = new Float32Array(rows * experts);
      for (let t = 0; t < rows; t++) for (let i = 0; i < active; i++) chosen[t * experts + r.int(0, experts - 2)] = 1;
      const given = arena.put(chosen);
      const want = placesByDefinition(chosen, experts, active).map((part) => Array.from(part));
      for (const count of [1, 3]) {
        threads(count);
        const [token, source, place] = [0, 1, 2].map(() => arena.raw(new Int32Array(rows * active).fill(77)));
        const ends = arena.raw(new Int32Array(experts));
        const to = { token: token!.p, source: source!.p, place: place!.p, ends: ends.p };
        call('expert_places', { chosen: given.p, ...to, rows, experts, active });
        [token!, source!, place!, ends].forEach((found, i) => expect(Array.from(arena.ints(found))).toEqual(want[i]));
      }
    });
  },
);
