/** A run's batch without what changes over time, for checks that train a few steps. */
import type { Config } from '../../../preload/contract/settings.ts';
import type { Kinds } from '../kind.ts';
import { fixed } from './accumulation/fixed.ts';
import { constant } from './lengths/constant.ts';
import { batchPlan } from './plan.ts';
import { sequences } from './sizes/sequences.ts';

/** The same settings with the whole context and the largest batch of it in every step. */
export function fixedBatch(config: Config, kinds?: Kinds): Config {
  const whole = { ...config, 'batch.length': constant.name, 'batch.accumulation': fixed.name };
  const plan = batchPlan(whole, kinds);
  const shape = plan.shapes().reduce((a, b) => (b.sequences > a.sequences ? b : a));
  const micros = plan.micros(shape);
  return {
    ...whole,
    'batch.kind': sequences.name,
    'batch.sequences': shape.sequences,
    'batch.micro': micros.length > 1 ? micros[0]! : 0,
    'batch.micro_tokens': 0,
  };
}
