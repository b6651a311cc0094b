/** A sub-layer with its norm on the residual stream. */
import { add } from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import type { ModelContext } from '../model.ts';
import { normLayer } from './norm.ts';

/**
 * x + f(norm(x)), or norm(x + f(x)) where `model.norm_position` is post, in a model of so many layers. `kept` is what the part is added to
 * where it is not x itself: x projected to the part's width.
 */
export function residual(
  m: ModelContext,
  name: string,
  x: Value,
  layers: number,
  part: (x: Value) => Value,
  kept: Value = x,
): Value {
  const post = m.config['model.norm_position'] === 'post';
  const added = m.branch(layers, () => {
    const inner = post ? x : normLayer(m, `${name}_norm`, x);
    return m.within(name, () => part(inner));
  });
  const sum = add(kept, added);
  return post ? normLayer(m, `${name}_norm`, sum, true) : sum;
}
