/** Examples of attention, masks and documents included; its variants are shared with the tests of formulas. */
import * as ops from '../../../../main/engine/graph/ops/index.ts';
import type { Value } from '../../../../main/engine/graph/value.ts';
import type { Random } from '../../../oracles/random.ts';
import { bad, bits, i32, key, normal, positive } from './case.ts';
import type { CaseInput, OperationCase } from './case.ts';

export interface AttentionVariant {
  title: string;
  tq?: number;
  tk?: number;
  heads?: number;
  kvHeads?: number;
  size?: number;
  valueSize?: number;
  causal?: boolean;
  window?: number;
  softcap?: number;
  keyMask?: 'random' | 'first row empty';
  slope?: boolean;
  rate?: number;
  /** Documents that share the rows. */
  starts?: boolean;
}

/** Every option of attention, alone and together. */
export const ATTENTION_VARIANTS: readonly AttentionVariant[] = [
  { title: 'plain' },
  { title: 'causal', causal: true, heads: 3 },
  { title: 'causal, more keys than queries', causal: true, tq: 3, tk: 7 },
  { title: 'window', causal: true, window: 3 },
  { title: 'key padding', keyMask: 'random' },
  { title: 'key padding, a sequence without any key', keyMask: 'first row empty', causal: true },
  { title: 'slope', slope: true, causal: true, heads: 3 },
  { title: 'soft-cap', softcap: 1.5, heads: 2 },
  { title: 'grouped queries', heads: 6, kvHeads: 2, causal: true },
  { title: 'one key-value head', heads: 4, kvHeads: 1 },
  { title: 'values wider than keys', size: 3, valueSize: 7 },
  { title: 'dropout', rate: 0.4, causal: true },
  { title: 'documents', causal: true, tq: 7, starts: true },
  {
    title: 'everything',
    starts: true,
    heads: 4,
    kvHeads: 2,
    size: 5,
    valueSize: 3,
    causal: true,
    window: 4,
    softcap: 2,
    keyMask: 'first row empty',
    slope: true,
    rate: 0.25,
  },
];

/** Where the documents of each row begin, at random. */
export function startsOf(r: Random, batch: number, length: number): Int32Array {
  const starts = new Int32Array(batch * length);
  for (let at = 0; at < starts.length; at++)
    starts[at] = at % length === 0 ? 0 : r() < 0.4 ? at % length : starts[at - 1]!;
  return starts;
}

/**
 * The second sequence begins with a document of three tokens whose first two are keys: where every query has one key at most,
 * the gradients of the scores are 0, and roundings would be all that is compared.
 */
export function attentionInputs(r: Random, v: AttentionVariant): Record<string, CaseInput> {
  const batch = 2;
  const tq = v.tq ?? 5;
  const tk = v.tk ?? tq;
  const heads = v.heads ?? 1;
  const kvHeads = v.kvHeads ?? heads;
  const size = v.size ?? 3;
  const inputs: Record<string, CaseInput> = {
    q: normal(r, [batch, tq, heads, size]),
    k: normal(r, [batch, tk, kvHeads, size]),
    v: normal(r, [batch, tk, kvHeads, v.valueSize ?? size]),
  };
  if (v.keyMask !== undefined) {
    inputs.keyMask = bits(r, [batch, tk], 0.7);
    if (v.keyMask === 'first row empty') {
      inputs.keyMask.data.fill(0, 0, tk);
    }
    inputs.keyMask.data.fill(1, tk, tk + 2);
  }
  if (v.slope === true) inputs.slope = positive(r, [heads]);
  if (v.rate !== undefined) inputs.key = key(r);
  if (v.starts === true) {
    inputs.starts = i32([batch, tq], startsOf(r, batch, tq));
    inputs.starts.data.fill(0, tq, tq + 3);
  }
  return inputs;
}

export function buildAttention(variant: AttentionVariant, x: Readonly<Record<string, Value>>): Value {
  return ops.attention(x.q!, x.k!, x.v!, {
    causal: variant.causal,
    window: variant.window,
    softcap: variant.softcap,
    keyMask: x.keyMask,
    slope: x.slope,
    starts: x.starts,
    dropout: variant.rate === undefined ? undefined : { rate: variant.rate, key: x.key!, stream: 3 },
  });
}

export const attentionCases: OperationCase[] = ATTENTION_VARIANTS.flatMap((variant): OperationCase[] => [
  {
    op: 'attention',
    title: `attention: ${variant.title}`,
    make: (r) => ({
      inputs: attentionInputs(r, variant),
      build: (x) => buildAttention(variant, x).node.outputs,
      // The second output (log-sum-exp) is there for backward only.
      differentiableOutputs: [0],
    }),
    bad: [
      bad([2, 5, 3], [2, 5, 3], [2, 5, 3])((q, k, v) => ops.attention(q!, k!, v!)),
      bad([2, 5, 3, 4], [2, 5, 2, 4], [2, 5, 2, 4])((q, k, v) => ops.attention(q!, k!, v!)),
      bad([2, 5, 2, 4], [2, 5, 2, 3], [2, 5, 2, 4])((q, k, v) => ops.attention(q!, k!, v!)),
      bad([1, 5, 2, 4], [1, 5, 2, 4], [1, 5, 2, 4], [3])((q, k, v, slope) => ops.attention(q!, k!, v!, { slope })),
      bad(
        [1, 5, 2, 4],
        [1, 5, 2, 4],
        [1, 5, 2, 4],
        [1, 5],
      )((q, k, v, keyMask) => ops.attention(q!, k!, v!, { keyMask })),
      bad(
        [1, 5, 2, 4],
        [1, 5, 2, 4],
        [1, 5, 2, 4],
        [1, 5],
      )((q, k, v, starts) => ops.attention(q!, k!, v!, { starts, causal: true })),
    ],
  },
  {
    op: 'attentionGrad',
    title: `attentionGrad: ${variant.title}`,
    // What forward saved is given independently, so that the function is smooth in each input on its own.
    make: (r) => {
      const inputs = attentionInputs(r, variant);
      const [batch, tq, heads] = inputs.q!.shape as [number, number, number];
      const like = [batch, tq, heads, inputs.v!.shape[3]!];
      return {
        inputs: { ...inputs, out: normal(r, like), lse: normal(r, [batch, heads, tq], 0.3, 2), g: normal(r, like) },
        build: (x, graph) => {
          const { inputs: own, attrs } = buildAttention(variant, x).node;
          return graph.add('attentionGrad', [...own.slice(0, 3), x.out!, x.lse!, x.g!, ...own.slice(3)], attrs);
        },
      };
    },
  },
]);
