/**
 * What a step takes on NVIDIA GPUs at best, from the launches that the executor really makes: for each node its bytes and floating-point operations
 * against what the card is known to do, and a gap for each kernel. A model, not a measurement: it says what to aim at, and which operation to look at.
 *
 *   npm run bench -- cuda-model [--model 124M] [--policy bf16] [--json] [--operations]
 */
import { parseArgs } from 'node:util';
import { compileForCuda, cudaTarget } from '../../main/engine/executors/cuda/target.ts';
import { translate } from '../../main/engine/executors/cuda/translate.ts';
import { costOf } from '../../main/engine/graph/operation.ts';
import type { Program } from '../../main/engine/graph/program.ts';
import { DTYPE_BYTES, sizeOf } from '../../main/engine/graph/value.ts';
import type { Node } from '../../main/engine/graph/value.ts';
import { buildTraining } from '../../main/engine/nn/training.ts';
import { findGpu } from '../../main/lab/fit/index.ts';
import { GPU_MODELS, gpuModel } from './models.ts';

/** Cards of the table, and how many multiprocessors share a product's tiles. */
const CARDS: Readonly<Record<string, number>> = {
  'H100 SXM': 132,
  H200: 132,
  'RTX 4090': 128,
  'RTX 3090': 82,
  'A100 80GB SXM': 108,
};

/** Shares of a card's dense peak that good kernels reach: products, attention forward and backward; and of its bandwidth. */
const SHARE = { product: 0.73, forward: 0.4, backward: 0.3, bytes: 0.88 };
/** Seconds from one kernel of a replayed graph to the next. */
const GAP = 1.2e-6;
/** Products below this many steps along k are cut into parts that are added afterwards. */
const TILE = 128;
interface Card {
  readonly name: string;
  /** Dense, of 16-bit operands; and outside of the tensor cores. */
  readonly half: number;
  readonly single: number;
  readonly bytes: number;
  readonly multiprocessors: number;
}

interface Work {
  readonly op: string;
  readonly kernels: number;
  readonly flops: number;
  readonly bytes: number;
  readonly node: Node;
}

/** Rows of logits are written by the product, read and written by the soft-max, and read by two products. */
const PASSES: Readonly<Record<string, number>> = { crossEntropyWithGradient: 5, linearCrossEntropyGrad: 5 };

/** The launches of a program with their work; addresses do not matter. */
function workOf(source: Program): Work[] {
  const compiled = compileForCuda(source);
  const where = { arena: 2 ** 20, tables: 2 ** 40, state: () => 2 ** 41 };
  return translate(compiled, where).pieces.flatMap(({ node, launches }) => {
    // A node without a launch of its own runs in that of another, which updates many parameters at once.
    if (node === undefined) return [];
    const { flops, bytes } = costOf(node);
    const scratch =
      cudaTarget(compiled.profile, compiled.program.tf32 === true).workspaceBytes(node) *
      (PASSES[node.op] === undefined ? 2 : 0);
    return [{ op: node.op, kernels: launches.length, flops, bytes: bytes + scratch + logitBytes(node), node }];
  });
}

function logitBytes(node: Node): number {
  const passes = PASSES[node.op];
  if (passes === undefined) return 0;
  const [hidden, weight] = node.inputs;
  return passes * hidden!.shape[0]! * weight!.shape[0]! * DTYPE_BYTES[hidden!.dtype];
}

/** Share of the multiprocessors that tiles of 128 × 128 keep busy in their last wave; long sums are cut into parts. */
function tileShare({ inputs, outputs }: Node, multiprocessors: number): number {
  const [m, n] = outputs[0]!.shape.slice(-2) as [number, number];
  const batch = sizeOf(outputs[0]!.shape.slice(0, -2));
  const k = sizeOf(inputs[0]!.shape) / (m * batch);
  const tiles = batch * Math.ceil(m / TILE) * Math.ceil(n / TILE);
  let best = 0;
  for (const parts of [1, 2, 4, 8, 16]) {
    if (parts > 1 && k / parts < 2 * TILE) break;
    const waves = (tiles * parts) / multiprocessors;
    best = Math.max(best, (waves / Math.ceil(waves)) * (parts > 1 ? 0.93 : 1));
  }
  return best;
}

function seconds({ op, kernels, flops, bytes, node }: Work, card: Card): number {
  const wide = [...node.inputs, ...node.outputs].every(({ dtype }) => DTYPE_BYTES[dtype] === 4);
  const peak = wide ? card.single : card.half;
  const share =
    op === 'attention'
      ? SHARE.forward
      : op === 'attentionGrad'
        ? SHARE.backward
        : op === 'gemm' || op === 'matmul'
          ? SHARE.product * tileShare(node, card.multiprocessors)
          : SHARE.product;
  const busy = /gemm|matmul|attention|CrossEntropy|grouped/iu.test(op) ? flops / (peak * share) : 0;
  return Math.max(busy, bytes / (card.bytes * SHARE.bytes), kernels * GAP);
}

export async function cudaModelBench(args: readonly string[] = []): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      model: { type: 'string' },
      policy: { type: 'string', default: 'bf16' },
      json: { type: 'boolean', default: false },
      operations: { type: 'boolean', default: false },
    },
  });
  const cards = Object.entries(CARDS).map(([name, multiprocessors]): Card => {
    const gpu = findGpu(name);
    return { name, half: gpu.bf16! * 1e12, single: gpu.fp32! * 1e12, bytes: gpu.gb_per_s! * 1e9, multiprocessors };
  });
  const rows = [];
  for (const model of GPU_MODELS) {
    if (values.model !== undefined && values.model !== model) continue;
    const { config, vocabulary, rows: sequences, tokens } = gpuModel(model, values.policy);
    const training = buildTraining({ config, vocabularySize: vocabulary, keyMasked: false });
    const work = [...workOf(training.accumulate(sequences, true)), ...workOf(training.update())];
    const total = (of: (each: Work) => number): number => work.reduce((sum, each) => sum + of(each), 0);
    const kernels = total((each) => each.kernels);
    const times = Object.fromEntries(cards.map((card) => [card.name, total((each) => seconds(each, card)) * 1e3]));
    rows.push({
      model,
      tokens,
      kernels,
      tflop: total(({ flops }) => flops) / 1e12,
      gb: total(({ bytes }) => bytes) / 1e9,
      ...times,
    });
    if (values.operations) printOperations(model, work, cards[0]!);
  }
  if (values.json) console.log(JSON.stringify(rows));
  else console.table(rows.map(rounded));
}

/** To four digits, for people. */
const rounded = (row: Readonly<Record<string, number | string>>): Record<string, number | string> =>
  Object.fromEntries(
    Object.entries(row).map(([name, x]) => [
      name,
      typeof x === 'number' && !Number.isInteger(x) ? Number(x.toPrecision(4)) : x,
    ]),
  );

/** Which operations take the time of a step on one card. */
function printOperations(model: string, work: readonly Work[], card: Card): void {
  console.log(`${model} on ${card.name}, by operation`);
  const groups = [...Map.groupBy(work, ({ op }) => op)].map(([op, each]) => ({
    op,
    nodes: each.length,
    kernels: each.reduce((sum, { kernels }) => sum + kernels, 0),
    gb: Number((each.reduce((sum, { bytes }) => sum + bytes, 0) / 1e9).toPrecision(3)),
    ms: Number((each.reduce((sum, one) => sum + seconds(one, card), 0) * 1e3).toPrecision(3)),
  }));
  console.table(groups.toSorted((a, b) => b.ms - a.ms).slice(0, 12));
}
