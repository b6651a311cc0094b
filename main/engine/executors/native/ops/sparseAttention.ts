/** Attention over few keys, forward and backward, without what is masked out. */
import { attentionDimensions, sparseGradInputs, sparseInputs } from '../../../graph/ops/index.ts';
import type { Node, Value } from '../../../graph/value.ts';
import { pointerInto } from '../call.ts';
import type { Fields, KernelCall } from '../call.ts';
import type { NativeOperations } from '../operation.ts';
import { commonFields } from './attention.ts';

/** Patterns that the kernel takes, of two bits each: more are decomposed. */
const MOST_TURNS = 16;

function fieldsOf(node: Node): Fields {
  const { attrs, op, inputs } = node;
  const named = op === 'sparseAttention' ? sparseInputs(inputs, attrs) : sparseGradInputs(inputs, attrs);
  const patterns = attrs.patterns as readonly number[];
  return {
    ...commonFields(node, named),
    scores: named.scores ?? null,
    thresholds: named.threshold ?? null,
    expiry: named.expiry ?? null,
    t: attentionDimensions(inputs).tk,
    patterns: patterns.reduce((bits, pattern, turn) => bits + pattern * 4 ** turn, 0),
    turns: patterns.length,
    block: attrs.block as number,
    summary: attrs.summary as number,
    groups: attrs.groups as number,
  };
}

function forward(node: Node): KernelCall[] {
  const [o, lse] = node.outputs as [Value, Value];
  return [{ kernel: 'sparse_attention', fields: { ...fieldsOf(node), o, lse } }];
}

/** Sums over the heads, each of which sums its part on its own: the value, and how many numbers there are per head. */
function partialSums(node: Node): { readonly value: Value; readonly each: number; readonly offset: number }[] {
  const { batch, heads, tk } = attentionDimensions(node.inputs);
  const [, , , ...more] = node.outputs;
  let offset = 0;
  return more.map((value, i) => {
    const each = node.attrs.hasSlope === true && i === 0 ? 1 : tk;
    const sum = { value, each, offset };
    offset += 4 * batch * heads * each;
    return sum;
  });
}

function backward(node: Node): KernelCall[] {
  const { attrs } = node;
  const { out, lse, g } = sparseGradInputs(node.inputs, attrs);
  const [gq, gk, gv] = node.outputs as [Value, Value, Value];
  const { batch, heads } = attentionDimensions(node.inputs);
  const sums = partialSums(node);
  const pointers = sums.map(({ offset }) => pointerInto('workspace', offset));
  const dslopes = attrs.hasSlope === true ? pointers.shift()! : null;
  const [dscores = null, dthresholds = null] = pointers;
  const fields = { ...fieldsOf(node), o: out, lse, dout: g, gq, gk, gv, dslopes, dscores, dthresholds };
  const calls: KernelCall[] = [{ kernel: 'sparse_attention_backward', fields }];
  for (const { value, each, offset } of sums) {
    // A slope belongs to a head and is summed over the sequences; a score belongs to a token and is summed over the heads.
    const slope = each === 1 && value.shape.length === 1;
    const axes = slope ? { outer: 1, n: batch, inner: heads } : { outer: batch, n: heads, inner: each };
    const x = pointerInto('workspace', offset);
    calls.push({
      kernel: 'reduce',
      fields: { x, y: value, ...axes, xtype: 'f32', ytype: 'f32', kind: 'sum', beta: 0 },
    });
  }
  return calls;
}

const keeps = ({ attrs }: Node): boolean => (attrs.patterns as readonly number[]).length <= MOST_TURNS;

export const SPARSE_ATTENTION: NativeOperations = {
  sparseAttention: { keeps, calls: forward },
  sparseAttentionGrad: {
    keeps,
    workspace: (node) => {
      const { batch, heads } = attentionDimensions(node.inputs);
      return partialSums(node).reduce((bytes, { each }) => bytes + 4 * batch * heads * each, 0);
    },
    calls: backward,
  },
  sparseSelect: {
    calls: ({ inputs: [scores, starts], outputs: [thresholds, expiry], attrs }) => {
      const [batch, t] = scores!.shape as [number, number];
      const fields = { scores: scores!, starts: starts ?? null, thresholds: thresholds!, expiry: expiry!, batch, t };
      return [{ kernel: 'sparse_select', fields: { ...fields, k: attrs.k as number } }];
    },
  },
  sparseSelectGrad: {
    calls: ({ inputs: [scores, thresholds, dthresholds, starts], outputs: [dscores] }) => {
      const [batch, t] = scores!.shape as [number, number];
      const given = { scores: scores!, starts: starts ?? null, thresholds: thresholds!, dthresholds: dthresholds! };
      return [{ kernel: 'sparse_select_backward', fields: { ...given, dscores: dscores!, batch, t } }];
    },
  },
};
