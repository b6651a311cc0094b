/**
 * Keys and values from a latent of low rank (multi-head latent attention, DeepSeek-V2 2024): a text that is being written needs to keep the
 * latent of each token, not its keys and values. Rotary positions do not pass through the latent, so a second, small key that all heads share
 * carries them.
 */
import { broadcastTo, concat, reshape, rotary } from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import type { Config } from '../../../../preload/contract/settings.ts';
import type { ModelContext } from '../model.ts';
import { gptLinear } from './linear.ts';
import { gainNorm } from './norm.ts';

/** Sizes of latent keys and values, in elements. */
export interface LatentSizes {
  /** Of the latent of a token. */
  readonly rank: number;
  /** Of the rotary key that all heads share, and of its query in each head; 0 without rotary positions. */
  readonly ropeSize: number;
}

/** What the settings say; undefined without a latent. */
export function latentSizes(config: Config): LatentSizes | undefined {
  const rank = config['model.kv_latent'] as number;
  if (rank === 0) return undefined;
  return { rank, ropeSize: config['model.positions'] === 'rotary' ? (config['model.rope_size'] as number) : 0 };
}

/** The latent, [rows, length, rank], normalised; keys and values are products of it. */
export function latentOf(m: ModelContext, x: Value, { rank }: LatentSizes): Value {
  return gainNorm(m, 'kv_norm', gptLinear(m, 'kv_down', x, rank), 'rms');
}

/** Queries and keys with their rotary parts behind them: [rows, length, heads or kv heads, size + ropeSize]. */
export function withRotaryParts(
  m: ModelContext,
  x: Value,
  { q, k }: { readonly q: Value; readonly k: Value },
  { ropeSize }: LatentSizes,
): { q: Value; k: Value } {
  const base = m.config['model.rope_base'] as number;
  const [heads, kvHeads] = [q.shape[2]!, k.shape[2]!];
  const turned = (name: string, count: number) => {
    const made = gptLinear(m, name, x, count * ropeSize);
    return rotary(reshape(made, [m.rows, m.context, count, ropeSize]), base);
  };
  const shared = broadcastTo(turned('key_rope', 1), [m.rows, m.context, kvHeads, ropeSize]);
  return { q: concat([q, turned('query_rope', heads)], 3), k: concat([k, shared], 3) };
}
