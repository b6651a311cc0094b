/** Output layer and cross-entropy, with logits for some rows at a time. */
import { crossEntropyInputs } from '../../../graph/ops/index.ts';
import type { Node, Value } from '../../../graph/value.ts';
import { pointerInto, productType } from '../call.ts';
import type { KernelCall } from '../call.ts';
import type { NativeOperation, NativeOperations, Placement } from '../operation.ts';
import { copy } from './copy.ts';

/** For how many of its rows a device makes logits at once. */
export type LogitRows = (rows: number, vocabulary: number) => number;

/** Width of a row of logits in scratch memory, a multiple of 64 elements. */
const paddedVocabulary = (vocabulary: number): number => Math.ceil(vocabulary / 64) * 64;

interface Outputs {
  readonly loss?: Value;
  readonly correct?: Value;
  readonly dHidden?: Value;
  readonly dWeight?: Value;
}

function outputsOf({ op, outputs }: Node): Outputs {
  if (op === 'linearCrossEntropyGrad') return { dHidden: outputs[0], dWeight: outputs[1] };
  const [loss, correct, dHidden, dWeight] = outputs;
  return { loss, correct, dHidden, dWeight };
}

function crossEntropy(node: Node, place: Placement, logitRows: LogitRows): KernelCall[] {
  const { hidden, weight, targets, g, base } = crossEntropyInputs(node.inputs);
  const { loss, correct, dHidden, dWeight } = outputsOf(node);
  const [rows, width] = hidden.shape as [number, number];
  const vocabulary = weight.shape[0]!;
  const fields = {
    hidden,
    weight,
    target: targets,
    loss: loss ?? null,
    correct: correct ?? null,
    dloss: g ?? null,
    dhidden: dHidden ?? null,
    dweight: dWeight ?? null,
    logits: pointerInto('workspace'),
    rows,
    d: width,
    vocabulary,
    chunk: logitRows(rows, vocabulary),
    htype: hidden.dtype,
    wtype: weight.dtype,
    dhtype: (dHidden ?? hidden).dtype,
    ltype: 'f32',
    compute: productType(hidden, weight),
    softcap: node.attrs.softcap as number,
    dscale: 1,
    beta: base === undefined ? 0 : 1,
  };
  const before = base === undefined ? [] : copy(base, dWeight!, place);
  return [...before, { kernel: 'cross_entropy', fields }];
}

export function crossEntropyOperations(logitRows: LogitRows): NativeOperations {
  const operation: NativeOperation = {
    workspace: ({ inputs: [hidden, weight] }) => {
      const vocabulary = weight!.shape[0]!;
      return 4 * logitRows(hidden!.shape[0]!, vocabulary) * paddedVocabulary(vocabulary);
    },
    calls: (node, place) => crossEntropy(node, place, logitRows),
  };
  return {
    linearCrossEntropy: operation,
    linearCrossEntropyGrad: operation,
    crossEntropyWithGradient: operation,
  };
}
