/**
 * Fusion: rewrites a program so that several operations become one pass over memory. Each rule is one small function; they run
 * in the order of {@link RULES}. Fused operations have decompositions (graph/ops/fused.ts), so results can be compared with the
 * unfused program on any executor.
 */
import { reachable } from '../graph/expand.ts';
import { gemm, gemmInputs, reshape, rows } from '../graph/ops/index.ts';
import type { Activation } from '../graph/ops/index.ts';
import type { Program } from '../graph/program.ts';
import { sameShape } from '../graph/value.ts';
import type { Node, Value } from '../graph/value.ts';
import { rewrite, throughReshapes } from './rewrite.ts';
import type { Rewriting, Rule } from './rewrite.ts';

/** Linear layers and matrix products become gemm nodes with room for an epilogue. */
const toGemm: Rule = (node, r) => {
  if (node.op === 'linear') {
    const [x, w, bias] = node.inputs.map((value) => r.map(value)) as [Value, Value, Value | undefined];
    const out = node.outputs[0]!;
    return [reshape(gemm(rows(x), w, { transposeB: true, out: out.dtype, bias }).y, out.shape)];
  }
  if (node.op === 'matmul') {
    const [a, b] = node.inputs.map((value) => r.map(value)) as [Value, Value];
    const { transposeA, transposeB } = node.attrs as { transposeA?: boolean; transposeB?: boolean };
    return [gemm(a, b, { transposeA, transposeB, out: node.outputs[0]!.dtype }).y];
  }
  return undefined;
};

/** The gemm behind `value` (through reshapes), if it has no epilogue beyond a bias and nothing else reads it. */
function plainGemm(value: Value, r: Rewriting, readersAllowed: (root: Value) => boolean): Node | undefined {
  const root = throughReshapes(value);
  const { node } = root;
  if (node.op !== 'gemm' || node.attrs.fn !== undefined || node.attrs.hasResidual === true) return undefined;
  for (let step = value; step !== root; step = step.node.inputs[0]!) if (r.uses(step) !== 1) return undefined;
  return readersAllowed(root) ? node : undefined;
}

const single = (r: Rewriting) => (root: Value) => r.uses(root) === 1;

/** Rebuilds a gemm with more of an epilogue. */
function withEpilogue(node: Node, r: Rewriting, extra: Parameters<typeof gemm>[2]): ReturnType<typeof gemm> {
  const own = gemmInputs(node.inputs, node.attrs);
  return gemm(r.map(own.a), r.map(own.b), {
    transposeA: node.attrs.transposeA as boolean,
    transposeB: node.attrs.transposeB as boolean,
    ...(own.bias === undefined ? {} : { bias: r.map(own.bias) }),
    ...extra,
  });
}

/** f(x·w + b): the activation moves into the product; its input is stored on the way when backward needs it. */
const foldActivation: Rule = (node, r) => {
  if (node.op !== 'activation') return undefined;
  const x = node.inputs[0]!;
  const root = throughReshapes(x);
  // Everything else that reads the pre-activation must come later, so that it can read the stored copy.
  const readers = (value: Value): Node[] =>
    r
      .readers(value)
      .flatMap((reader) => (reader.op === 'reshape' ? [reader, ...readers(reader.outputs[0]!)] : [reader]));
  if (root.node.op !== 'gemm' || root.node.attrs.fn !== undefined || root.node.attrs.hasResidual === true)
    return undefined;
  const others = readers(root).filter((reader) => reader !== node && reader.op !== 'reshape');
  if (others.some((reader) => reader.id < node.id)) return undefined;
  const savePre = others.length > 0;
  const fused = withEpilogue(root.node, r, { out: root.dtype, activation: node.attrs.fn as Activation, savePre });
  if (savePre) {
    r.replace(root, fused.pre!);
    for (let step = x; step !== root; step = step.node.inputs[0]!) r.replace(step, reshape(fused.pre!, step.shape));
  }
  return [reshape(fused.y, node.outputs[0]!.shape)];
};

/** (g·w) ∘ f'(x): the derivative moves into the product. */
const foldDerivative: Rule = (node, r) => {
  if (node.op !== 'activationGrad') return undefined;
  const [x, g] = node.inputs as [Value, Value];
  const product = plainGemm(g, r, single(r));
  if (product === undefined || product.attrs.hasBias === true) return undefined;
  const aux = reshape(r.map(x), product.outputs[0]!.shape);
  const fused = withEpilogue(product, r, {
    out: x.dtype,
    derivativeOf: { activation: node.attrs.fn as Activation, aux },
  });
  return [reshape(fused.y, node.outputs[0]!.shape)];
};

/** x + a·b: the sum moves into the product, which may then be made in place over x (a 32-bit sum takes the product before it is rounded). */
const foldResidual: Rule = (node, r) => {
  if (node.op !== 'add') return undefined;
  const [x, y] = node.inputs as [Value, Value];
  if (!sameShape(x.shape, y.shape)) return undefined;
  // Of two products the later one takes the earlier one in, which is then complete.
  for (const [other, value] of x.node.id > y.node.id
    ? ([
        [y, x],
        [x, y],
      ] as const)
    : ([
        [x, y],
        [y, x],
      ] as const)) {
    const product = plainGemm(value, r, single(r));
    if (product === undefined || x === y) continue;
    const shape = product.outputs[0]!.shape;
    const fused = withEpilogue(product, r, { out: node.outputs[0]!.dtype, residual: reshape(r.map(other), shape) });
    return [reshape(fused.y, node.outputs[0]!.shape)];
  }
  return undefined;
};

/** g + d(norm): the gradient that flows past the norm is added where the norm's own gradient is written. */
const foldNormGradient: Rule = (node, r) => {
  if (node.op !== 'add') return undefined;
  const [x, y] = node.inputs as [Value, Value];
  for (const [other, value] of [
    [x, y],
    [y, x],
  ] as const) {
    const { node: maker } = value;
    if (maker.op !== 'normGrad' || value.index !== 0 || r.uses(value) !== 1 || other === value) continue;
    if (!sameShape(other.shape, value.shape) || other.dtype !== value.dtype || other.node.id > maker.id) continue;
    // The gain's gradients are read after this point or not at all.
    if (maker.outputs.slice(1).some((output) => r.readers(output).some((reader) => reader.id < node.id))) continue;
    const inputs = [...maker.inputs, other].map((input) => r.map(input));
    const outputs = r.graph.add('normGradAdd', inputs, maker.attrs);
    maker.outputs.slice(1).forEach((output, i) => r.replace(output, outputs[i + 1]!));
    return [outputs[0]!];
  }
  return undefined;
};

/** Forward and backward of the output layer become one node when the incoming gradient does not depend on the loss. */
const joinCrossEntropy: Rule = (node, r) => {
  if (node.op !== 'linearCrossEntropy') return undefined;
  const grad = r
    .readers(node.inputs[0]!)
    .find(
      (reader) => reader.op === 'linearCrossEntropyGrad' && node.inputs.every((value, i) => reader.inputs[i] === value),
    );
  if (grad === undefined || reachable([grad.inputs[3]!]).has(node)) return undefined;
  const outputs = r.graph.during('loss', () =>
    r.graph.add(
      'crossEntropyWithGradient',
      grad.inputs.map((value) => r.map(value)),
      grad.attrs,
    ),
  );
  grad.outputs.forEach((output, i) => r.replace(output, outputs[2 + i]!));
  return outputs.slice(0, 2);
};
const dropJoined: Rule = (node, r) => {
  const joined = joinCrossEntropy(node, r);
  if (joined !== undefined || node.op !== 'linearCrossEntropyGrad') return joined;
  // Already replaced when its forward was joined: its outputs are mapped, so nothing is added.
  const forward = r
    .readers(node.inputs[0]!)
    .find(
      (reader) => reader.op === 'linearCrossEntropy' && reader.inputs.every((value, i) => node.inputs[i] === value),
    );
  return forward === undefined || reachable([node.inputs[3]!]).has(forward) ? undefined : [];
};

/** base + scatterAdd(…): rows are added to the base in place. */
const foldScatter: Rule = (node, r) => {
  if (node.op !== 'add') return undefined;
  const [x, y] = node.inputs as [Value, Value];
  for (const [base, value] of [
    [x, y],
    [y, x],
  ] as const) {
    if (
      value.node.op !== 'scatterAdd' ||
      r.uses(value) !== 1 ||
      !sameShape(base.shape, value.shape) ||
      base.dtype !== value.dtype
    )
      continue;
    return r.graph.add(
      'scatterAddTo',
      [base, ...value.node.inputs].map((input) => r.map(input)),
    );
  }
  return undefined;
};

/** state + (a + b) → (state + a) + b, so that both sums can be folded into what makes a and b. */
const leanOnState: Rule = (node, r) => {
  if (node.op !== 'add') return undefined;
  const [base, sum] = node.inputs as [Value, Value];
  if (base.node.op !== 'state' || sum.node.op !== 'add' || r.uses(sum) !== 1) return undefined;
  const [a, b] = sum.node.inputs as [Value, Value];
  if (!sameShape(a.shape, base.shape) || !sameShape(b.shape, base.shape)) return undefined;
  const first = r.graph.add('add', [r.map(base), r.map(a)])[0]!;
  return r.graph.add('add', [first, r.map(b)]);
};

const RULES: readonly Rule[] = [
  dropJoined,
  leanOnState,
  foldNormGradient,
  foldScatter,
  toGemm,
  foldActivation,
  foldDerivative,
  foldResidual,
];

/** The program with everything fused that the rules know. */
export function fuse(source: Program): Program {
  return RULES.reduce(rewrite, source);
}
