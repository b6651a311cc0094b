/** Examples of attention over patterns and selections of keys. */
import * as ops from '../../../../main/engine/graph/ops/index.ts';
import type { Value } from '../../../../main/engine/graph/value.ts';
import type { Random } from '../../../oracles/random.ts';
import { attentionInputs } from './attention.ts';
import type { AttentionVariant } from './attention.ts';
import { bad, f32, i32, normal } from './case.ts';
import type { CaseInput, OperationCase } from './case.ts';

export interface SparseVariant extends AttentionVariant {
  length: number;
  pattern: ops.SparsePattern;
  selected?: boolean;
}

const patterns = (names: readonly ops.Pattern[], block: number, summary = 1, groups = 1): ops.SparsePattern => ({
  patterns: names,
  block,
  summary,
  groups,
});

/** Every pattern and option of sparse attention, alone and together. */
export const SPARSE_VARIANTS: readonly SparseVariant[] = [
  { title: 'all', length: 5, pattern: patterns(['all'], 3) },
  { title: 'local', length: 7, pattern: patterns(['local'], 3), heads: 2 },
  { title: 'strided', length: 8, pattern: patterns(['strided'], 3) },
  { title: 'fixed, columns by head', length: 11, pattern: patterns(['fixed'], 4, 1, 3), heads: 4 },
  { title: 'heads of several patterns', length: 7, pattern: patterns(['local', 'strided'], 2), heads: 3 },
  { title: 'selected', length: 7, pattern: patterns(['local'], 2), heads: 2, selected: true },
  {
    title: 'everything',
    starts: true,
    length: 6,
    pattern: patterns(['fixed', 'strided', 'local', 'all'], 2, 1, 2),
    heads: 4,
    kvHeads: 2,
    size: 5,
    valueSize: 3,
    softcap: 2,
    keyMask: 'first row empty',
    slope: true,
    rate: 0.25,
  },
  {
    title: 'everything, selected',
    starts: true,
    length: 6,
    pattern: patterns(['local'], 2),
    heads: 4,
    kvHeads: 2,
    size: 5,
    valueSize: 3,
    softcap: 2,
    keyMask: 'random',
    slope: true,
    rate: 0.25,
    selected: true,
  },
];

/** Scores, thresholds and ends that any tokens might have; no score is 0 or 1 above a threshold. */
function selectionInputs(r: Random, length: number): Record<string, CaseInput> {
  const grid = (shift: number) => Float32Array.from({ length: 2 * length }, () => r.integer(-8, 8) / 5 + shift);
  const expiry = Int32Array.from({ length: 2 * length }, (_, at) => r.integer(at % length, length));
  return {
    scores: f32([2, length], grid(0)),
    threshold: f32([2, length], grid(-0.5)),
    expiry: i32([2, length], expiry),
  };
}

export function sparseInputs(r: Random, v: SparseVariant): Record<string, CaseInput> {
  const inputs = attentionInputs(r, { ...v, tq: v.length });
  return v.selected === true ? { ...inputs, ...selectionInputs(r, v.length) } : inputs;
}

export function buildSparse(variant: SparseVariant, x: Readonly<Record<string, Value>>): Value {
  const { scores, threshold, expiry } = x;
  return ops.sparseAttention(x.q!, x.k!, x.v!, {
    pattern: variant.pattern,
    softcap: variant.softcap,
    keyMask: x.keyMask,
    slope: x.slope,
    starts: x.starts,
    dropout: variant.rate === undefined ? undefined : { rate: variant.rate, key: x.key!, stream: 3 },
    selection: scores && { scores, threshold: threshold!, expiry: expiry!, count: 3 },
  });
}

const plainPattern = patterns(['all'], 2);
export const sparseCases: OperationCase[] = SPARSE_VARIANTS.flatMap((variant): OperationCase[] => [
  {
    op: 'sparseAttention',
    title: `sparseAttention: ${variant.title}`,
    make: (r) => ({
      inputs: sparseInputs(r, variant),
      build: (x) => buildSparse(variant, x).node.outputs,
      differentiableOutputs: [0],
    }),
    bad: [
      bad([2, 5, 3], [2, 5, 3], [2, 5, 3])((q, k, v) => ops.sparseAttention(q!, k!, v!, { pattern: plainPattern })),
      bad(
        [2, 4, 2, 4],
        [2, 5, 2, 4],
        [2, 5, 2, 4],
      )((q, k, v) => ops.sparseAttention(q!, k!, v!, { pattern: plainPattern })),
      bad(
        [2, 5, 3, 4],
        [2, 5, 2, 4],
        [2, 5, 2, 4],
      )((q, k, v) => ops.sparseAttention(q!, k!, v!, { pattern: plainPattern })),
      bad(
        [1, 5, 2, 4],
        [1, 5, 2, 4],
        [1, 5, 2, 4],
        [3],
      )((q, k, v, slope) => ops.sparseAttention(q!, k!, v!, { pattern: plainPattern, slope })),
    ],
  },
  {
    op: 'sparseAttentionGrad',
    title: `sparseAttentionGrad: ${variant.title}`,
    make: (r) => {
      const inputs = sparseInputs(r, variant);
      const [batch, length, heads] = inputs.q!.shape as [number, number, number];
      const like = [batch, length, heads, inputs.v!.shape[3]!];
      return {
        inputs: { ...inputs, out: normal(r, like), lse: normal(r, [batch, heads, length], 0.3, 2), g: normal(r, like) },
        build: (x, graph) => {
          const { inputs: own, attrs } = buildSparse(variant, x).node;
          const all = [...own.slice(0, 3), x.out!, x.lse!, x.g!, ...own.slice(3)];
          return graph.add('sparseAttentionGrad', all, attrs);
        },
      };
    },
  },
]);
