/** Reverse-mode differentiation: extends a graph with the gradient of one scalar. */
import { operationOf } from './operation.ts';
import { accumulateGradients, fill, gradientType, sumTo } from './ops/index.ts';
import { broadcastShapes } from './shapes.ts';
import { sameShape, showType } from './value.ts';
import type { Node, Value } from './value.ts';

/**
 * Adds to the graph the gradients of `loss` (one element) with respect to each of `targets` and returns them in order;
 * `undefined` where `loss` does not depend on the target. New nodes are labelled `backward` and carry the scope of the node whose gradient
 * they compute. `onComplete` is called when a target's gradient is final, in the order in which backward meets them, so that what uses it
 * comes right after it and the gradient need not be kept. Composites without a gradient rule are differentiated through their decomposition.
 */
export function differentiate(
  loss: Value,
  targets: readonly Value[],
  onComplete?: (target: Value, gradient: Value) => void,
): (Value | undefined)[] {
  const { graph } = loss;
  if (loss.shape.some((dimension) => dimension !== 1))
    throw new Error(`differentiate: the loss must be one number, got [${loss.shape}]`);
  const needed = dependents(graph.nodes.slice(0, loss.node.id + 1), targets);
  const wanted = Map.groupBy(targets, (target) => target.node);
  const gradients = new Map<number, Value>();
  const put = (value: Value, gradient: Value) => {
    const before = gradients.get(value.id);
    gradients.set(value.id, before === undefined ? gradient : accumulateGradients(before, gradient));
  };
  graph.during('backward', () => {
    gradients.set(loss.id, fill(graph, loss.shape, 1, gradientType(loss)));
    for (let id = loss.node.id; id >= 0; id--) {
      const node = graph.nodes[id]!;
      for (const target of wanted.get(node) ?? []) {
        const gradient = gradients.get(target.id);
        if (gradient !== undefined) graph.during('backward', () => onComplete?.(target, gradient), gradient.node.scope);
      }
      if (!needed.has(node) || !node.outputs.some((output) => gradients.has(output.id))) continue;
      graph.during('backward', () => backward(node, gradients, put, needed), node.scope);
    }
  });
  return targets.map((target) => gradients.get(target.id));
}

type Put = (value: Value, gradient: Value) => void;

function backward(node: Node, gradients: Map<number, Value>, put: Put, needed: ReadonlySet<Node>): void {
  const operation = operationOf(node.op);
  if (operation.kind === 'leaf') return;
  if (operation.gradient === undefined) {
    throw new Error(
      `differentiate: ${node.op} has no gradient rule; expand composites without one first (expandForGradient)`,
    );
  }
  const grads = operation.gradient(
    node,
    node.outputs.map((output) => gradients.get(output.id)),
  );
  const summed = node.inputs.map((value, i) => {
    const gradient = needed.has(value.node) ? grads[i] : undefined;
    return gradient === undefined ? undefined : sumToInput(node, value, gradient);
  });
  node.inputs.forEach((value, i) => {
    if (summed[i] !== undefined) put(value, summed[i]);
  });
}

/** A gradient in the shape of its input: summed over the axes along which the input was broadcast. */
function sumToInput(node: Node, input: Value, gradient: Value): Value {
  const full = broadcastShapes(node.op, gradient.shape, input.shape);
  if (!sameShape(full, gradient.shape))
    throw new Error(`${node.op}: the gradient of ${showType(input)} is ${showType(gradient)}`);
  return sumTo(gradient, input.shape);
}

/** Nodes among `nodes` that produce a target or depend on one. */
function dependents(nodes: readonly Node[], targets: readonly Value[]): Set<Node> {
  const found = new Set<Node>(targets.map((target) => target.node));
  for (const node of nodes) {
    if (node.inputs.some((value) => found.has(value.node))) found.add(node);
  }
  return found;
}
