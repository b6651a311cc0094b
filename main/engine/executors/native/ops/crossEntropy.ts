/** Output layer and cross-entropy, with logits for some rows at a time. */
import { crossEntropyInputs } from '../../../graph/ops/index.ts';
import { DTYPE_BYTES } from '../../../graph/value.ts';
import type { Node, Value } from '../../../graph/value.ts';
import { pointerInto, productType } from '../call.ts';
import type { KernelCall } from '../call.ts';
import type { NativeOperation, NativeOperations, Placement } from '../operation.ts';
import { copy } from './copy.ts';

/** For how many of its rows a device makes logits, of so many bytes each, at once. */
export type LogitRows = (rows: number, vocabulary: number, bytes: number) => number;

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

/** The logits that are made at once: of how many rows, and in which type they are kept (none are without gradients in 16 bits). */
function chunkOf(node: Node, logitRows: LogitRows) {
  const { hidden, weight } = crossEntropyInputs(node.inputs);
  const { dHidden, dWeight } = outputsOf(node);
  const vocabulary = weight.shape[0]!;
  const type = productType(hidden, weight);
  const rows = logitRows(hidden.shape[0]!, vocabulary, DTYPE_BYTES[type]);
  const kept = type === 'f32' || dHidden !== undefined || dWeight !== undefined;
  return { rows, type, bytes: kept ? DTYPE_BYTES[type] * rows * paddedVocabulary(vocabulary) : 0 };
}

function crossEntropy(node: Node, place: Placement, logitRows: LogitRows): KernelCall[] {
  const { hidden, weight, targets, g, base } = crossEntropyInputs(node.inputs);
  const { loss, correct, dHidden, dWeight } = outputsOf(node);
  const [rows, width] = hidden.shape as [number, number];
  const chunk = chunkOf(node, logitRows);
  const fields = {
    hidden,
    weight,
    target: targets,
    loss: loss ?? null,
    correct: correct ?? null,
    dloss: g ?? null,
    dhidden: dHidden ?? null,
    dweight: dWeight ?? null,
    logits: chunk.bytes > 0 ? pointerInto('workspace') : null,
    rows,
    d: width,
    vocabulary: weight.shape[0]!,
    chunk: chunk.rows,
    htype: hidden.dtype,
    wtype: weight.dtype,
    dhtype: (dHidden ?? hidden).dtype,
    ltype: chunk.type,
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
    workspace: (node) => chunkOf(node, logitRows).bytes,
    calls: (node, place) => crossEntropy(node, place, logitRows),
  };
  return {
    linearCrossEntropy: operation,
    linearCrossEntropyGrad: operation,
    crossEntropyWithGradient: operation,
  };
}
