/** How large the activations of a model are, layer by layer: what a coordinate check measures. */
import { cast, div, linear, maximum, neg, reduceSum, reshape, scalar } from '../graph/ops/index.ts';
import { program } from '../graph/program.ts';
import type { Program } from '../graph/program.ts';
import { isFloat } from '../graph/shapes.ts';
import { sizeOf } from '../graph/value.ts';
import type { Node, Value } from '../graph/value.ts';
import type { BuiltModel } from './context.ts';

export const LOGITS = 'logits';

/** Scopes that are looked at: of every matrix and table, and whole blocks, so that the stream between them is there too. */
function watched({ parameters }: BuiltModel): ReadonlySet<string> {
  const scopes = new Set<string>();
  for (const { scope, role } of parameters) {
    if (role === 'vector' || role === 'head') continue;
    const [, block] = /^(block\.\d+)\./u.exec(scope) ?? [];
    if (block !== undefined) scopes.add(block);
    scopes.add(scope);
  }
  return scopes;
}

const isWithin = (scope: string, outer: string): boolean => scope === outer || scope.startsWith(`${outer}.`);

/** What a node gives, where that is an activation: one number or more for every token. */
function activationOf({ op, outputs: [value] }: Node, tokens: number): Value | undefined {
  if (op === 'state' || op === 'input' || value === undefined || !isFloat(value.dtype)) return undefined;
  return value.shape.length > 1 && sizeOf(value.shape) % tokens === 0 ? value : undefined;
}

/** f32 []: mean |x|. */
function meanSize(x: Value): Value {
  const wide = cast(x, 'f32');
  const sizes = maximum(wide, neg(wide));
  const sum = reshape(
    reduceSum(
      sizes,
      sizes.shape.map((_, axis) => axis),
    ),
    [],
  );
  return div(sum, scalar(sum, sizeOf(x.shape)));
}

/**
 * Inputs `tokens` i32 [rows, context] (and `keyMask`). Outputs f32 []: mean |x| of the result of every matrix and table, named by its scope,
 * of every block, and of the logits. In the order in which they are computed.
 */
export function activationsProgram(
  built: BuiltModel,
  headOf: (built: BuiltModel, hidden: Value) => { readonly hidden: Value; readonly head: Value },
): Program {
  const { graph, output, tokens } = built;
  const last = new Map<string, Value>();
  const count = sizeOf(tokens.shape);
  for (const scope of watched(built)) {
    for (const node of graph.nodes) {
      const value = isWithin(node.scope, scope) ? activationOf(node, count) : undefined;
      if (value !== undefined) last.set(scope, value);
    }
  }
  const inOrder = [...last].sort(([, a], [, b]) => a.id - b.id);
  return graph.during('loss', () => {
    const { hidden, head } = headOf(built, reshape(output.hidden, [count, output.hidden.shape.at(-1)!]));
    const logits = linear(hidden, head);
    const outputs = [...inOrder, [LOGITS, logits] as const].map(([name, value]) => [name, meanSize(value)] as const);
    return program('activations', graph, Object.fromEntries(outputs));
  });
}
