/** When each value of a program is dropped and each state takes its new one: what a session does, and what a plan counts. */
import { reachable } from '../../graph/expand.ts';
import { wantedValues } from '../../graph/program.ts';
import type { Program } from '../../graph/program.ts';
import type { Node, Value } from '../../graph/value.ts';

export interface StateInstall {
  readonly state: string;
  readonly value: Value;
}

export interface Lifetimes {
  /** Nodes that run, leaves among them, in order. */
  readonly nodes: readonly Node[];
  /** After each node: ids of the values whose last use it was. */
  readonly dead: readonly (readonly number[])[];
  /** After each node: states whose old value nobody reads any more and whose new value exists. */
  readonly installs: readonly (readonly StateInstall[])[];
  /** After the outputs have been read: states that take an input or another state as it was before. */
  readonly atEnd: readonly StateInstall[];
}

export function lifetimesOf(program: Program): Lifetimes {
  const live = reachable(wantedValues(program));
  const nodes = program.graph.nodes.filter((node) => live.has(node));
  const lastUse = new Map<number, number>();
  const lastRead = new Map<string, number>();
  const positionOf = new Map(nodes.map((node, position) => [node, position]));
  nodes.forEach((node, position) => {
    if (node.op === 'state') lastRead.set(node.attrs.name as string, position);
    for (const output of node.outputs) lastUse.set(output.id, position);
    for (const input of node.inputs) {
      lastUse.set(input.id, position);
      if (input.node.op === 'state') lastRead.set(input.node.attrs.name as string, position);
    }
  });
  for (const value of program.outputs.values()) lastUse.set(value.id, Infinity);
  const installs = nodes.map((): StateInstall[] => []);
  const atEnd: StateInstall[] = [];
  for (const { state, value } of program.updates) {
    if (value.node.op === 'state' || value.node.op === 'input') {
      atEnd.push({ state, value });
      lastUse.set(value.id, Infinity);
      continue;
    }
    const position = Math.max(positionOf.get(value.node)!, lastRead.get(state) ?? 0);
    installs[position]!.push({ state, value });
    lastUse.set(value.id, Math.max(lastUse.get(value.id)!, position));
  }
  const dead = nodes.map((): number[] => []);
  for (const [value, position] of lastUse) if (position !== Infinity) dead[position]!.push(value);
  return { nodes, dead, installs, atEnd };
}
