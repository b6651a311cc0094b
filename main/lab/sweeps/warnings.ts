/** What is worth knowing of a planned sweep and stops nothing; and why nothing is left of one. */
import { type Draft, DRAFT_FIELDS } from '../../../preload/contract/draft.ts';
import type { Problem, Warning } from '../../../preload/contract/settings.ts';
import { nearestName } from '../../../preload/shared/settings/nearest.ts';
import { problem } from '../../../preload/shared/settings/values.ts';
import { metricCatalog } from '../../engine/train/measures/index.ts';
import type { SettingsRegistry } from '../settings/registry.ts';
import type { BaseInput } from './base.ts';
import type { Collector } from './collect.ts';
import type { Dropped } from './planned.ts';
import { counted, formatInteger } from '../../../preload/shared/format.ts';

/** What a user might wait for: of W&B's own keys, those that say what is run. */
const IDLE: ReadonlySet<string> = new Set(['program', 'command', 'job', 'imageUri']);

/** `wanted`: as many settings as draws were to find; `runs`: how many there are, seeds counted. */
export function planWarnings(
  { sweep, base }: BaseInput,
  { combiner, varied, settings, duplicates, combinations }: Collector,
  wanted: number,
  runs: number,
): Warning[] {
  const { registry } = combiner;
  const warnings = varied
    .filter((name) => !combiner.everActive.has(name))
    .map((name): Warning => {
      const why = registry.applies(name, combiner.base.config)
        ? 'its condition is never true'
        : registry.whyWithoutEffect(name, combiner.base.config);
      return {
        code: 'no_effect',
        setting: name,
        message: `${name} is varied but has no effect in any run (${why})`,
      };
    });
  const idle = DRAFT_FIELDS.filter(({ name }) => IDLE.has(name) && sweep[name] !== undefined).map(({ key }) => key);
  if (idle.length > 0)
    warnings.push({
      code: 'wandb_only',
      setting: idle[0],
      message: `${idle.join(', ')}: of W&B alone, without effect here, where Sweeplab trains its own models`,
    });
  for (const name of Object.keys(sweep.parameters))
    if (base?.overrides && Object.hasOwn(base.overrides, name))
      warnings.push({
        code: 'overridden',
        setting: name,
        message: `${name} is ${String(base.overrides[name])} on the command line, but the sweep varies it: the sweep's values are used`,
      });
  warnings.push(...metricWarnings(sweep, registry));
  if (settings.length < wanted) {
    const all = `${counted(combinations, 'draw')} gave only ${counted(settings.length, 'different setting')} that can run`;
    const equal = duplicates > 0 ? `: ${duplicates} repeated an earlier one` : '';
    const message = `run_cap is ${sweep.runCap}, but there ${runs === 1 ? 'is' : 'are'} ${counted(runs, 'run')}: ${all}${equal}`;
    warnings.push({ code: 'used_up', setting: 'run_cap', message });
  }
  return warnings;
}

/** Metrics that no run will have leave a sweep without a ranking; other keys of the metric have no effect. */
function metricWarnings({ metric }: Draft, { catalog }: SettingsRegistry): Warning[] {
  if (metric === undefined) return [];
  const { name, target, impute, impute_while_running } = metric;
  const idle = Object.entries({ target, impute, impute_while_running }).filter(([, value]) => value !== undefined);
  const words = idle.map(([key]) => `metric.${key}`).join(', ');
  const logged = metricCatalog(catalog).rankable;
  const near = nearestName(name, logged);
  return [
    ...(logged.includes(name)
      ? []
      : [
          {
            code: 'metric',
            setting: 'metric',
            message: `metric.name is ${name}, which Sweeplab's training does not log; logged are ${logged.join(', ')}${near ? `; nearest: ${near}` : ''}`,
          },
        ]),
    ...(idle.length > 0
      ? [
          {
            code: 'metric_unused',
            setting: 'metric',
            message: `${words}: kept, without effect here; runs end by the settings of stop`,
          },
        ]
      : []),
  ];
}

/** Reasons that are told; of more nobody reads on. */
const MOST_REASONS = 3;

/** Combinations dropped for one reason: those with the numbers of the first, and those with others. */
function reason(list: readonly Dropped[]): string {
  const [{ problem: first }] = list as readonly [Dropped];
  const { message } = first;
  // Their choices are not looked for in all of them.
  const alike = list.filter(({ problem: found }) => found.value === first.value && found.why === first.why).length;
  const others = list.length - alike;
  return `${formatInteger(alike)} × ${message}${others === 0 ? '' : ` (and ${formatInteger(others)} × with other numbers)`}`;
}

/** When every combination was dropped: each reason with how many it is true of, most frequent first. */
export function nothingLeft(dropped: readonly Dropped[]): Problem {
  const byReason = Map.groupBy(dropped, ({ problem: { code, setting } }) => `${code} ${setting}`);
  const groups = [...byReason.values()].sort((a, b) => b.length - a.length);
  const reasons = groups.slice(0, MOST_REASONS).map(reason);
  const rest = groups.slice(MOST_REASONS).reduce((sum, { length }) => sum + length, 0);
  if (rest > 0) reasons.push(`${formatInteger(rest)} × for ${counted(groups.length - MOST_REASONS, 'other reason')}`);
  const why = `${dropped.length === 1 ? 'the only combination was' : `all ${formatInteger(dropped.length)} combinations were`} dropped: ${reasons.join(' | ')}`;
  const allowed = 'at least one combination that can run';
  return {
    ...problem('parameters', dropped.length, allowed, undefined, why),
    code: 'nothing_left',
    message: `parameters: ${why}; allowed: ${allowed}`,
  };
}
