/** What groups of parameters may have of their own, and what is refused of it. */
import type { Config, SettingProblem, SettingSpec } from '../../../../preload/contract/settings.ts';
import type { Rule } from '../../../../preload/shared/settings/rules.ts';
import { problem, showValue } from '../../../../preload/shared/settings/values.ts';
import { settingNames } from '../../kind.ts';
import type { Kind, Kinds } from '../../kind.ts';
import { changed } from '../../changed.ts';
import { GROUPS, groupsProblem, readGroups } from '../groups.ts';
import type { GroupLine } from '../groups.ts';
import { ENDS } from '../schedules/end.rules.ts';
import { scheduleFamily } from '../schedules/index.ts';
import { optimizerSettings } from './shared.settings.ts';
import type { OptimizerKind } from './optimizer.ts';

const declared = (kinds: readonly Kind[]): SettingSpec[] => [
  ...new Map(
    kinds
      .flatMap(({ settings = [] }) => settings)
      .flatMap((entry) => (typeof entry === 'string' ? [] : [[entry.name, entry] as const])),
  ).values(),
];

const specsAmong = (shared: readonly (SettingSpec | string)[]): SettingSpec[] =>
  shared.flatMap((entry) => (typeof entry === 'string' ? [] : [entry]));

/** The settings that a group may have of its own under this optimizer. */
function groupSpecs(kind: OptimizerKind, kinds: readonly OptimizerKind[], all: Pick<Kinds, 'all'>): SettingSpec[] {
  const own = new Set(settingNames(kind));
  const schedules = all.all(scheduleFamily);
  const names = schedules.map(({ name }) => name);
  const shared = specsAmong(scheduleFamily.shared).map((spec) =>
    spec.name === scheduleFamily.setting ? { ...spec, type: { kind: 'enum', values: names } as const } : spec,
  );
  return [
    ...specsAmong(optimizerSettings),
    ...declared(kinds).filter(({ name }) => own.has(name)),
    ...shared,
    ...declared(schedules),
  ];
}

/** The groups of a configuration. @throws Error in words */
export const groupsOf = (
  config: Config,
  kind: OptimizerKind,
  kinds: readonly OptimizerKind[],
  all: Pick<Kinds, 'all'>,
): readonly GroupLine[] =>
  config[GROUPS] === '' ? [] : readGroups(config[GROUPS] as string, groupSpecs(kind, kinds, all));

/** What the rules of schedules refuse of that of a group. */
function scheduleProblem(config: Config, line: GroupLine, all: Pick<Kinds, 'all'>): SettingProblem | null {
  if (!line.ownSchedule) return null;
  const own = changed(config, line.settings);
  const schedules = all.all(scheduleFamily);
  const schedule = schedules.find(({ name }) => name === own[scheduleFamily.setting!]);
  if (schedule === undefined) return null;
  for (const rule of [...(scheduleFamily.rules?.(schedule, schedules, all) ?? []), ...(schedule.rules ?? [])]) {
    const found = rule.severity === 'error' ? rule.check(own) : null;
    if (found === null) continue;
    const { setting, value, why, allowed } = found;
    const reason = `in the group ${line.selector}, ${setting} is ${showValue(value)}${why === undefined ? '' : `: ${why}`}`;
    return problem(GROUPS, config[GROUPS], allowed, undefined, reason);
  }
  return null;
}

function wrongIn(config: Config, specs: readonly SettingSpec[], all: Pick<Kinds, 'all'>): SettingProblem | null {
  const text = config[GROUPS] as string;
  if (text === '') return null;
  const wrong = groupsProblem(text, specs);
  if (wrong !== null) return wrong;
  const problems = readGroups(text, specs).map((line) => scheduleProblem(config, line, all));
  return problems.find((found) => found !== null) ?? null;
}

/** Refuses what cannot be read, and what the optimizer or the schedule does not have. */
export function groupsRule(kind: OptimizerKind, kinds: readonly OptimizerKind[], all: Pick<Kinds, 'all'>): Rule {
  return {
    code: 'optimizer.groups',
    settings: [GROUPS, 'schedule.kind', ...ENDS],
    severity: 'error',
    yields: [GROUPS],
    check: (config) => {
      const found = wrongIn(config, groupSpecs(kind, kinds, all), all);
      // Groups of a recipe give way as a whole: half of them would be another recipe.
      return found === null ? null : { ...found, yielded: { value: '', why: `no groups, as ${found.why}` } };
    },
  };
}
