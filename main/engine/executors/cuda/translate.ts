/** A planned program as launches: which kernels run each node, with addresses, and which bytes they may touch. */
import type { MemoryPlan } from '../../compile/plan.ts';
import { bytesOf } from '../../graph/value.ts';
import type { Node, Value } from '../../graph/value.ts';
import { isValue } from '../native/call.ts';
import type { KernelCall, Place } from '../native/call.ts';
import { callsOf } from '../native/operation.ts';
import { updateCopies } from '../native/ops/copy.ts';
import type { CudaCall, CudaKernel, CudaKernels } from './kernel.ts';
import { kernelsFor } from './kernels/index.ts';
import { encodeArguments } from './launch.ts';
import type { Launch } from './launch.ts';
import { callFor, CUDA_ALIGNMENT, CUDA_OPERATIONS, ownWorkspace } from './target.ts';
import type { Compiled } from './target.ts';

/** Where everything begins on the device. */
export interface Addresses {
  readonly arena: number;
  readonly tables: number;
  state(name: string): number;
}

/** Bytes of device memory. */
export interface Range {
  readonly address: number;
  readonly bytes: number;
}

export interface EncodedLaunch {
  readonly launch: Launch;
  readonly args: Buffer;
}

/** What runs for one node, or for several that are launched together. */
export interface Piece {
  /** None: the copies of states whose new values could not be made in their memory. */
  readonly nodes: readonly Node[];
  readonly launches: readonly EncodedLaunch[];
  /** Everything that these launches may read or write. */
  readonly ranges: readonly Range[];
}

/** Constant numbers that a kernel reads, such as the pointers of a list of arrays. */
export interface Table {
  readonly address: number;
  readonly data: Uint8Array;
}

export interface Translated {
  /** In order. */
  readonly pieces: readonly Piece[];
  /** What runs when the outputs have been read. */
  readonly copies: Piece;
  readonly tables: readonly Table[];
  /** Of all tables, each at a multiple of the alignment. */
  readonly tableBytes: number;
}

/** @throws Error naming a kernel that no rule runs */
export function translate({ program, plan, profile, target }: Compiled, addresses: Addresses): Translated {
  const tf32 = program.tf32 === true;
  const kernels = kernelsFor(profile);
  const tables: Table[] = [];
  let tableBytes = 0;
  const place = (data: Uint8Array): Range => {
    const address = addresses.tables + tableBytes;
    tables.push({ address, data });
    tableBytes += Math.ceil(data.byteLength / CUDA_ALIGNMENT) * CUDA_ALIGNMENT;
    return { address, bytes: data.byteLength };
  };
  const encode = (launch: Launch, ranges: Range[]): EncodedLaunch => {
    const own = Object.entries(launch.tables ?? {}).map(([name, data]) => [name, place(data)] as const);
    ranges.push(...own.map(([, range]) => range));
    const at = new Map(own);
    let args: Buffer | undefined;
    return {
      launch,
      // A plan asks for tables alone.
      get args() {
        return (args ??= encodeArguments(launch, (name) => at.get(name)!.address));
      },
    };
  };
  const pieceOf = (
    nodes: readonly Node[],
    calls: readonly (CudaCall & { readonly kernel: string })[],
    ranges: Range[],
    scratch: number,
  ): Piece => {
    const launches = calls.flatMap(({ kernel, fields, extra }) =>
      ruleOf(kernels, kernel).launches(fields, extra, scratch),
    );
    return { nodes, launches: launches.map((launch) => encode(launch, ranges)), ranges };
  };
  const callsFor = (calls: readonly KernelCall[], workspace: number) => {
    const address = (to: Place, bytes: number): number => pointerTo(plan, addresses, to, bytes, workspace);
    return calls.map((call) => ({ kernel: call.kernel, ...callFor(call, address, tf32) }));
  };
  const steps = plan.order.map((node, instant) => {
    const offset = plan.workspaceOffsets[instant]!;
    const workspace = offset < 0 ? 0 : addresses.arena + offset;
    const ranges = [...node.inputs, ...node.outputs].flatMap((value) => rangeOf(plan, addresses, value));
    if (offset >= 0) ranges.push({ address: workspace, bytes: target.workspaceBytes(node) });
    const together = (a: Value, b: Value): boolean =>
      pointerTo(plan, addresses, a, 0, 0) === pointerTo(plan, addresses, b, 0, 0);
    const calls = callsFor(callsOf(CUDA_OPERATIONS, node, { together }), workspace);
    return { node, calls, ranges, scratch: workspace + ownWorkspace(node) };
  });
  const pieces = runsOf(steps, plan, kernels).map((run) => {
    const [{ node, calls, ranges, scratch }] = run as [Step, ...Step[]];
    if (run.length === 1) return pieceOf([node], calls, ranges, scratch);
    const all = run.flatMap((step) => step.ranges);
    const launches = ruleOf(kernels, calls[0]!.kernel).joined!(run.flatMap((step) => step.calls));
    return {
      nodes: run.map((step) => step.node),
      launches: launches.map((launch) => encode(launch, all)),
      ranges: all,
    };
  });
  const copied = plan.copies.flatMap(({ state, value }) => [
    { address: addresses.state(state), bytes: bytesOf(value) },
    ...rangeOf(plan, addresses, value),
  ]);
  const copies = pieceOf([], callsFor(updateCopies(plan.copies), 0), copied, 0);
  return { pieces, copies, tables, tableBytes };
}

/** A node with its kernel calls. */
interface Step {
  readonly node: Node;
  readonly calls: readonly (CudaCall & { readonly kernel: string })[];
  readonly ranges: Range[];
  readonly scratch: number;
}

function ruleOf(kernels: CudaKernels, kernel: string): CudaKernel {
  const rule = kernels[kernel];
  if (rule === undefined) throw new Error(`no CUDA kernel runs ${kernel}`);
  return rule;
}

/**
 * Neighbouring steps whose calls run together; most are alone. Those of a run write states only, and none that another of them reads or writes: what
 * is in the arena may lie where another's operands lay.
 */
function runsOf(steps: readonly Step[], plan: MemoryPlan, kernels: CudaKernels): Step[][] {
  const stateOf = (value: Value): string | undefined => {
    const location = plan.locations.get(value.id);
    return location?.kind === 'state' ? location.name : undefined;
  };
  const runs: Step[][] = [];
  let kernel: string | undefined;
  let [read, written] = [new Set<string | undefined>(), new Set<string | undefined>()];
  for (const step of steps) {
    const { node, calls } = step;
    const own = calls.length === 1 && kernels[calls[0]!.kernel]?.joined ? calls[0]!.kernel : undefined;
    const [inputs, outputs] = [node.inputs.map(stateOf), node.outputs.map(stateOf)];
    const apart =
      outputs.every((name) => name !== undefined && !read.has(name) && !written.has(name)) &&
      inputs.every((name) => name === undefined || !written.has(name));
    const joins = own !== undefined && own === kernel && apart;
    if (joins) runs.at(-1)!.push(step);
    else {
      runs.push([step]);
      [read, written] = [new Set(), new Set()];
      // A step that writes into the arena is alone.
      kernel = outputs.includes(undefined) ? undefined : own;
    }
    for (const name of inputs) read.add(name);
    for (const name of outputs) written.add(name);
  }
  return runs;
}

/** For a program that has no memory yet: what does not depend on where it lies is right all the same. */
export const NOWHERE: Addresses = { arena: CUDA_ALIGNMENT, tables: CUDA_ALIGNMENT, state: () => CUDA_ALIGNMENT };

function pointerTo(plan: MemoryPlan, addresses: Addresses, to: Place, bytes: number, workspace: number): number {
  if (to === 'workspace') {
    if (workspace === 0) throw new Error('the plan holds no workspace for this operation');
    return workspace + bytes;
  }
  const address = isValue(to) ? addressOf(plan, addresses, to) : addresses.state(to.state);
  // What nobody reads has no place; kernels skip null pointers.
  return address === undefined ? 0 : address + bytes;
}

/** Where a value lies; undefined: nowhere, because it has no element or nobody reads it. */
export function addressOf(plan: MemoryPlan, addresses: Addresses, value: Value): number | undefined {
  const location = plan.locations.get(value.id);
  if (location === undefined) return undefined;
  return location.kind === 'arena' ? addresses.arena + location.offset : addresses.state(location.name);
}

function rangeOf(plan: MemoryPlan, addresses: Addresses, value: Value): Range[] {
  const address = addressOf(plan, addresses, value);
  return address === undefined ? [] : [{ address, bytes: bytesOf(value) }];
}
