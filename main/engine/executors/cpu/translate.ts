/** Kernel calls of each node of a planned program. */
import { ShapeError } from '../../graph/operation.ts';
import { attentionDimensions, gemmInputs, UPDATE_RULES } from '../../graph/ops/index.ts';
import { DTYPE_BYTES, sizeOf } from '../../graph/value.ts';
import type { Node, Value } from '../../graph/value.ts';
import { chainCall, isChain } from './chain.ts';
import type { ChainOpcodes } from './chain.ts';
import { NULL as NULL_POINTER, OPTIMIZER, REDUCE } from '../../native/addon.ts';
import type { KernelCall } from './calls.ts';
import { activationCode, typeCode } from './codes.ts';
import { axisGroups, logitRows } from './target.ts';

/** What a translation needs to know of the plan. */
export interface Placement {
  /** Pointer of a value. */
  at(value: Value): number;
  /** Pointer of the node's workspace. */
  readonly workspace: number;
  readonly opcodes: ChainOpcodes;
}

type Translation = (node: Node, place: Placement) => KernelCall[];
type Fields = Record<string, number>;

const F32 = typeCode('f32');
const BF16 = typeCode('bf16');
const type = (value: Value): number => typeCode(value.dtype);
const orNull = (value: Value | undefined, place: Placement): number =>
  value === undefined ? NULL_POINTER : place.at(value);
const flag = (on: unknown): number => (on === true ? 1 : 0);
/** Products of 16-bit operands are taken in 16 bits and summed in 32. */
const computeType = (...values: readonly Value[]): number =>
  values.some((value) => value.dtype === 'bf16') ? BF16 : F32;

/** A copy of one array into another place; nothing when it is already there. */
function copy(from: Value, to: Value, place: Placement): KernelCall[] {
  if (place.at(from) === place.at(to)) return [];
  return [
    {
      kernel: 'cast',
      fields: {
        x: place.at(from),
        y: place.at(to),
        n: sizeOf(from.shape),
        xtype: type(from),
        ytype: type(to),
        scale: 1,
      },
    },
  ];
}

function gemm(node: Node, place: Placement): KernelCall[] {
  const { a, b, residual, bias, aux } = gemmInputs(node.inputs, node.attrs);
  const [y, pre] = node.outputs as [Value, Value | undefined];
  const [m, n] = y.shape.slice(-2) as [number, number];
  const k = a.shape.at(node.attrs.transposeA === true ? -2 : -1)!;
  const side = aux ?? pre;
  const fields: Fields = {
    a: place.at(a),
    b: place.at(b),
    c: place.at(y),
    bias: orNull(bias, place),
    aux: orNull(side, place),
    residual: orNull(residual, place),
    m,
    n,
    k,
    lda: a.shape.at(-1)!,
    ldb: b.shape.at(-1)!,
    ldc: n,
    ldaux: n,
    ldres: n,
    ta: flag(node.attrs.transposeA),
    tb: flag(node.attrs.transposeB),
    atype: type(a),
    btype: type(b),
    ctype: type(y),
    auxtype: side === undefined ? F32 : type(side),
    restype: residual === undefined ? F32 : type(residual),
    biastype: bias === undefined ? F32 : type(bias),
    compute: computeType(a, b),
    act: activationCode(node.attrs.fn),
    actgrad: flag(aux !== undefined),
    batch: sizeOf(y.shape.slice(0, -2)),
    sa: m * k,
    sb: k * n,
    sc: m * n,
    alpha: 1,
    beta: 0,
  };
  return [{ kernel: 'gemm', fields }];
}

function normBackward(node: Node, place: Placement): KernelCall[] {
  const [x, gain, g, addend] = node.inputs as [Value, Value, Value, Value | undefined];
  const [dx, dGain, dBias] = node.outputs as [Value, Value, Value | undefined];
  const n = x.shape.at(-1)!;
  const fields: Fields = {
    dy: place.at(g),
    x: place.at(x),
    gain: place.at(gain),
    add: orNull(addend, place),
    dx: place.at(dx),
    dgain: place.at(dGain),
    dbias: orNull(dBias, place),
    rows: sizeOf(x.shape) / n,
    n,
    xtype: type(x),
    dytype: type(g),
    dxtype: type(dx),
    addtype: addend === undefined ? F32 : type(addend),
    rms: flag(node.attrs.kind === 'rms'),
    beta: 0,
    eps: node.attrs.eps as number,
  };
  return [{ kernel: 'norm_backward', fields }];
}

function attentionFields(node: Node, rest: readonly Value[], place: Placement): Fields {
  const { attrs } = node;
  const { batch, tq, tk, heads, kvHeads, size, valueSize } = attentionDimensions(node.inputs);
  const [q, k, v] = node.inputs as [Value, Value, Value];
  const extras = [...rest];
  const take = (present: unknown) => (present === true ? extras.shift() : undefined);
  const keyMask = take(attrs.hasKeyMask);
  const slope = take(attrs.hasSlope);
  const key = take(attrs.hasKey);
  const strides = (name: string, length: number, count: number, width: number): Fields => ({
    [`s${name}b`]: length * count * width,
    [`s${name}t`]: count * width,
    [`s${name}h`]: width,
  });
  return {
    q: place.at(q),
    k: place.at(k),
    v: place.at(v),
    slopes: orNull(slope, place),
    keymask: orNull(keyMask, place),
    seed: orNull(key, place),
    batch,
    heads,
    kvheads: kvHeads,
    tq,
    tk,
    d: size,
    dvalue: valueSize,
    ...strides('q', tq, heads, size),
    ...strides('k', tk, kvHeads, size),
    ...strides('v', tk, kvHeads, valueSize),
    ...strides('o', tq, heads, valueSize),
    causal: flag(attrs.causal),
    window: attrs.window as number,
    type: type(q),
    compute: computeType(q),
    stream: attrs.stream as number,
    scale: attrs.scale as number,
    softcap: attrs.softcap as number,
    dropout: attrs.rate as number,
  };
}

function attention(node: Node, place: Placement): KernelCall[] {
  const [out, lse] = node.outputs as [Value, Value];
  return [
    {
      kernel: 'attention',
      fields: { ...attentionFields(node, node.inputs.slice(3), place), o: place.at(out), lse: place.at(lse) },
    },
  ];
}

function attentionBackward(node: Node, place: Placement): KernelCall[] {
  const [, , , out, lse, g] = node.inputs as Value[];
  const [dq, dk, dv, dSlope] = node.outputs as [Value, Value, Value, Value | undefined];
  const fields: Fields = {
    ...attentionFields(node, node.inputs.slice(6), place),
    o: place.at(out!),
    lse: place.at(lse!),
    dout: place.at(g!),
    gq: place.at(dq),
    gk: place.at(dk),
    gv: place.at(dv),
    dslopes: dSlope === undefined ? NULL_POINTER : place.workspace,
  };
  const calls: KernelCall[] = [{ kernel: 'attention_backward', fields }];
  if (dSlope !== undefined) {
    const { batch, heads } = attentionDimensions(node.inputs);
    const sum = {
      x: place.workspace,
      y: place.at(dSlope),
      outer: 1,
      n: batch,
      inner: heads,
      xtype: F32,
      ytype: F32,
      kind: REDUCE.sum,
    };
    calls.push({ kernel: 'reduce', fields: sum });
  }
  return calls;
}

/** `gradient` is the per-row factor when gradients are wanted. */
function crossEntropy(node: Node, place: Placement): KernelCall[] {
  const [hidden, weight, targets, gradient, base] = node.inputs as [
    Value,
    Value,
    Value,
    Value | undefined,
    Value | undefined,
  ];
  const [rows, width] = hidden.shape as [number, number];
  const vocabulary = weight.shape[0]!;
  const chunk = logitRows(rows, vocabulary);
  const onlyGradient = node.op === 'linearCrossEntropyGrad';
  const [loss, correct] = onlyGradient ? [] : node.outputs;
  const [dHidden, dWeight] = onlyGradient ? node.outputs : node.outputs.slice(2);
  const fields: Fields = {
    hidden: place.at(hidden),
    weight: place.at(weight),
    target: place.at(targets),
    loss: orNull(loss, place),
    correct: orNull(correct, place),
    dloss: orNull(gradient, place),
    dhidden: orNull(dHidden, place),
    dweight: orNull(dWeight, place),
    logits: place.workspace,
    rows,
    d: width,
    vocabulary,
    chunk,
    htype: type(hidden),
    wtype: type(weight),
    dhtype: dHidden === undefined ? type(hidden) : type(dHidden),
    ltype: F32,
    compute: computeType(hidden, weight),
    softcap: node.attrs.softcap as number,
    dscale: 1,
    beta: base === undefined ? 0 : 1,
  };
  const before = base === undefined ? [] : copy(base, dWeight!, place);
  return [...before, { kernel: 'cross_entropy', fields }];
}

function optimizer(node: Node, place: Placement): KernelCall[] {
  const { attrs } = node;
  const [p, g, scale, lr, decay, bias1, bias2, ...moments] = node.inputs as [
    Value,
    Value,
    Value,
    Value,
    Value,
    Value,
    Value,
    ...Value[],
  ];
  const names = UPDATE_RULES[attrs.rule as string]!.moments(attrs);
  const [next, ...rest] = node.outputs as [Value, ...Value[]];
  const nextMoments = rest.slice(0, names.length);
  const working = rest[names.length];
  const copies = [p, ...moments].flatMap((from, i) => copy(from, [next, ...nextMoments][i]!, place));
  const fields: Fields = {
    p: place.at(next),
    g: place.at(g),
    m: orNull(nextMoments[0], place),
    v: orNull(nextMoments[1], place),
    third: orNull(nextMoments[2], place),
    copy: orNull(working, place),
    scale: place.at(scale),
    lr: place.at(lr),
    decay: place.at(decay),
    bias1: place.at(bias1),
    bias2: place.at(bias2),
    n: sizeOf(p.shape),
    gtype: type(g),
    kind: OPTIMIZER[attrs.rule as keyof typeof OPTIMIZER],
    nesterov: flag(attrs.nesterov),
    centered: flag(attrs.centered),
    beta1: attrs.beta1 as number,
    beta2: attrs.beta2 as number,
    eps: attrs.eps as number,
    momentum: attrs.momentum as number,
    alpha: attrs.alpha as number,
  };
  return [...copies, { kernel: 'optimizer', fields }];
}

function reduce(node: Node, place: Placement): KernelCall[] {
  const [x] = node.inputs as [Value];
  const [y] = node.outputs as [Value];
  const kind = node.op === 'reduceSum' ? REDUCE.sum : REDUCE.max;
  const groups = axisGroups(node);
  if (groups.length === 0) return copy(x, y, place);
  const shape = [...x.shape];
  const half = 4 * sizeOf(x.shape);
  let from = { at: place.at(x), type: type(x) };
  return groups.map(([first, last], i) => {
    const final = i === groups.length - 1;
    const to = final ? { at: place.at(y), type: type(y) } : { at: place.workspace + (i % 2) * half, type: F32 };
    const fields = {
      x: from.at,
      y: to.at,
      outer: sizeOf(shape.slice(0, first)),
      n: sizeOf(shape.slice(first, last + 1)),
      inner: sizeOf(shape.slice(last + 1)),
      xtype: from.type,
      ytype: to.type,
      kind,
      beta: 0,
    };
    for (let axis = first; axis <= last; axis++) shape[axis] = 1;
    from = to;
    return { kernel: 'reduce', fields };
  });
}

function gather(node: Node, place: Placement): KernelCall[] {
  const [table, index] = node.inputs as [Value, Value];
  const [y] = node.outputs as [Value];
  const fields: Fields = {
    table: place.at(table),
    index: place.at(index),
    y: place.at(y),
    rows: sizeOf(index.shape),
    n: table.shape[1]!,
    vocabulary: table.shape[0]!,
    period: 1,
    tabletype: type(table),
    addtype: F32,
    ytype: type(y),
  };
  return [{ kernel: 'gather', fields }];
}

function scatter(node: Node, place: Placement): KernelCall[] {
  const onto = node.op === 'scatterAddTo';
  const [index, updates] = (onto ? node.inputs.slice(1) : node.inputs) as [Value, Value];
  const [table] = node.outputs as [Value];
  if (table.dtype !== 'f32') throw new ShapeError('scatterAdd: the native kernel adds in f32');
  const fields: Fields = {
    dy: place.at(updates),
    index: place.at(index),
    table: place.at(table),
    rows: sizeOf(index.shape),
    n: table.shape[1]!,
    vocabulary: table.shape[0]!,
    dytype: type(updates),
    scale: 1,
    beta: onto ? 1 : 0,
  };
  return [...(onto ? copy(node.inputs[0]!, table, place) : []), { kernel: 'scatter_add', fields }];
}

function rotary(node: Node, place: Placement): KernelCall[] {
  const [x] = node.inputs as [Value];
  const [batch, t, heads, d] = x.shape as [number, number, number, number];
  const table = { table: place.workspace, t, d, offset: 0, base: node.attrs.base as number };
  const fields: Fields = {
    x: place.at(x),
    y: place.at(node.outputs[0]!),
    table: place.workspace,
    batch,
    t,
    heads,
    d,
    sxb: t * heads * d,
    sxt: heads * d,
    sxh: d,
    syb: t * heads * d,
    syt: heads * d,
    syh: d,
    type: type(x),
    inverse: flag(node.attrs.inverse),
  };
  return [
    { kernel: 'rotary_table', fields: table },
    { kernel: 'rotary', fields },
  ];
}

/** Copies between row-major boxes that differ along one axis. */
function copyRows(
  x: Value,
  y: Value,
  axis: number,
  place: Placement,
  fromBegin: number,
  toBegin: number,
  extent: number,
): KernelCall {
  const outer = sizeOf(x.shape.slice(0, axis));
  const inner = sizeOf(x.shape.slice(axis + 1));
  const fields: Fields = {
    x: place.at(x) + fromBegin * inner * DTYPE_BYTES[x.dtype],
    y: place.at(y) + toBegin * inner * DTYPE_BYTES[y.dtype],
    rows: outer,
    n: extent * inner,
    ldx: x.shape[axis]! * inner,
    ldy: y.shape[axis]! * inner,
    xtype: type(x),
    ytype: type(y),
  };
  return { kernel: 'copy_rows', fields };
}

const TRANSLATIONS: Readonly<Record<string, Translation>> = {
  gemm,
  matmul: gemm,
  norm: (node, place) => {
    const [x, gain, bias] = node.inputs as [Value, Value, Value | undefined];
    const [y] = node.outputs as [Value];
    const n = x.shape.at(-1)!;
    const fields: Fields = {
      x: place.at(x),
      gain: place.at(gain),
      bias: orNull(bias, place),
      y: place.at(y),
      rows: sizeOf(x.shape) / n,
      n,
      xtype: type(x),
      ytype: type(y),
      rms: flag(node.attrs.kind === 'rms'),
      eps: node.attrs.eps as number,
    };
    return [{ kernel: 'norm', fields }];
  },
  normGrad: normBackward,
  normGradAdd: normBackward,
  activation: (node, place) => {
    const [x] = node.inputs as [Value];
    const fields = {
      x: place.at(x),
      y: place.at(node.outputs[0]!),
      n: sizeOf(x.shape),
      type: type(x),
      act: activationCode(node.attrs.fn),
    };
    return [{ kernel: 'activation', fields }];
  },
  activationGrad: (node, place) => {
    const [x, g] = node.inputs as [Value, Value];
    const fields = {
      x: place.at(x),
      dy: place.at(g),
      dx: place.at(node.outputs[0]!),
      n: sizeOf(x.shape),
      type: type(x),
      act: activationCode(node.attrs.fn),
    };
    return [{ kernel: 'activation_backward', fields }];
  },
  gatedActivation: (node, place) => {
    const [a, b] = node.inputs as [Value, Value];
    const [y] = node.outputs as [Value];
    const fields = {
      a: place.at(a),
      b: place.at(b),
      y: place.at(y),
      n: sizeOf(a.shape),
      type: type(a),
      ytype: type(y),
      act: activationCode(node.attrs.fn),
    };
    return [{ kernel: 'glu', fields }];
  },
  gatedActivationGrad: (node, place) => {
    const [a, b, g] = node.inputs as [Value, Value, Value];
    const [da, db] = node.outputs as [Value, Value];
    const fields: Fields = {
      dy: place.at(g),
      a: place.at(a),
      b: place.at(b),
      da: place.at(da),
      db: place.at(db),
      n: sizeOf(a.shape),
      type: type(a),
      dytype: type(g),
      act: activationCode(node.attrs.fn),
    };
    return [{ kernel: 'glu_backward', fields }];
  },
  rotary,
  dropout: (node, place) => {
    const [x, key] = node.inputs as [Value, Value];
    const [y] = node.outputs as [Value];
    const fields: Fields = {
      x: place.at(x),
      y: place.at(y),
      seed: place.at(key),
      n: sizeOf(x.shape),
      xtype: type(x),
      ytype: type(y),
      stream: node.attrs.stream as number,
      p: node.attrs.rate as number,
    };
    return [{ kernel: 'dropout', fields }];
  },
  attention,
  attentionGrad: attentionBackward,
  linearCrossEntropy: crossEntropy,
  linearCrossEntropyGrad: crossEntropy,
  crossEntropyWithGradient: crossEntropy,
  optimizerUpdate: optimizer,
  globalNorm: (node, place) => [
    {
      kernel: 'global_norm',
      fields: { y: place.at(node.outputs[0]!) },
      extra: node.inputs.flatMap((value) => [place.at(value), sizeOf(value.shape), type(value)]),
    },
  ],
  reduceSum: reduce,
  reduceMax: reduce,
  argMax: (node, place) => {
    const [x] = node.inputs as [Value];
    const n = x.shape.at(-1)!;
    return [
      {
        kernel: 'argmax',
        fields: { x: place.at(x), y: place.at(node.outputs[0]!), rows: sizeOf(x.shape) / n, n, xtype: type(x) },
      },
    ];
  },
  gather,
  scatterAdd: scatter,
  scatterAddTo: scatter,
  cast: (node, place) => {
    const [x] = node.inputs as [Value];
    const [y] = node.outputs as [Value];
    return [
      {
        kernel: 'cast',
        fields: { x: place.at(x), y: place.at(y), n: sizeOf(x.shape), xtype: type(x), ytype: type(y), scale: 1 },
      },
    ];
  },
  transpose: (node, place) => {
    const [x] = node.inputs as [Value];
    const [y] = node.outputs as [Value];
    const strides = x.shape.map((_, axis) => sizeOf(x.shape.slice(axis + 1)));
    const order = node.attrs.order as readonly number[];
    const fields = { x: place.at(x), y: place.at(y), xtype: type(x), ytype: type(y) };
    return [{ kernel: 'permute', fields, extra: [y.shape.length, ...y.shape, ...order.map((axis) => strides[axis]!)] }];
  },
  slice: (node, place) => {
    const { axis, begin, size } = node.attrs as { axis: number; begin: number; size: number };
    return [copyRows(node.inputs[0]!, node.outputs[0]!, axis, place, begin, 0, size)];
  },
  concat: (node, place) => {
    const axis = node.attrs.axis as number;
    let begin = 0;
    return node.inputs.map((x) => {
      const call = copyRows(x, node.outputs[0]!, axis, place, 0, begin, x.shape[axis]!);
      begin += x.shape[axis]!;
      return call;
    });
  },
};

/** The kernel calls that run one node, in order. */
export function translate(node: Node, place: Placement): KernelCall[] {
  const [out] = node.outputs;
  if (out !== undefined && node.outputs.every((value) => sizeOf(value.shape) === 0)) return [];
  if (node.op === 'fill' && (out!.dtype === 'i32' || out!.dtype === 'u8')) {
    return [
      {
        kernel: 'fill',
        fields: { y: place.at(out!), n: sizeOf(out!.shape), ytype: type(out!), value: node.attrs.value as number },
      },
    ];
  }
  if (isChain(node.op)) return [chainCall(node, place.at, place.opcodes)];
  const translation = TRANSLATIONS[node.op];
  if (translation === undefined) throw new ShapeError(`the native CPU executor cannot run ${node.op}`);
  return translation(node, place);
}

/** Copies of updates that could not be made in place. */
export function translateCopies(copies: readonly { to: number; value: Value }[], at: Placement['at']): KernelCall[] {
  return copies.map(({ to, value }) => ({
    kernel: 'cast',
    fields: { x: at(value), y: to, n: sizeOf(value.shape), xtype: type(value), ytype: type(value), scale: 1 },
  }));
}
