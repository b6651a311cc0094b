/** A linear layer with its parameters. */
import { linear } from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import type { ModelContext } from '../model.ts';

/** x [.., in] → [.., out]. Weights start normal with `std`, biases (when `bias`) at zero. */
export function linearLayer(
  m: ModelContext,
  name: string,
  x: Value,
  out: number,
  options: { std: number; bias: boolean },
): Value {
  return m.within(name, () => {
    const weight = m.parameter('weight', [out, x.shape.at(-1)!], {
      role: 'matrix',
      initial: { kind: 'normal', std: options.std },
    });
    const bias = options.bias
      ? m.parameter('bias', [out], { role: 'vector', initial: { kind: 'constant', value: 0 } })
      : undefined;
    return linear(x, weight, bias);
  });
}
