/** Layer and RMS norm, forward and backward. */
import { sizeOf } from '../../../graph/value.ts';
import type { Node, Value } from '../../../graph/value.ts';
import { typeOr } from '../call.ts';
import type { KernelCall } from '../call.ts';
import type { NativeOperations } from '../operation.ts';

const isRms = (node: Node): boolean => node.attrs.kind === 'rms';

function forward(node: Node): KernelCall[] {
  const [x, gain, bias] = node.inputs as [Value, Value, Value | undefined];
  const [y] = node.outputs as [Value];
  const n = x.shape.at(-1)!;
  const fields = {
    x,
    gain,
    bias: bias ?? null,
    y,
    rows: sizeOf(x.shape) / n,
    n,
    xtype: x.dtype,
    ytype: y.dtype,
    rms: isRms(node),
    eps: node.attrs.eps as number,
  };
  return [{ kernel: 'norm', fields }];
}

/** Also normGradAdd: with a fourth input, what is added to the gradient of x. */
function backward(node: Node): KernelCall[] {
  const [x, gain, dy, addend] = node.inputs as [Value, Value, Value, Value | undefined];
  const [dx, dgain, dbias] = node.outputs as [Value, Value, Value | undefined];
  const n = x.shape.at(-1)!;
  const fields = {
    dy,
    x,
    gain,
    add: addend ?? null,
    dx,
    dgain,
    dbias: dbias ?? null,
    rows: sizeOf(x.shape) / n,
    n,
    xtype: x.dtype,
    dytype: dy.dtype,
    dxtype: dx.dtype,
    addtype: typeOr(addend),
    rms: isRms(node),
    beta: 0,
    eps: node.attrs.eps as number,
  };
  return [{ kernel: 'norm_backward', fields }];
}

export const NORM: NativeOperations = {
  norm: { calls: forward },
  normGrad: { calls: backward },
  normGradAdd: { calls: backward },
};
