/** A planned program as launches: which kernels run each node, with addresses, and which bytes they may touch. */
import type { MemoryPlan } from '../../compile/plan.ts';
import { bytesOf } from '../../graph/value.ts';
import type { Node, Value } from '../../graph/value.ts';
import { isValue } from '../native/call.ts';
import type { KernelCall, Place } from '../native/call.ts';
import { callsOf } from '../native/operation.ts';
import { updateCopies } from '../native/ops/copy.ts';
import { CUDA_KERNELS } from './kernels/index.ts';
import { encodeArguments } from './launch.ts';
import type { Launch } from './launch.ts';
import { callFor, CUDA_ALIGNMENT, CUDA_OPERATIONS, CUDA_TARGET, ownWorkspace } from './target.ts';
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

/** What runs for one node. */
export interface Piece {
  /** Undefined: the copies of states whose new values could not be made in their memory. */
  readonly node: Node | undefined;
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
export function translate({ plan }: Compiled, addresses: Addresses): Translated {
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
    return { launch, args: encodeArguments(launch, (name) => at.get(name)!.address) };
  };
  const piece = (node: Node | undefined, calls: readonly KernelCall[], ranges: Range[], workspace: number): Piece => {
    const address = (to: Place, bytes: number): number => pointerTo(plan, addresses, to, bytes, workspace);
    const scratch = node === undefined ? 0 : workspace + ownWorkspace(node);
    const launches = calls.flatMap((call) => {
      const rule = CUDA_KERNELS[call.kernel];
      if (rule === undefined) throw new Error(`no CUDA kernel runs ${call.kernel}`);
      const { fields, extra } = callFor(call, address);
      return rule.launches(fields, extra, scratch).map((launch) => encode(launch, ranges));
    });
    return { node, launches, ranges };
  };
  const pieces = plan.order.map((node, instant) => {
    const offset = plan.workspaceOffsets[instant]!;
    const workspace = offset < 0 ? 0 : addresses.arena + offset;
    const ranges = [...node.inputs, ...node.outputs].flatMap((value) => rangeOf(plan, addresses, value));
    if (offset >= 0) ranges.push({ address: workspace, bytes: CUDA_TARGET.workspaceBytes(node) });
    const together = (a: Value, b: Value): boolean =>
      pointerTo(plan, addresses, a, 0, 0) === pointerTo(plan, addresses, b, 0, 0);
    return piece(node, callsOf(CUDA_OPERATIONS, node, { together }), ranges, workspace);
  });
  const copied = plan.copies.flatMap(({ state, value }) => [
    { address: addresses.state(state), bytes: bytesOf(value) },
    ...rangeOf(plan, addresses, value),
  ]);
  const copies = piece(undefined, updateCopies(plan.copies), copied, 0);
  return { pieces, copies, tables, tableBytes };
}

/** Bytes of the tables of a program, wherever its memory will lie. */
export function tableBytesOf(compiled: Compiled): number {
  return translate(compiled, { arena: CUDA_ALIGNMENT, tables: CUDA_ALIGNMENT, state: () => CUDA_ALIGNMENT }).tableBytes;
}

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
