/**
 * What a step takes on NVIDIA GPUs at best, from the launches that the executor really makes: for each node its bytes and floating-point operations
 * against what the card is known to do, and a gap for each kernel. A model, not a measurement: it says what to aim at, and which operation to look at.
 *
 *   npm run bench -- cuda-model [--model 124M] [--policy bf16] [--json] [--operations] [--kernels]
 */
import { parseArgs } from 'node:util';
import { LIBRARY_PRODUCT } from '../../main/engine/executors/cuda/launch.ts';
import type { Launch } from '../../main/engine/executors/cuda/launch.ts';
import { DRIVER_ALONE, profileOf } from '../../main/engine/executors/cuda/products.ts';
import type { DeviceProfile, Product } from '../../main/engine/executors/cuda/products.ts';
import { compileForCuda } from '../../main/engine/executors/cuda/target.ts';
import { translate } from '../../main/engine/executors/cuda/translate.ts';
import { costOf } from '../../main/engine/graph/operation.ts';
import type { Program } from '../../main/engine/graph/program.ts';
import { DTYPE_BYTES, sizeOf } from '../../main/engine/graph/value.ts';
import type { Node } from '../../main/engine/graph/value.ts';
import { buildTraining } from '../../main/engine/nn/training.ts';
import { findGpu } from '../../main/lab/fit/index.ts';
import { GPU_MODELS, gpuModel } from './models.ts';

/** Cards of the table: how many multiprocessors share a product's tiles, and compute capability. */
const CARDS: Readonly<Record<string, readonly [multiprocessors: number, capability: number]>> = {
  'H100 SXM': [132, 90],
  H200: [132, 90],
  'RTX 4090': [128, 89],
  'RTX 3090': [82, 86],
  'A100 80GB SXM': [108, 80],
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
  /** With cuBLASLt where that is worth it. */
  readonly profile: DeviceProfile;
}

/** What one launch does. */
interface KernelWork {
  readonly fn: string;
  readonly flops: number;
  readonly bytes: number;
}

interface Work {
  readonly op: string;
  readonly kernels: readonly KernelWork[];
  readonly flops: number;
  readonly bytes: number;
  readonly node: Node;
}

/** Rows of logits are written by the product, read and written by the soft-max, and read by two products. */
const PASSES: Readonly<Record<string, number>> = { crossEntropyWithGradient: 5, linearCrossEntropyGrad: 5 };

/** The launches of a program with their work; addresses do not matter. */
function workOf(source: Program, profile: DeviceProfile): Work[] {
  const compiled = compileForCuda(source, profile);
  const { workspaceBytes } = compiled.target;
  const where = { arena: 2 ** 20, tables: 2 ** 40, state: () => 2 ** 41 };
  return translate(compiled, where).pieces.flatMap(({ nodes, launches }) => {
    const [node] = nodes;
    if (node === undefined) return [];
    const sum = (of: (each: Node) => number): number => nodes.reduce((total, each) => total + of(each), 0);
    const products = launches.map(({ launch }) => productOf(launch));
    const own = (of: 'flops' | 'bytes'): number => products.reduce((total, each) => total + (each?.[of] ?? 0), 0);
    const flops = Math.max(
      own('flops'),
      sum((each) => costOf(each).flops),
    );
    const bytes = Math.max(
      own('bytes'),
      sum((each) => costOf(each).bytes + logitBytes(each) + (own('flops') > 0 ? 0 : 2 * workspaceBytes(each))),
    );
    // What products do not do the others share.
    const others = products.filter((each) => each === undefined).length;
    const kernels = launches.map(({ launch: { fn } }, i): KernelWork => ({
      fn,
      flops: products[i]?.flops ?? (flops - own('flops')) / others,
      bytes: products[i]?.bytes ?? (bytes - own('bytes')) / others,
    }));
    return [{ op: node.op, kernels, flops, bytes, node }];
  });
}

const bytesOfType = (type: string | undefined): number => (type === 'f32' ? 4 : 2);

/** Work of a launch that is a product, or the sum of its parts. */
function productOf({ fn, args }: Launch): Omit<KernelWork, 'fn'> | undefined {
  if (fn !== LIBRARY_PRODUCT && !fn.startsWith('gemm_')) return undefined;
  const product = args as unknown as Product & { readonly splits?: number };
  const { m, n, k, batch = 1, splits = 1, beta = 0 } = product;
  const parts = splits > 1 ? 4 * splits * m * n : 0;
  const result =
    m * n * bytesOfType(product.ctype) * (product.c === 0 ? 0 : beta === 0 ? 1 : 2) +
    (product.residual ? m * n * bytesOfType(product.restype) : 0) +
    (product.aux ? m * n * bytesOfType(product.auxtype) : 0);
  if (fn === 'gemm_reduce') return { flops: 0, bytes: batch * (parts + result) };
  const operands = m * k * bytesOfType(product.atype) + k * n * bytesOfType(product.btype);
  return { flops: 2 * m * n * k * batch, bytes: batch * (operands + (parts || result)) };
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
  return Math.max(busy, bytes / (card.bytes * SHARE.bytes), kernels.length * GAP);
}

export async function cudaModelBench(args: readonly string[] = []): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      model: { type: 'string' },
      policy: { type: 'string', default: 'bf16' },
      json: { type: 'boolean', default: false },
      operations: { type: 'boolean', default: false },
      kernels: { type: 'boolean', default: false },
    },
  });
  const cards = Object.entries(CARDS).map(([name, [multiprocessors, capability]]): Card => {
    const gpu = findGpu(name);
    const best = { half: gpu.bf16! * 1e12, single: gpu.fp32! * 1e12, bytes: gpu.gb_per_s! * 1e9 };
    return { name, ...best, multiprocessors, profile: profileOf(capability, true) };
  });
  const rows = [];
  for (const model of GPU_MODELS) {
    if (values.model !== undefined && values.model !== model) continue;
    const { config, vocabulary, rows: sequences, tokens } = gpuModel(model, values.policy);
    const training = buildTraining({ config, vocabularySize: vocabulary, keyMasked: false });
    const programs = [training.accumulate(sequences, true), training.update()];
    const works = new Map(
      [DRIVER_ALONE, cards[0]!.profile].map((profile) => [profile, programs.flatMap((each) => workOf(each, profile))]),
    );
    const total = (work: readonly Work[], of: (each: Work) => number): number =>
      work.reduce((sum, each) => sum + of(each), 0);
    const own = works.get(DRIVER_ALONE)!;
    const times = cards.map((card): [string, number] => [
      card.name,
      total(works.get(card.profile)!, (each) => seconds(each, card)) * 1e3,
    ]);
    rows.push({
      model,
      tokens,
      kernels: total(own, (each) => each.kernels.length),
      'with cuBLASLt': total(works.get(cards[0]!.profile)!, (each) => each.kernels.length),
      tflop: total(own, ({ flops }) => flops) / 1e12,
      gb: total(own, ({ bytes }) => bytes) / 1e9,
      ...Object.fromEntries(times),
    });
    if (values.operations) printOperations(model, works.get(cards[0]!.profile)!, cards[0]!);
    if (values.kernels) printKernels(model, own);
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
    kernels: each.reduce((sum, { kernels }) => sum + kernels.length, 0),
    gb: Number((each.reduce((sum, { bytes }) => sum + bytes, 0) / 1e9).toPrecision(3)),
    ms: Number((each.reduce((sum, one) => sum + seconds(one, card), 0) * 1e3).toPrecision(3)),
  }));
  console.table(groups.toSorted((a, b) => b.ms - a.ms).slice(0, 12));
}

/** What the launches of a step do, by kernel. */
function printKernels(model: string, work: readonly Work[]): void {
  console.log(`${model}, by kernel`);
  const groups = [
    ...Map.groupBy(
      work.flatMap(({ kernels }) => kernels),
      ({ fn }) => fn,
    ),
  ];
  const rows = groups.map(([kernel, each]) => ({
    kernel,
    launches: each.length,
    gflop: each.reduce((sum, { flops }) => sum + flops, 0) / 1e9,
    gb: each.reduce((sum, { bytes }) => sum + bytes, 0) / 1e9,
  }));
  console.table(rows.toSorted((a, b) => b.gb - a.gb).map(rounded));
}
