/**
 * What would make a run fit, the least change first: what gives the same result, then other number formats, then another optimizer,
 * then another task. Every suggestion was planned, and obeys the rules between settings.
 */
import type { Effect, Fit, Suggestion } from '../../../preload/contract/fit.ts';
import type { Config, SettingValue } from '../../../preload/contract/settings.ts';
import { executorKind } from '../../engine/executors/index.ts';
import { builtInCatalog } from '../../engine/catalog.ts';
import type { Catalog } from '../../engine/catalog.ts';
import { optimizerFamily } from '../../engine/optim/optimizers/index.ts';
import type { FitDevice } from './devices.ts';
import { fitPlan, runUse } from './plan.ts';
import type { PlanOptions } from './plan.ts';
import { precisionOf } from '../../engine/nn/precision.ts';
import { microBatchOf } from '../../engine/nn/programs.ts';
import { largestMicroBatch, microChoices } from './search.ts';
import { stepSeconds } from './time.ts';
import { judge } from './verdict.ts';
import { counted } from '../../../preload/shared/format.ts';

interface Change {
  readonly changes: Readonly<Record<string, SettingValue>>;
  readonly text: string;
  readonly effect: Effect;
}

/** Suggestions that save memory, those that make it fit first; none when it fits already. */
export function suggest(config: Config, device: FitDevice, options: PlanOptions): Suggestion[] {
  const now = fitPlan(config, options);
  if (judge(device.kind, now.totalBytes, device.availableBytes) === 'fits') return [];
  const seen = new Set<string>();
  const suggestions: Suggestion[] = [];
  const { catalog = builtInCatalog } = options;
  for (const change of changesOf(config, device, options)) {
    const next = { ...config, ...change.changes };
    const key = JSON.stringify(Object.entries(change.changes).sort());
    if (seen.has(key) || catalog.check(next).problems.length > 0) continue;
    seen.add(key);
    // With an earlier suggestion inside it that is enough, the rest of this one would change more for nothing.
    if (suggestions.some((earlier) => earlier.fit === 'fits' && within(earlier.changes, change.changes))) continue;
    const plan = fitPlan(next, options);
    const freedBytes = now.totalBytes - plan.totalBytes;
    if (freedBytes <= 0) continue;
    suggestions.push({
      ...change,
      flags: flagsOf(change.changes),
      bytes: plan.totalBytes,
      freedBytes,
      fit: judge(device.kind, plan.totalBytes, device.availableBytes),
      timeFactor: timeFactor(config, next, device, options),
    });
  }
  const order: readonly Fit[] = ['fits', 'tight', 'does not fit'];
  // The sort is stable: within a verdict the least change stays first.
  return suggestions.sort((a, b) => order.indexOf(a.fit) - order.indexOf(b.fit));
}

/** Whether all changes of `part` are among those of `whole`. */
function within(part: Suggestion['changes'], whole: Suggestion['changes']): boolean {
  return Object.entries(part).every(([name, value]) => whole[name] === value);
}

function flagsOf(changes: Readonly<Record<string, SettingValue>>): string {
  return Object.entries(changes)
    .map(([name, value]) => `--${name} ${String(value)}`)
    .join(' ');
}

/** Step time with the change ÷ without, at the middle of both ranges. */
function timeFactor(config: Config, next: Config, device: FitDevice, options: PlanOptions): number | null {
  const seconds = (each: Config): number | undefined => {
    const range = stepSeconds(runUse(each, options), fitPlan(each, options).length.stages, device, precisionOf(each));
    return range === undefined
      ? undefined
      : Math.sqrt(range.low * range.high) / fitPlan(each, options).length.tokensPerStep;
  };
  const [before, after] = [seconds(config), seconds(next)];
  return before === undefined || after === undefined ? null : after / before;
}

/** Candidates in order of how much they change. */
function* changesOf(config: Config, device: FitDevice, options: PlanOptions): Generator<Change> {
  const micro = microBatchOf(config, options.catalog);
  const micros = (from: Config, also: string, effect: Effect): Change | undefined => {
    const { largest } = largestMicroBatch(from, device, options);
    const chosen = largest?.sequences ?? 1;
    if (chosen >= micro) return undefined;
    const choices = microChoices(from, options.catalog);
    const changes = { ...difference(config, choices.with(chosen)) };
    const all = choices.counts.at(-1)!;
    return {
      changes,
      text: `${chosen} of ${counted(all, 'sequence')} at once, gradients accumulated ${counted(Math.ceil(all / chosen), 'time')}${also}`,
      effect,
    };
  };
  const evaluated = config['eval.batch'] as number;
  if (evaluated > micro)
    yield { changes: { 'eval.batch': 0 }, text: `evaluate ${micro} sequences at once`, effect: 'same result' };
  const smaller = micros(config, '', 'same result');
  if (smaller !== undefined) yield smaller;

  const harmless = { ...config, ...(evaluated > 0 ? { 'eval.batch': 0 } : {}) };
  const policies = recomputations(config);
  for (const policy of policies) {
    const text =
      policy === 'attention'
        ? 'make attention again in the backward pass'
        : 'make each block again in the backward pass, keeping only its input';
    yield { changes: { 'precision.recompute': policy }, text, effect: 'same result' };
  }
  const strongest = policies.at(-1);
  const saved = strongest === undefined ? harmless : { ...harmless, 'precision.recompute': strongest };
  if (strongest !== undefined) {
    const both = micros(saved, ', and activations made again', 'same result');
    if (both !== undefined) yield both;
  }

  const precisions = smallerPrecisions(config, device);
  for (const policy of precisions) {
    const text =
      policy === 'pure-bf16'
        ? 'weights and moments in bf16 too (small updates are lost)'
        : `compute in ${policy}, fp32 master weights`;
    yield {
      changes: { 'precision.policy': policy },
      text,
      effect: policy === 'pure-bf16' ? 'other training' : 'other rounding',
    };
  }
  const [precision] = precisions;
  if (precision !== undefined && precision !== 'pure-bf16') {
    const all = micros(
      { ...saved, 'precision.policy': precision },
      `, in ${precision}${strongest === undefined ? '' : ', activations made again'}`,
      'other rounding',
    );
    if (all !== undefined) yield all;
  }

  for (const kind of leanerOptimizers(config, options.catalog)) {
    yield { changes: kind.changes, text: kind.text, effect: 'other training' };
    const all = micros({ ...saved, ...kind.changes }, `, ${kind.text}`, 'other training');
    if (all !== undefined) yield all;
  }

  for (let context = (config['model.context'] as number) >> 1; context >= 32; context >>= 1) {
    const next = { ...config, 'model.context': context };
    const fits = judge(device.kind, fitPlan(next, options).totalBytes, device.availableBytes) === 'fits';
    if (!fits && context >> 1 >= 32) continue;
    yield {
      changes: { 'model.context': context },
      text: `context of ${counted(context, 'token')} (the model sees less)`,
      effect: 'other task',
    };
    break;
  }
}

/** Settings of `b` that differ from `a`. */
function difference(a: Config, b: Config): Record<string, SettingValue> {
  return Object.fromEntries(Object.entries(b).filter(([name, value]) => a[name] !== value));
}

/** Stronger recomputation than now. */
function recomputations(config: Config): string[] {
  const all = ['none', 'attention', 'block'];
  return all.slice(all.indexOf(config['precision.recompute'] as string) + 1);
}

/** Policies with less memory that the device runs. */
function smallerPrecisions(config: Config, { kind, compute }: FitDevice): string[] {
  const now = config['precision.policy'];
  const hasBf16 = executorKind(kind).memory === 'host' || compute.bf16 !== null || compute.fp16 === null;
  const mixed = hasBf16 ? 'bf16' : 'fp16';
  const wanted = now === 'fp32' ? [mixed, 'pure-bf16'] : now === 'pure-bf16' ? [] : ['pure-bf16'];
  return wanted.filter((policy) => executorKind(kind).policies.includes(policy) && (policy !== 'pure-bf16' || hasBf16));
}

/** Optimizers with fewer numbers per parameter than now, the one with most of them first. */
function leanerOptimizers(
  config: Config,
  catalog: Catalog = builtInCatalog,
): { changes: Record<string, SettingValue>; text: string }[] {
  const now = catalog.of(optimizerFamily, config).moments(config).length;
  return catalog
    .all(optimizerFamily)
    .flatMap(({ name, lean, moments }) => {
      if (lean === undefined) return [];
      const next = { ...config, 'optimizer.kind': name, ...lean.settings };
      return [{ next, count: moments(next).length, text: `${lean.words} (tune the learning rate again)` }];
    })
    .filter(({ count }) => count < now)
    .sort((a, b) => b.count - a.count)
    .map(({ next, text }) => ({ changes: difference(config, next), text }));
}
