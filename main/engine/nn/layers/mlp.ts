/** The feed-forward part of a block: plain or gated. */
import { activation, gatedActivation } from '../../graph/ops/index.ts';
import type { Activation } from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import type { ModelContext } from '../model.ts';
import { linearLayer } from './linear.ts';

/** Sizes of an MLP, in elements. */
export interface MlpSizes {
  /** Of the residual stream. */
  readonly width: number;
  readonly mlpWidth: number;
  readonly mlpGated: boolean;
}

/** The gate's activation of the gated forms. */
const GATES: Readonly<Record<string, Activation>> = { swiglu: 'silu', geglu: 'gelu' };

/** x [.., width] → [.., width] through `mlpWidth` features. `outputStd` is the initial deviation of the last projection. */
export function mlp(m: ModelContext, x: Value, d: MlpSizes, outputStd: number): Value {
  const kind = m.config['model.mlp'] as string;
  const options = { std: m.config['model.init_std'] as number, bias: m.config['model.bias'] as boolean };
  const up = linearLayer(m, 'up', x, d.mlpWidth, options);
  const inner = d.mlpGated
    ? gatedActivation(linearLayer(m, 'gate', x, d.mlpWidth, options), up, GATES[kind]!)
    : activation(up, kind as Activation);
  const out = linearLayer(m, 'down', inner, d.width, { std: outputStd, bias: options.bias });
  return m.dropout(out, m.training ? (m.config['model.dropout'] as number) : 0);
}
