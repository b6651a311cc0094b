/** A linear layer with its parameters. */
import { linear } from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import type { Initial, ModelContext } from '../model.ts';
import { firstWeights } from './initial.ts';

/** How a linear layer starts: its weights normal with a standard deviation, or as they say themselves; a bias at zero. */
export type LinearOptions = { readonly bias?: boolean } & ({ readonly std: number } | { readonly initial: Initial });

/** x [.., in] → [.., out]. */
export function linearLayer(m: ModelContext, name: string, x: Value, out: number, options: LinearOptions): Value {
  const initial: Initial = 'initial' in options ? options.initial : { kind: 'normal', std: options.std };
  return m.within(name, () => {
    const weight = m.parameter('weight', [out, x.shape.at(-1)!], { role: 'matrix', initial });
    const bias = options.bias
      ? m.parameter('bias', [out], { role: 'vector', initial: { kind: 'constant', value: 0 } })
      : undefined;
    return linear(x, weight, bias);
  });
}

/** A linear layer that starts as `model.init` says, with a bias where `model.bias` says so. */
export function gptLinear(m: ModelContext, name: string, x: Value, out: number, divisor = 1): Value {
  const initial = firstWeights(m, out, x.shape.at(-1)!, divisor);
  return linearLayer(m, name, x, out, { initial, bias: m.config['model.bias'] as boolean });
}
