/** Multi-head causal self-attention with the options of the `gpt` model. */
import { reshape, rotary } from '../../graph/ops/index.ts';
import type { AttentionOptions } from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import type { AttentionPlace, ModelContext } from '../model.ts';
import { latentOf, withRotaryParts } from './latentKv.ts';
import type { LatentSizes } from './latentKv.ts';
import { gptLinear } from './linear.ts';
import { normLayer } from './norm.ts';
import { learnedSlopes } from './positions.ts';

/** Sizes of an attention layer, in elements. */
export interface AttentionSizes {
  /** Of the residual stream. */
  readonly width: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  /** heads × headSize */
  readonly attentionWidth: number;
  /** For keys and values that are made from a latent. */
  readonly latent?: LatentSizes | undefined;
}

/**
 * x [rows, length, width] → the same shape. Queries, keys and values are three products (not one that is then cut up) so that no
 * copies are needed. `divisor` shrinks the first values of the output projection.
 */
export function selfAttention(
  m: ModelContext,
  x: Value,
  d: AttentionSizes,
  divisor: number,
  place: AttentionPlace,
): Value {
  const { config } = m;
  const dropout = m.training ? (config['model.dropout'] as number) : 0;
  const { latent } = d;
  const source = latent === undefined ? x : latentOf(m, x, latent);
  const heads = (name: string, count: number, from: Value) =>
    reshape(gptLinear(m, name, from, count * d.headSize), [m.rows, m.context, count, d.headSize]);
  let q = heads('query', d.heads, x);
  let k = heads('key', d.kvHeads, source);
  const v = heads('value', d.kvHeads, source);
  if (config['model.qk_norm'] === true) {
    q = normLayer(m, 'query_norm', q);
    k = normLayer(m, 'key_norm', k);
  }
  if (config['model.positions'] === 'rotary' && latent !== undefined) {
    ({ q, k } = withRotaryParts(m, x, { q, k }, latent));
  } else if (config['model.positions'] === 'rotary') {
    const base = config['model.rope_base'] as number;
    q = rotary(q, base);
    k = rotary(k, base);
  }
  const slope = config['model.positions'] === 'bias' ? learnedSlopes(m, d.heads) : undefined;
  const options: AttentionOptions = {
    softcap: config['model.attention_softcap'] as number,
    ...(slope === undefined ? {} : { slope }),
    ...(dropout > 0 ? { dropout: { rate: dropout, key: m.key, stream: m.nextStream() } } : {}),
  };
  const cached = latent === undefined ? undefined : latent.rank + latent.ropeSize;
  const out = m.attend({ q, k, v, x, cached }, options, place);
  const joined = reshape(out, [m.rows, m.context, d.attentionWidth]);
  return m.dropout(gptLinear(m, 'output', joined, d.width, divisor), dropout);
}
