/** Activations and gated activations, forward and backward. */
import { sizeOf } from '../../../graph/value.ts';
import type { Node, Value } from '../../../graph/value.ts';
import type { NativeOperations } from '../operation.ts';

const act = (node: Node): string => node.attrs.fn as string;

export const ACTIVATION: NativeOperations = {
  activation: {
    calls: (node) => {
      const [x] = node.inputs as [Value];
      const fields = { x, y: node.outputs[0]!, n: sizeOf(x.shape), type: x.dtype, act: act(node) };
      return [{ kernel: 'activation', fields }];
    },
  },
  activationGrad: {
    calls: (node) => {
      const [x, dy] = node.inputs as [Value, Value];
      const fields = { x, dy, dx: node.outputs[0]!, n: sizeOf(x.shape), type: x.dtype, act: act(node) };
      return [{ kernel: 'activation_backward', fields }];
    },
  },
  gatedActivation: {
    calls: (node) => {
      const [a, b] = node.inputs as [Value, Value];
      const [y] = node.outputs as [Value];
      const fields = { a, b, y, n: sizeOf(a.shape), type: a.dtype, ytype: y.dtype, act: act(node) };
      return [{ kernel: 'glu', fields }];
    },
  },
  gatedActivationGrad: {
    calls: (node) => {
      const [a, b, dy] = node.inputs as [Value, Value, Value];
      const [da, db] = node.outputs as [Value, Value];
      const fields = { dy, a, b, da, db, n: sizeOf(a.shape), type: a.dtype, dytype: dy.dtype, act: act(node) };
      return [{ kernel: 'glu_backward', fields }];
    },
  },
};
