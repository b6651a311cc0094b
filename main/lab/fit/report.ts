/** Everything that a fit check says about one configuration. */
import type { Kinds } from '../../engine/kind.ts';
import type { FitChecks, Prices } from '../../../preload/contract/fit.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { TF32 } from '../../engine/executors/executorKind.ts';
import { executorKind } from '../../engine/executors/index.ts';
import { planBasis } from './devices.ts';
import type { FitDevice } from './devices.ts';
import { estimateDataset } from './budget.ts';
import { textIn } from './textSizes.ts';
import { formatBytes } from '../../../preload/shared/format.ts';
import { notReached } from './notReached.ts';
import { fitPlan, runUse } from './plan.ts';
import type { FitPlan, PlanOptions } from './plan.ts';
import { largestMicroBatch, largestOverall } from './search.ts';
import { suggest } from './suggest.ts';
import { textWarnings } from './textWarnings.ts';
import { costOf, estimateTime } from './time.ts';
import type { FindSamples } from './pace.ts';
import { verdictFor } from './verdict.ts';
import { precisionOf } from '../../engine/nn/precision.ts';

export interface FitOptions extends Omit<PlanOptions, 'kind'> {
  readonly prices?: Prices;
  /** Finds earlier runs that tell the speed. */
  readonly samples?: FindSamples;
}

/** One configuration on one device. */
export interface FitReport extends FitChecks {
  readonly device: FitDevice;
  readonly plan: FitPlan;
}

/** The whole fit check of a complete, checked configuration. */
export function fitReport(config: Config, device: FitDevice, options: FitOptions = {}): FitReport {
  const planOptions: PlanOptions = {
    ...planBasis(device),
    catalog: options.catalog,
    dataset: options.dataset,
  };
  const plan = fitPlan(config, planOptions);
  const time = estimateTime(config, plan, runUse(config, planOptions), device, options.samples?.(config, device));
  return {
    device,
    plan,
    verdict: verdictFor(plan.totalBytes, device),
    largest: {
      atThisBatch: largestMicroBatch(config, device, planOptions),
      atThisBatchWithoutMargin: largestMicroBatch(config, device, planOptions, 'exact'),
      overall: largestOverall(config, device, planOptions),
    },
    suggestions: suggest(config, device, planOptions),
    time,
    cost: costOf(time.seconds, options.prices ?? {}) ?? null,
    warnings: warningsOf(config, device, plan, options.catalog),
  };
}

export function warningsOf(config: Config, device: FitDevice, plan: FitPlan, kinds?: Kinds): string[] {
  const warnings = [...device.notes];
  const { policies, memory } = executorKind(device.kind);
  const policy = precisionOf(config);
  if (policy === TF32 && !policies.includes(TF32))
    warnings.push(`precision.tf32 is on, which ${device.kind} does not run; allowed: off`);
  else if (!policies.includes(policy))
    warnings.push(`precision.policy is ${policy}, which ${device.kind} does not run; allowed: ${policies.join(', ')}`);
  else if (memory === 'gpu' && /bf16/u.test(policy) && device.compute.bf16 === null && device.compute.fp16 !== null)
    warnings.push(`precision.policy is ${policy}, which ${device.name} cannot compute; nearest: fp16`);
  if (!plan.exact)
    warnings.push(
      `${device.kind} allocates tensor by tensor: its bytes are counted, not planned, and single operations need more`,
    );
  if (plan.length.estimated) warnings.push(lengthNote(config, kinds));
  warnings.push(...notReached(config, plan.length, kinds));
  warnings.push(...textWarnings(config, plan.length.tokens, kinds));
  return warnings;
}

/** What the number of steps rests on, where it is not sure. */
function lengthNote(config: Config, kinds?: Kinds): string {
  const read = estimateDataset(config, kinds)?.counted;
  if (read?.basis === 'beginning')
    return `the number of steps is estimated from the first ${formatBytes(read.sampledBytes)} of the text: it may be a quarter more or fewer`;
  if (read !== undefined)
    return 'the number of steps rests on a usual number of bytes per token: the text was counted, its tokens are when it is prepared';
  if (textIn(config, 'data.corpus') !== undefined)
    return 'the number of steps rests on the sizes of the files: they were not read';
  return 'the number of steps rests on the size that the settings give the data';
}
