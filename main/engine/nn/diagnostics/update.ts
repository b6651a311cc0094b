/**
 * How long weights, gradients and the step are that an update is about to make, layer by layer. It computes each parameter's update once more and
 * keeps nothing of it, so the update itself is the same bits whether it is looked at or not, and no tensor outlives its own norm.
 */
import { addressOf } from '../../../../preload/shared/metricPlace.ts';
import {
  add,
  cast,
  div,
  momentsAfter,
  mul,
  reduceSum,
  reshape,
  scalar,
  sqrt,
  square,
  sub,
  updateParts,
} from '../../graph/ops/index.ts';
import { program } from '../../graph/program.ts';
import type { Program } from '../../graph/program.ts';
import { sizeOf } from '../../graph/value.ts';
import type { Node, Value } from '../../graph/value.ts';
import { layerOf } from './layers.ts';

/** Of the denominator of the signal-to-noise of Adam. */
const TINY = 1e-8;

/** f32 []: Σ x². */
function squares(x: Value): Value {
  const wide = cast(x, 'f32');
  return reshape(
    reduceSum(
      square(wide),
      wide.shape.map((_, axis) => axis),
    ),
    [],
  );
}

/** The state that a value is, or is a cast of. */
function stateOf(value: Value): string {
  let { node } = value;
  while (node.op !== 'state') node = node.inputs[0]!.node;
  return node.attrs.name as string;
}

const isGain = (name: string): boolean => /norm\w*\.gain$/u.test(name);
const isShift = (name: string): boolean => /norm\w*\.bias$/u.test(name);

/** Sums of squares under one name. */
class Sums {
  readonly #sums = new Map<string, Value>();

  add(name: string, value: Value): void {
    const before = this.#sums.get(name);
    this.#sums.set(name, before === undefined ? value : add(before, value));
  }

  /** Their roots, by name. */
  roots(): Record<string, Value> {
    return Object.fromEntries([...this.#sums].map(([name, sum]) => [name, sqrt(sum)]));
  }
}

/**
 * Inputs: those of the update program that is given. Outputs f32 []: the metrics of the group `weights`, by address. Gradients are those before
 * clipping.
 */
export function updateDiagnosis({ graph, inputs }: Program): Program {
  const scale = inputs.get('gradientScale')!;
  const sums = new Sums();
  const gains = new Map<number, { squares: Value; count: number }>();
  const updates = graph.nodes.filter(({ op }) => op === 'optimizerUpdate');
  for (const node of updates) graph.during('update', () => lookAt(node), node.scope);

  function lookAt(node: Node): void {
    const { p, g, hyper } = updateParts(node);
    const next = node.outputs[0]!;
    const layer = layerOf(node.scope);
    const name = stateOf(p);
    const gradient = squares(mul(cast(g, 'f32'), scale));
    const [weight, moved] = [squares(p), squares(sub(next, cast(p, 'f32')))];
    sums.add('global_param_norm', weight);
    sums.add('param_update_norm', moved);
    if (layer !== undefined) {
      sums.add(addressOf({ name: 'layer_grad_norm', layer }), gradient);
      sums.add(addressOf({ name: 'layer_param_norm', layer }), weight);
      sums.add(addressOf({ name: 'layer_update_norm', layer }), moved);
      if (isGain(name)) {
        sums.add(addressOf({ name: 'ln_weight_grad_norm', layer }), gradient);
        const before = gains.get(layer);
        gains.set(layer, {
          squares: before === undefined ? weight : add(before.squares, weight),
          count: (before?.count ?? 0) + sizeOf(p.shape),
        });
      }
      if (isShift(name)) sums.add(addressOf({ name: 'ln_bias_grad_norm', layer }), gradient);
    }
    // Adam and its like: a mean of gradients and one of their squares, with the corrections for their start.
    const { first, second } = momentsAfter(node);
    if (first === undefined || second === undefined || !('bias1' in hyper) || !('bias2' in hyper)) return;
    const mean = div(first, hyper.bias1!);
    const spread = div(second, hyper.bias2!);
    const root = sqrt(spread);
    sums.add('adam_m_norm', squares(mean));
    sums.add('adam_v_norm', squares(spread));
    sums.add('adam_elemwise_snr_norm', squares(div(mean, add(root, scalar(root, TINY)))));
  }

  return graph.during(
    'update',
    () => {
      const outputs = sums.roots();
      for (const [layer, { squares: sum, count }] of gains)
        outputs[addressOf({ name: 'ln_gain', layer })] = sqrt(div(sum, scalar(sum, count)));
      return program('diagnose-update', graph, outputs);
    },
    'diagnostics',
  );
}
