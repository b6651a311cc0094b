/** The check that every training and every sweep makes before anything starts. */
import type { Suggestion, Verdict } from '../../../preload/contract/fit.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { planBasis } from './devices.ts';
import type { FitDevice } from './devices.ts';
import { fitPlan } from './plan.ts';
import type { FitPlan, PlanOptions } from './plan.ts';
import { suggest } from './suggest.ts';
import { gibibytes, judge, verdictFor } from './verdict.ts';
import { counted } from '../../../preload/shared/format.ts';

export interface LaunchCheckOptions extends Omit<PlanOptions, 'kind' | 'base' | 'profile'> {
  /** Runs that train at the same time on this device; default 1. */
  readonly concurrency?: number;
  /** Where texts may lie prepared: their tokens are known then. */
  readonly cacheDir?: string;
  readonly signal?: AbortSignal | undefined;
  /** Turns refusals into warnings. */
  readonly force?: boolean;
}

/** Configurations with one plan: those that differ only in what needs no memory (learning rate, seed …). */
export interface CheckedConfig {
  /** Positions in the list that was checked. */
  readonly indices: readonly number[];
  readonly config: Config;
  readonly plan: FitPlan;
  readonly verdict: Verdict;
}

export interface Refusal extends CheckedConfig {
  /** For people: what is needed, what there is, and the first suggestions. */
  readonly message: string;
  readonly suggestions: readonly Suggestion[];
}

export interface LaunchCheck {
  /** Nothing may start while this is not empty. */
  readonly refusals: readonly Refusal[];
  /** For people; forced refusals are among them. */
  readonly warnings: readonly string[];
  /** All different plans, the largest first. */
  readonly checked: readonly CheckedConfig[];
  /** How many of them fit side by side, at most the concurrency asked for. */
  readonly concurrency: number;
  /** How many fit side by side at all, further ones as large as the largest of them; null: more than anyone runs. */
  readonly limit: number | null;
}

/** Plans every configuration once and groups equal plans, the largest first. */
export function checkAll(
  configs: readonly Config[],
  device: FitDevice,
  options: Omit<PlanOptions, 'kind' | 'base' | 'profile'> = {},
): CheckedConfig[] {
  const groups = new Map<string, { indices: number[]; config: Config; plan: FitPlan }>();
  configs.forEach((config, index) => {
    const plan = fitPlan(config, { ...options, ...planBasis(device) });
    const key = JSON.stringify([
      plan.parameterCount,
      plan.byCategory,
      plan.programs,
      plan.sequences,
      plan.microBatch,
      plan.context,
    ]);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { indices: [index], config, plan });
    else known.indices.push(index);
  });
  return [...groups.values()]
    .map((group) => ({ ...group, verdict: verdictFor(group.plan.totalBytes, device) }))
    .sort((a, b) => b.plan.totalBytes - a.plan.totalBytes);
}

/**
 * Checks configurations before a launch. Refuses those that do not fit, with what would make them fit, unless forced; says which
 * are tight; and finds how many of the largest can train side by side.
 */
export function checkBeforeLaunch(
  configs: readonly Config[],
  device: FitDevice,
  options: LaunchCheckOptions = {},
): LaunchCheck {
  const { concurrency = 1, force = false, catalog, dataset } = options;
  const planOptions = { ...planBasis(device), catalog, dataset };
  const checked = checkAll(configs, device, planOptions);
  const warnings: string[] = [];
  const refusals: Refusal[] = [];
  for (const each of checked) {
    const { fit, sentence } = each.verdict;
    if (fit === 'tight') warnings.push(describe(each, configs.length, sentence));
    if (fit !== 'does not fit') continue;
    if (force) {
      warnings.push(`${describe(each, configs.length, sentence)} Started all the same, as asked.`);
      continue;
    }
    const suggestions = suggest(each.config, device, planOptions);
    const message = [describe(each, configs.length, sentence), ...suggestionLines(suggestions)].join('\n');
    refusals.push({ ...each, suggestions, message });
  }
  const sizes = checked.flatMap(({ indices, plan }) => indices.map(() => plan.totalBytes));
  const together = sideBySide(sizes, device, concurrency);
  if (together < concurrency && refusals.length === 0)
    warnings.push(
      `the ${concurrency} largest runs together do not fit on ${device.name} (${gibibytes(device.availableBytes)} available): train ` +
        `${together} at a time`,
    );
  // Runs of other sweeps may come beside these, so fewer runs than would fit are no limit.
  const crowd = Array.from({ length: MOST_TOGETHER }, (_, i) => sizes[i] ?? sizes[0] ?? 0);
  const limit = sideBySide(crowd, device, MOST_TOGETHER);
  return { refusals, warnings, checked, concurrency: together, limit: limit < MOST_TOGETHER ? limit : null };
}

/** `3 of 12 runs: …`; nothing before the sentence for a single run. */
function describe({ indices, plan }: CheckedConfig, total: number, sentence: string): string {
  const size = `${(plan.parameterCount / 1e6).toPrecision(3)}M parameters, ${plan.microBatch} × ${counted(plan.context, 'token')} at once`;
  return total === 1 ? sentence : `${indices.length} of ${counted(total, 'run')} (${size}): ${sentence}`;
}

const SHOWN = 3;

function suggestionLines(suggestions: readonly Suggestion[]): string[] {
  const helping = suggestions.filter(({ fit }) => fit === 'fits');
  if (helping.length > 0) {
    return helping
      .slice(0, SHOWN)
      .map(({ flags, bytes, effect }) => `  fits with ${flags}  (${gibibytes(bytes)}, ${effect})`);
  }
  const [best] = [...suggestions].sort((a, b) => a.bytes - b.bytes);
  if (best === undefined) return ['  nothing that saves memory is left: choose a smaller model'];
  return [
    `  no single change makes it fit; the most is saved by ${best.flags}  (${gibibytes(best.bytes)}): choose a smaller model`,
  ];
}

/** As many as the queue can be given. */
const MOST_TOGETHER = 64;

/** How many runs, the largest together, fit at the same time. A GPU holds one engine's base for each. */
function sideBySide(sizes: readonly number[], device: FitDevice, most: number): number {
  let count = 0;
  let total = 0;
  while (count < Math.min(most, sizes.length)) {
    total += sizes[count]!;
    if (judge(device.kind, total, device.availableBytes) === 'does not fit') break;
    count++;
  }
  // Fewer runs than places are no shortage of memory.
  return count === sizes.length ? most : Math.max(1, count);
}
