/** The verdict in one sentence: what, how much of how much, when and where. */
import type { FitReport } from '../../../../preload/contract/shapes.ts';
import { formatMemory } from '../../../../preload/shared/format.ts';

const HEADS = { fits: 'Fits', tight: 'Tight', 'does not fit': 'Does not fit' } as const;

export interface VerdictWords {
  readonly head: string;
  readonly rest: string;
  readonly detail: string;
}

export function verdictWords({ verdict, plan, device }: Pick<FitReport, 'verdict' | 'plan' | 'device'>): VerdictWords {
  const { fit, neededBytes, availableBytes, spareBytes, marginBytes } = verdict;
  // "…, mostly saved activations (82 %)" is said by the bar beneath.
  const [when] = plan.peak.sentence.split(', mostly ');
  const rest = `: peak ${formatMemory(neededBytes)} of ${formatMemory(availableBytes)}, ${when}`;
  const on = `${device.name}${device.basis === 'table' ? ', a card that is not here' : ''}${device.verified ? '' : ', its memory by the specification, not checked on a card'}`;
  const spare =
    fit === 'does not fit'
      ? `${formatMemory(-spareBytes)} too much`
      : fit === 'tight'
        ? `${formatMemory(spareBytes)} to spare, less than the margin of ${formatMemory(marginBytes)}`
        : `${formatMemory(spareBytes)} to spare`;
  const how = plan.exact
    ? `${formatMemory(plan.plannedBytes)} planned to the byte and ${formatMemory(plan.base.bytes)} ${plan.base.basis} for the process`
    : `${formatMemory(plan.plannedBytes)} counted tensor by tensor and ${formatMemory(plan.base.bytes)} ${plan.base.basis} for the process`;
  return { head: HEADS[fit], rest, detail: `${spare} on ${on}. ${how}.` };
}
