/**
 * The memory plan of a program: where every temporary lies in one arena, how many bytes that takes, and what the persistent state
 * takes. The plan that the fit check shows is the one that executors allocate; when and why the most is needed, use.ts finds out of it.
 */
import { operationOf } from '../graph/operation.ts';
import { reachable } from '../graph/expand.ts';
import type { Nodes } from '../graph/expand.ts';
import { wantedValues } from '../graph/program.ts';
import type { Program, StateSpec } from '../graph/program.ts';
import { bytesOf } from '../graph/value.ts';
import type { Node, Value } from '../graph/value.ts';
import { placeInState, sameLayout, viewed } from './inState.ts';
import { placeBuffers } from './place.ts';
import type { Target } from './schedule.ts';

export type BufferCategory =
  | 'inputs'
  | 'saved activations'
  | 'activation gradients'
  | 'logits'
  | 'temporaries'
  | 'workspace';

export interface PlannedBuffer {
  /** First value that lives in it; views and in-place results share it. */
  readonly value: Value | undefined;
  readonly bytes: number;
  /** Byte offset in the arena. */
  readonly offset: number;
  /** First and last instant (index into {@link MemoryPlan.order}) at which it is held, both included. */
  readonly start: number;
  readonly end: number;
  readonly category: BufferCategory;
  readonly scope: string;
}

export type Location =
  | { readonly kind: 'arena'; readonly offset: number }
  | { readonly kind: 'state'; readonly name: string };

export interface MemoryPlan {
  /** Nodes in execution order; leaves and views are not among them. */
  readonly order: readonly Node[];
  /** Where each value lies, by value id. */
  readonly locations: ReadonlyMap<number, Location>;
  /** Updates that need a copy because the value could not be made in place: in this order, after the outputs have been read. */
  readonly copies: readonly { readonly state: string; readonly value: Value }[];
  readonly buffers: readonly PlannedBuffer[];
  /** Size of the arena, a multiple of the target's alignment. */
  readonly arenaBytes: number;
  /** Scratch bytes at each instant's node begin here: offset by instant, −1 when it needs none. */
  readonly workspaceOffsets: readonly number[];
}

/** Buffers begin at multiples of this many bytes unless a target asks for more: a cache line, and what vector loads want. */
export const ALIGNMENT = 64;
export const aligned = (bytes: number, alignment = ALIGNMENT): number => Math.ceil(bytes / alignment) * alignment;

interface Lifetime {
  values: Value[];
  bytes: number;
  start: number;
  end: number;
  state?: string;
}

/** Plans a program that has been lowered for `target`. */
export function planMemory(program: Program, target: Target): MemoryPlan {
  const live = reachable(wantedValues(program));
  const order = program.graph.nodes.filter((node) => live.has(node) && !isFree(node));
  const instantOf = new Map(order.map((node, instant) => [node, instant]));
  const last = lastUses(program, live, instantOf);
  // Several outputs are moved by one copy: one that is a state's new value too is made among them, and copied on the device.
  const outputs = [...program.outputs.values()].map(viewed);
  const apart = new Set(target.packs === true && outputs.length > 1 ? outputs : []);
  const home = placeInState(program, live, instantOf, last, apart);
  const holder = new Map<number, Lifetime>();
  const lifetimes: Lifetime[] = [];

  const begin = (value: Value, start: number): Lifetime => {
    const lifetime: Lifetime = {
      values: [value],
      bytes: aligned(bytesOf(value), target.alignment),
      start,
      end: start,
      state: home.inState.get(value.id),
    };
    lifetimes.push(lifetime);
    holder.set(value.id, lifetime);
    return lifetime;
  };
  const share = (value: Value, lifetime: Lifetime) => {
    lifetime.values.push(value);
    holder.set(value.id, lifetime);
  };

  for (const value of program.inputs.values()) {
    if (live.has(value.node)) extend(begin(value, 0), last.get(value.id));
  }
  for (const node of program.graph.nodes) {
    if (!live.has(node) || node.op === 'input') continue;
    if (node.op === 'state') {
      const value = node.outputs[0]!;
      const lifetime = begin(value, 0);
      lifetime.state = node.attrs.name as string;
      continue;
    }
    if (operationOf(node.op).view === true) {
      const lifetime = holder.get(node.inputs[0]!.id)!;
      share(node.outputs[0]!, lifetime);
      extend(lifetime, last.get(node.outputs[0]!.id));
      continue;
    }
    const instant = instantOf.get(node)!;
    node.outputs.forEach((value, index) => {
      const reused = home.inState.has(value.id) ? undefined : reusable(node, index, instant, holder, last);
      if (reused === undefined) extend(begin(value, instant), last.get(value.id));
      else {
        share(value, reused);
        extend(reused, last.get(value.id));
      }
    });
  }

  const workspaces = order.map((node) => aligned(target.workspaceBytes(node), target.alignment));
  const places = target.packs === true ? packed(program, holder) : new Map<Lifetime, number>();
  return assemble(order, lifetimes, workspaces, home.copies, places);
}

/** Offsets of what inputs and outputs lie in: inputs first, each in the order of the program. */
function packed(program: Program, holder: ReadonlyMap<number, Lifetime>): Map<Lifetime, number> {
  const places = new Map<Lifetime, number>();
  let offset = 0;
  for (const value of [...program.inputs.values(), ...program.outputs.values()]) {
    const lifetime = holder.get(value.id);
    if (lifetime === undefined || lifetime.state !== undefined || places.has(lifetime)) continue;
    places.set(lifetime, offset);
    offset += lifetime.bytes;
  }
  return places;
}

/** Leaves and views cost nothing at run time. */
function isFree(node: Node): boolean {
  const operation = operationOf(node.op);
  return operation.kind === 'leaf' || operation.view === true;
}

function extend(lifetime: Lifetime, instant: number | undefined): void {
  if (instant !== undefined && instant > lifetime.end) lifetime.end = instant;
}

/** Last instant at which each value is read; outputs and copied updates are read after the end. */
function lastUses(program: Program, live: Nodes, instantOf: ReadonlyMap<Node, number>): Map<number, number> {
  const last = new Map<number, number>();
  const end = instantOf.size;
  for (const node of program.graph.nodes) {
    if (!live.has(node) || isFree(node)) continue;
    for (const value of node.inputs) last.set(value.id, instantOf.get(node)!);
  }
  for (const value of wantedValues(program)) last.set(value.id, end);
  // A view keeps what it looks at alive.
  for (const node of [...program.graph.nodes].reverse()) {
    if (!live.has(node) || operationOf(node.op).view !== true) continue;
    const seen = last.get(node.outputs[0]!.id);
    const input = node.inputs[0]!.id;
    if (seen !== undefined && seen > (last.get(input) ?? -1)) last.set(input, seen);
  }
  return last;
}

/** The buffer of an input that dies at this node and may be overwritten by its output. */
function reusable(
  node: Node,
  index: number,
  instant: number,
  holder: ReadonlyMap<number, Lifetime>,
  last: ReadonlyMap<number, number>,
) {
  const value = node.outputs[index]!;
  for (const [output, position] of operationOf(node.op).inPlace ?? []) {
    const input = node.inputs[position];
    if (output !== index || input === undefined || !sameLayout(input, value)) continue;
    const lifetime = holder.get(input.id)!;
    const dies =
      lifetime.values.every((held) => (last.get(held.id) ?? held.node.id) <= instant) && lifetime.end <= instant;
    const readOnce = node.inputs.filter((other) => holder.get(other.id) === lifetime).length === 1;
    const taken = node.outputs.some((other) => other.index < index && holder.get(other.id) === lifetime);
    if (lifetime.state === undefined && dies && readOnce && !taken && lifetime.values[0]!.node.op !== 'input')
      return lifetime;
  }
  return undefined;
}

function categoryOf(lifetime: Lifetime, order: readonly Node[]): BufferCategory {
  const [first] = lifetime.values as [Value];
  if (first.node.op === 'input') return 'inputs';
  if (first.node.op === 'linearCrossEntropy' || first.node.scope.startsWith('head')) {
    if (first.shape.length === 2 && first.dtype !== 'i32' && first.node.phase !== 'update') return 'logits';
  }
  if (first.node.phase === 'backward') return 'activation gradients';
  const usedIn = order[Math.min(lifetime.end, order.length - 1)];
  return first.node.phase === 'forward' && usedIn?.phase === 'backward' ? 'saved activations' : 'temporaries';
}

const spanOf = ({ bytes, start, end }: Lifetime) => ({ bytes, start, end });

function assemble(
  order: readonly Node[],
  lifetimes: readonly Lifetime[],
  workspaces: readonly number[],
  copies: MemoryPlan['copies'],
  places: ReadonlyMap<Lifetime, number>,
): MemoryPlan {
  const locations = new Map<number, Location>();
  const inArena = lifetimes.filter((lifetime) => lifetime.state === undefined && lifetime.bytes > 0);
  const wanted = [
    ...inArena.map((lifetime) => ({ ...spanOf(lifetime), at: places.get(lifetime) })),
    ...workspaces.flatMap((bytes, instant) => (bytes > 0 ? [{ bytes, start: instant, end: instant }] : [])),
  ];
  const { offsets, total } = placeBuffers(wanted);
  const buffers: PlannedBuffer[] = inArena.map((lifetime, i) => ({
    value: lifetime.values[0]!,
    bytes: lifetime.bytes,
    offset: offsets[i]!,
    start: lifetime.start,
    end: lifetime.end,
    category: categoryOf(lifetime, order),
    scope: lifetime.values[0]!.node.scope,
  }));
  const workspaceOffsets = workspaces.map(() => -1);
  let next = inArena.length;
  workspaces.forEach((bytes, instant) => {
    if (bytes === 0) return;
    const offset = offsets[next++]!;
    workspaceOffsets[instant] = offset;
    buffers.push({
      value: undefined,
      bytes,
      offset,
      start: instant,
      end: instant,
      category: 'workspace',
      scope: order[instant]!.scope,
    });
  });
  for (const lifetime of lifetimes) {
    if (lifetime.state !== undefined) {
      for (const value of lifetime.values) locations.set(value.id, { kind: 'state', name: lifetime.state });
    }
  }
  inArena.forEach((lifetime, i) => {
    for (const value of lifetime.values) locations.set(value.id, { kind: 'arena', offset: offsets[i]! });
  });
  return { order, locations, copies, buffers, arenaBytes: total, workspaceOffsets };
}

/** Bytes of persistent state, in total and by category and scope. @param bytesOfState as planned, unless an executor holds it otherwise */
export function persistentBytes(
  states: readonly StateSpec[],
  bytesOfState: (state: StateSpec) => number = (state) => aligned(bytesOf(state)),
) {
  const byCategory: Record<string, number> = {};
  const byScope: Record<string, number> = {};
  let total = 0;
  for (const state of states) {
    const bytes = bytesOfState(state);
    total += bytes;
    byCategory[state.category] = (byCategory[state.category] ?? 0) + bytes;
    byScope[state.scope] = (byScope[state.scope] ?? 0) + bytes;
  }
  return { total, byCategory, byScope };
}
