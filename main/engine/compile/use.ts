/** What one program holds while it runs, instant by instant: the common form of planned arenas and of counted tensors. */
import type { BufferCategory, MemoryPlan, PlannedBuffer } from './plan.ts';
import { costOf } from '../graph/operation.ts';
import { DTYPE_BYTES } from '../graph/value.ts';
import type { Node } from '../graph/value.ts';

/** The plan's categories, and gradients of weights that wait in the arena until they are added up. */
export type TemporaryCategory = BufferCategory | 'weight gradients';

/** Bytes held from instant `start` to `end`, both included. */
export interface Held {
  readonly bytes: number;
  readonly start: number;
  readonly end: number;
  readonly category: TemporaryCategory;
  readonly scope: string;
}

/** Arithmetic of each node in order, for time estimates. */
export interface Work {
  readonly flops: Float64Array;
  readonly bytes: Float64Array;
  /** 1 where operands have 16 bits. */
  readonly half: Uint8Array;
}

export interface ProgramUse {
  readonly name: string;
  /** What is allocated for it. */
  readonly arenaBytes: number;
  /** Constants of its kernels, held beside the arena as long as it is loaded; none unless given. */
  readonly tableBytes?: number;
  /** Most bytes held at once; the rest of the arena lies between buffers. */
  readonly heldBytes: number;
  readonly instant: number;
  readonly instants: number;
  readonly op: string;
  readonly scope: string;
  readonly phase: string;
  /** Phases in the order of the program: the first instant of each stretch. */
  readonly phases: readonly { readonly name: string; readonly from: number }[];
  readonly byCategory: Readonly<Record<string, number>>;
  readonly byScope: Readonly<Record<string, number>>;
  readonly occupancy: Float64Array;
  readonly work: Work;
}

/** A program that computes nothing holds its inputs all the same, for one instant. */
const instantsOf = (order: readonly Node[]): number => Math.max(1, order.length);

/** @param arenaBytes undefined: what is held at the peak */
export function useOf(name: string, order: readonly Node[], held: readonly Held[], arenaBytes?: number): ProgramUse {
  const occupancy = occupancyOf(held, instantsOf(order));
  let instant = 0;
  occupancy.forEach((bytes, i) => {
    if (bytes > occupancy[instant]!) instant = i;
  });
  const byCategory: Record<string, number> = {};
  const byScope: Record<string, number> = {};
  for (const { bytes, start, end, category, scope } of held) {
    if (start > instant || end < instant) continue;
    byCategory[category] = (byCategory[category] ?? 0) + bytes;
    byScope[scope] = (byScope[scope] ?? 0) + bytes;
  }
  const node = order[instant];
  const heldBytes = occupancy[instant] ?? 0;
  return {
    name,
    arenaBytes: arenaBytes ?? heldBytes,
    heldBytes,
    instant,
    instants: order.length,
    op: node?.op ?? '',
    scope: node?.scope ?? '',
    phase: node?.phase ?? '',
    phases: phasesOf(order),
    byCategory,
    byScope,
    occupancy,
    work: workOf(order),
  };
}

/** What a planned program holds. @param vocabulary ids, to tell logits from other arrays made at the head */
export function planUse(name: string, plan: MemoryPlan, vocabulary: number): ProgramUse {
  return useOf(
    name,
    plan.order,
    plan.buffers.map((buffer) => heldOf(buffer, plan, vocabulary)),
    plan.arenaBytes,
  );
}

/** Of what the plan counts as logits only arrays over the vocabulary are; the others are gradients made at the head. */
function heldOf(buffer: PlannedBuffer, plan: MemoryPlan, vocabulary: number): Held {
  const { bytes, start, scope, value } = buffer;
  const end = Math.min(buffer.end, instantsOf(plan.order) - 1);
  if (buffer.category !== 'logits' || value === undefined || value.shape.at(-1) === vocabulary)
    return { bytes, start, end, scope, category: buffer.category };
  return {
    bytes,
    start,
    end,
    scope,
    category: value.shape[0] === vocabulary ? 'weight gradients' : 'activation gradients',
  };
}

function phasesOf(order: readonly Node[]): { name: string; from: number }[] {
  const found: { name: string; from: number }[] = [];
  order.forEach(({ phase }, from) => {
    if (found.at(-1)?.name !== phase) found.push({ name: phase, from });
  });
  return found;
}

function occupancyOf(held: readonly Held[], instants: number): Float64Array {
  const change = new Float64Array(instants + 2);
  for (const { start, end, bytes } of held) {
    change[start]! += bytes;
    change[Math.min(end, instants) + 1]! -= bytes;
  }
  let now = 0;
  return Float64Array.from({ length: instants }, (_, i) => (now += change[i]!));
}

function workOf(order: readonly Node[]): Work {
  const flops = new Float64Array(order.length);
  const bytes = new Float64Array(order.length);
  const half = new Uint8Array(order.length);
  order.forEach((node, i) => {
    const cost = costOf(node);
    flops[i] = cost.flops;
    bytes[i] = cost.bytes;
    const [first] = node.inputs;
    half[i] = first !== undefined && DTYPE_BYTES[first.dtype] === 2 ? 1 : 0;
  });
  return { flops, bytes, half };
}
