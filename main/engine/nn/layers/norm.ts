/** Normalisation with its gain (and shift). */
import { norm } from '../../graph/ops/index.ts';
import type { NormKind } from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import type { ModelContext } from '../model.ts';

/**
 * LayerNorm or RMSNorm over the last axis, as the settings `model.norm`, `model.norm_eps` and `model.bias` say. The result is what products take
 * (`m.computeType`), or of x's own type for `keepType`, where it is the residual stream itself.
 */
export function normLayer(m: ModelContext, name: string, x: Value, keepType = false): Value {
  const width = x.shape.at(-1)!;
  const kind = m.config['model.norm'] === 'rmsnorm' ? 'rms' : 'layer';
  return m.within(name, () => {
    const gain = m.parameter('gain', [width], { role: 'vector', initial: { kind: 'constant', value: 1 } });
    const bias =
      kind === 'layer' && m.config['model.bias'] === true
        ? m.parameter('bias', [width], { role: 'vector', initial: { kind: 'constant', value: 0 } })
        : undefined;
    return norm(x, gain, {
      kind,
      eps: m.config['model.norm_eps'] as number,
      bias,
      out: keepType ? x.dtype : m.computeType,
    });
  });
}

/**
 * LayerNorm or RMSNorm over the last axis with a gain alone, `model.norm_eps` inside the root: for models whose norm is no choice. The
 * result is what products take.
 */
export function gainNorm(m: ModelContext, name: string, x: Value, kind: NormKind): Value {
  const eps = m.config['model.norm_eps'] as number;
  return m.within(name, () => {
    const gain = m.parameter('gain', [x.shape.at(-1)!], { role: 'vector', initial: { kind: 'constant', value: 1 } });
    return norm(x, gain, { kind, eps, out: m.computeType });
  });
}
