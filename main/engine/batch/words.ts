/** The batches of a run in words. */
import { counted, formatInteger } from '../../../preload/shared/format.ts';
import type { BatchPlan } from './plan.ts';

/** Longer lists are nobody's reading. */
const SHOWN = 12;

/** `batches: 32 × 16 tokens from step 0, 16 × 32 from step 80`. */
export function stagesText(plan: BatchPlan): string {
  const stages = plan.stages();
  const said = stages
    .slice(0, SHOWN)
    .map(
      ({ sequences, length, from }) =>
        `${formatInteger(sequences)} × ${counted(length, 'token')} from step ${formatInteger(from.step)}`,
    );
  if (stages.length > SHOWN) said.push(`and ${stages.length - SHOWN} more`);
  const several = plan.varies ? '; each step takes several such batches, as its gradient asks' : '';
  return `batches: ${said.join(', ')}${several}`;
}
