/** Element-wise programs: the numbers that follow the fields (kernels.h), decoded. */
import type { CallExtra, CallFields, CudaKernels } from '../kernel.ts';
import { blocksFor, sharedBytes } from '../launch.ts';
import type { Launch } from '../launch.ts';
import { enumNumber } from '../manifest.ts';
import { mergedDimensions } from './dimensions.ts';

/** Elements and threads of a block; bytes of a register of a thread. */
const PER_BLOCK = 512;
const THREADS = 128;
const REGISTER = 16;
/** Room in the struct. */
const MOST = { dimensions: 8, inputs: 16, outputs: 8, instructions: 48 };

/** How the kernel reads an input. */
const ONE = 0;
const CONTIGUOUS = 1;
const STRIDED = 2;

interface Instruction {
  readonly op: string;
  readonly to: number;
  readonly from: readonly number[];
  readonly immediate: number;
}

interface Program {
  readonly sizes: readonly number[];
  readonly inputs: readonly { readonly address: number; readonly type: string; readonly strides: readonly number[] }[];
  readonly outputs: readonly { readonly address: number; readonly type: string; readonly register: number }[];
  readonly instructions: readonly Instruction[];
}

function decode(extra: CallExtra): Program {
  let at = 0;
  const number = (): number => extra[at++] as number;
  const name = (): string => extra[at++] as string;
  const several = <T>(count: number, one: () => T): T[] => Array.from({ length: count }, one);
  const sizes = several(number(), number);
  const inputs = several(number(), () => ({
    address: number(),
    type: name(),
    strides: several(sizes.length, number),
  }));
  const outputs = several(number(), () => ({ address: number(), type: name(), register: number() }));
  const instructions = several(number(), () => ({
    op: name(),
    to: number(),
    from: several(3, number),
    immediate: number(),
  }));
  const counts = {
    dimensions: sizes.length,
    inputs: inputs.length,
    outputs: outputs.length,
    instructions: instructions.length,
  };
  for (const [what, count] of Object.entries(counts)) {
    const most = MOST[what as keyof typeof MOST];
    if (count > most) throw new Error(`chain: ${count} ${what}; the CUDA kernel takes ${most}`);
  }
  return { sizes, inputs, outputs, instructions };
}

function walk(strides: readonly number[], sizes: readonly number[]): number {
  if (strides.every((stride) => stride === 0)) return ONE;
  return sizes.length === 1 && strides[0] === 1 ? CONTIGUOUS : STRIDED;
}

function chain(fields: CallFields, extra: CallExtra): Launch {
  const { sizes: whole, inputs, outputs, instructions } = decode(extra);
  const count = whole.reduce((product, size) => product * size, 1);
  const { sizes, strides } = mergedDimensions(
    whole,
    inputs.map((input) => input.strides),
  );
  const dimensions = sizes.length;
  const registers =
    1 +
    Math.max(
      inputs.length - 1,
      ...instructions.flatMap(({ to, from }) => [to, ...from]),
      ...outputs.map((o) => o.register),
    );
  const type = (name: string): number => enumNumber('chain', 'DType', name);
  const args = {
    seed: fields.seed ?? 0,
    stream: fields.stream ?? 0,
    inputs: inputs.map(({ address }) => address),
    outputs: outputs.map(({ address }) => address),
    count,
    strides: strides.flatMap((each) => [...each, ...Array<number>(MOST.dimensions - dimensions).fill(0)]),
    sizes,
    inners: whole.map((_, d) => whole.slice(d + 1).reduce((product, size) => product * size, 1)),
    extents: whole,
    types: inputs.map((input) => type(input.type)),
    walks: strides.map((each) => walk(each, sizes)),
    outtypes: outputs.map((output) => type(output.type)),
    outregisters: outputs.map(({ register }) => register),
    ops: instructions.map(({ op }) => enumNumber('chain', 'ChainOp', op)),
    to: instructions.map(({ to }) => to),
    from: instructions.map(({ from: [a, b, c] }) => a! | (b! << 8) | (c! << 16)),
    immediates: instructions.map(({ immediate }) => immediate),
    dimensions,
    ninputs: inputs.length,
    noutputs: outputs.length,
    ninstructions: instructions.length,
    registers,
  };
  const shared = sharedBytes(registers * THREADS * REGISTER);
  return { fn: 'chain', grid: [blocksFor(count, PER_BLOCK), 1, 1], shared, args };
}

export const CHAIN_KERNELS: CudaKernels = { chain: { launches: (fields, extra) => [chain(fields, extra)] } };
