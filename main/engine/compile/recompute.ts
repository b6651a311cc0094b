/**
 * Recomputation (gradient checkpointing, Chen et al. 2016) as a graph rewrite: activations inside a group are not kept for backward but made
 * again, just before backward first needs them, from what enters the group. Random numbers are functions of counters, so what is made
 * again is bit for bit what was there.
 */
import type { Program } from '../graph/program.ts';
import type { Node, Value } from '../graph/value.ts';
import { rewrite } from './rewrite.ts';
import type { Rewriting } from './rewrite.ts';

export type Recomputation = 'none' | 'attention' | 'block';

const GROUPS: Readonly<Record<Recomputation, RegExp | undefined>> = {
  none: undefined,
  // Everything between the normalised input of attention and its output projection.
  attention: /^(.*\bblock\.\d+\.attention)(\.|$)/,
  // A whole block: only its input is kept.
  block: /^(.*\bblock\.\d+)(\.|$)/,
};

/** The program with the activations of each group made again in backward. Scopes `block.N` are the groups. */
export function recompute(source: Program, policy: Recomputation): Program {
  const pattern = GROUPS[policy];
  if (pattern === undefined) return source;
  const groupOf = (node: Node) => (node.phase === 'forward' ? pattern.exec(node.scope)?.[1] : undefined);
  const clones = new Map<number, Value>();

  /** Whether a value lives and dies within its group, backward apart. */
  const internal = (value: Value, r: Rewriting): boolean => {
    const group = groupOf(value.node);
    if (group === undefined || value.node.op === 'state' || value.node.op === 'input') return false;
    return r.readers(value).every((reader) => reader.phase === 'backward' || groupOf(reader) === group);
  };
  const again = (value: Value, r: Rewriting): Value => {
    if (!internal(value, r)) return r.map(value);
    const known = clones.get(value.id);
    if (known !== undefined) return known;
    const { node } = value;
    const inputs = node.inputs.map((input) => again(input, r));
    const outputs = r.graph.during('backward', () => r.graph.add(node.op, inputs, node.attrs), node.scope);
    node.outputs.forEach((output, i) => clones.set(output.id, outputs[i]!));
    return clones.get(value.id)!;
  };
  return rewrite(source, (node, r) => {
    if (node.phase !== 'backward' || !node.inputs.some((value) => internal(value, r))) return undefined;
    return r.graph.add(
      node.op,
      node.inputs.map((value) => again(value, r)),
      node.attrs,
    );
  });
}
