/** The feed-forward part of a block: plain or gated. */
import { activation, gatedActivation } from '../../graph/ops/index.ts';
import type { Activation } from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import type { ModelContext } from '../model.ts';
import { gptLinear } from './linear.ts';

/** Sizes of an MLP, in elements. */
export interface MlpSizes {
  /** Of the residual stream. */
  readonly width: number;
  readonly mlpWidth: number;
  readonly mlpGated: boolean;
}

/** The gate's activation of the gated forms. */
export const GATES: Readonly<Record<string, Activation>> = { swiglu: 'silu', geglu: 'gelu' };

/** x [.., width] → [.., width] through `mlpWidth` features. `divisor` shrinks the first values of the last projection. */
export function mlp(m: ModelContext, x: Value, d: MlpSizes, divisor: number): Value {
  const kind = m.config['model.mlp'] as string;
  const up = gptLinear(m, 'up', x, d.mlpWidth);
  const inner = d.mlpGated
    ? gatedActivation(gptLinear(m, 'gate', x, d.mlpWidth), up, GATES[kind]!)
    : activation(up, kind as Activation);
  const out = gptLinear(m, 'down', inner, d.width, divisor);
  return m.dropout(out, m.training ? (m.config['model.dropout'] as number) : 0);
}
