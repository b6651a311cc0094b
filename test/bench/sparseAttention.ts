/**
 * Forward and backward of sparse attention beside causal attention, in interleaved pairs: T = 2,048, 8 heads of 64. A density is the share
 * of the pairs that causal attention computes; at a quarter the target is 2.5 times the speed.
 *
 *   npm run bench -- attention [--threads N] [--pairs N]
 */
import { loadNative, pointer, signaturesOf } from '../../main/engine/native/addon.ts';
import { PATTERNS, sparsePairs } from '../../main/engine/graph/ops/index.ts';
import type { SparsePattern } from '../../main/engine/graph/ops/index.ts';
import { looseRecord } from '../oracles/kernelCall.ts';
import { median, spread } from './statistics.ts';

const [T, HEADS, D] = [2048, 8, 64];
const TARGET = 2.5;

const of = (patterns: SparsePattern['patterns'], block: number, summary = 1): SparsePattern => ({
  patterns,
  block,
  summary,
  groups: 1,
});
const SPARSE: readonly SparsePattern[] = [
  of(['fixed'], 256, 34),
  of(['local'], 270),
  of(['local', 'strided'], 512, 1),
  of(['fixed'], 64, 8),
  of(['local', 'strided'], 64),
];

export async function sparseAttentionBench(threads: string | undefined, pairs: number): Promise<void> {
  const { native, reason } = loadNative();
  if (native === undefined) {
    console.log(`SKIPPED: ${reason}`);
    return;
  }
  if (threads !== undefined) native.setThreads(Number(threads));
  const signatures = signaturesOf(native);
  const blocks: number[] = [];
  const put = (elements: number, bytes: number) => {
    const block = native.allocate(elements * bytes + 64);
    blocks.push(block);
    if (bytes === 4)
      native.write(
        block,
        0,
        Float32Array.from({ length: elements }, () => Math.random() - 0.5),
      );
    else
      native.write(
        block,
        0,
        Uint16Array.from({ length: elements }, () => 0x3e00 + Math.floor(Math.random() * 128)),
      );
    return pointer(block, 0);
  };
  const rounds = Math.max(5, pairs);
  for (const type of ['f32', 'bf16'] as const) {
    const [q, k, v, o, dout, gq, gk, gv] = Array.from({ length: 8 }, () => put(T * HEADS * D, type === 'f32' ? 4 : 2));
    const shared = { q: q!, k: k!, v: v!, o: o!, lse: put(HEADS * T, 4), batch: 1, heads: HEADS, kvheads: HEADS, d: D };
    const typed = { ...shared, dvalue: D, type, compute: type, scale: D ** -0.5 };
    const grads = { dout: dout!, gq: gq!, gk: gk!, gv: gv! };
    const both = (kernel: string, args: Parameters<typeof looseRecord>[2]) =>
      [looseRecord(signatures, kernel, args), looseRecord(signatures, `${kernel}_backward`, { ...args, ...grads })].map(
        (record) => native.compile(Float64Array.from(record)),
      );
    const strides = Object.fromEntries(
      ['q', 'k', 'v', 'o'].flatMap((name) => [
        [`s${name}b`, T * HEADS * D],
        [`s${name}t`, HEADS * D],
        [`s${name}h`, D],
      ]),
    );
    const dense = both('attention', { ...typed, tq: T, tk: T, causal: 1, ...strides });
    const run = (programs: readonly number[]) => {
      const start = performance.now();
      for (const program of programs) native.runSync(program);
      return performance.now() - start;
    };
    for (const pattern of SPARSE) {
      const { patterns, block, summary, groups } = pattern;
      const bits = patterns.reduce((sum, name, turn) => sum + PATTERNS.indexOf(name) * 4 ** turn, 0);
      const given = { patterns: bits, turns: patterns.length, block, summary, groups };
      const sparse = both('sparse_attention', { ...typed, t: T, ...given });
      run(dense);
      run(sparse);
      const times = Array.from({ length: rounds }, () => [run(dense), run(sparse)] as const);
      const ratio = spread(times.map(([a, b]) => a / b));
      const density = sparsePairs(pattern, HEADS, T) / ((HEADS * T * (T + 1)) / 2);
      const target =
        density >= 0.2 && density <= 0.25 ? ` (target ${TARGET}: ${ratio.median >= TARGET ? 'met' : 'missed'})` : '';
      const name = `${patterns.join(' ')} ${block}${patterns.includes('fixed') ? `/${summary}` : ''} ${type}`;
      console.log(
        `${name.padEnd(26)} density ${density.toFixed(3)}  ${median(times.map(([, b]) => b))
          .toFixed(1)
          .padStart(6)} ms, causal ` +
          `${median(times.map(([a]) => a))
            .toFixed(1)
            .padStart(
              6,
            )} ms, ratio ${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})${target}`,
      );
      for (const program of sparse) native.release(program);
    }
    for (const program of dense) native.release(program);
  }
  for (const block of blocks) native.free(block);
}
