/** The verdict in one sentence: what, how much of how much, when and where. */
import type { FitReport } from '../../../../preload/contract/shapes.ts';
import { formatBytes } from '../../../../preload/shared/format.ts';

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
  const rest = `: peak ${formatBytes(neededBytes)} of ${formatBytes(availableBytes)}, ${when}`;
  const on = `${device.name}${device.basis === 'table' ? ', a card that is not here' : ''}${device.verified ? '' : ', its memory unverified'}`;
  const spare =
    fit === 'does not fit'
      ? `${formatBytes(-spareBytes)} too much`
      : fit === 'tight'
        ? `${formatBytes(spareBytes)} to spare, less than the margin of ${formatBytes(marginBytes)}`
        : `${formatBytes(spareBytes)} to spare`;
  const how = plan.exact
    ? `${formatBytes(plan.plannedBytes)} planned to the byte and ${formatBytes(plan.base.bytes)} ${plan.base.basis} for the process`
    : `${formatBytes(plan.plannedBytes)} counted tensor by tensor and ${formatBytes(plan.base.bytes)} ${plan.base.basis} for the process`;
  return { head: HEADS[fit], rest, detail: `${spare} on ${on}. ${how}.` };
}
