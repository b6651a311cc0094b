/** How the learning rate of a sweep's runs moves, drawn as the runs will have it: by the engine's own schedules. */
import type { Config } from '../../../preload/contract/settings.ts';
import type { DrawnSchedule } from '../../../preload/contract/shapes.ts';
import type { Kinds } from '../../engine/kind.ts';
import { groupsOf } from '../../engine/optim/optimizers/groups.rules.ts';
import { optimizerFamily } from '../../engine/optim/optimizers/index.ts';
import { buildSchedule, ScheduleError } from '../../engine/optim/schedule.ts';
import type { PlannedEnd, SchedulePosition } from '../../engine/optim/schedule.ts';

/** Points of a curve, and curves that can be told apart. */
const POINTS = 97;
const MOST = 6;
/** Settings that are drawn at most. */
const LOOKED_AT = 200;

interface Drawable {
  readonly label: string;
  readonly config: Config;
  /** Steps of the run; null where nothing says them. */
  readonly steps: number | null;
  /** Limit in time; null where there is none. */
  readonly seconds: number | null;
  readonly tokensPerStep: number;
  /** Seconds of a step, roughly; null where the device's speed is unknown. */
  readonly pace: number | null;
}

/** A run from its first step to its last, of which the positions are known, or guessed where it goes by the clock. */
interface Course {
  readonly end: PlannedEnd;
  readonly steps: number;
  readonly seconds?: number;
  /** Where it stands after a share of it. */
  at(share: number): SchedulePosition;
}

/** Undefined where nothing says how long it is. */
function courseOf({ config, steps, seconds, tokensPerStep, pace }: Drawable): Course | undefined {
  const end = { steps: steps ?? undefined, seconds: seconds ?? undefined, tokensPerStep };
  if (steps !== null && (config['schedule.horizon_seconds'] as number) === 0)
    return {
      end,
      steps,
      at(share) {
        const step = Math.round((steps - 1) * share);
        return { step, tokens: step * tokensPerStep };
      },
    };
  if (pace === null) return undefined;
  const time = steps === null ? seconds : steps * pace;
  if (time === null) return undefined;
  return {
    end,
    steps: Math.max(1, Math.round(time / pace)),
    seconds: time,
    at: (share) => ({
      step: (share * time) / pace,
      tokens: ((share * time) / pace) * tokensPerStep,
      seconds: share * time,
    }),
  };
}

/** Multiples of the peak learning rate at even distances over the run; undefined where there are none. */
function curve(config: Config, { end, at }: Course, kinds: Kinds): number[] | undefined {
  try {
    const schedule = buildSchedule(config, end, kinds);
    return Array.from({ length: POINTS }, (_, i) => schedule(at(i / (POINTS - 1))));
  } catch (error) {
    if (error instanceof ScheduleError) return undefined;
    throw error;
  }
}

interface Curve extends Omit<DrawnSchedule, 'label'> {
  /** Of the settings, and of the group of parameters that has its own; empty where there is one for all. */
  readonly setting: string;
  readonly group: string;
}

/** The schedule of a run and those of its groups that have their own. */
function curvesOf(drawable: Drawable, kinds: Kinds): Curve[] {
  const { label: setting, config } = drawable;
  const course = courseOf(drawable);
  if (course === undefined) return [];
  const { steps, seconds } = course;
  const lines = groupsOf(config, kinds.of(optimizerFamily, config), kinds.all(optimizerFamily), kinds);
  const all = [
    { group: '', config },
    ...lines
      .filter(({ ownSchedule }) => ownSchedule)
      .map((line) => ({ group: line.name, config: { ...config, ...line.settings } })),
  ];
  return all.flatMap((each) => {
    const values = curve(each.config, course, kinds);
    if (values === undefined) return [];
    return [{ setting, group: each.group, steps, ...(seconds && { seconds }), values, most: Math.max(...values) }];
  });
}

/** The different ones, by the first setting of those that are alike; one that all settings have is called by its group alone. */
export function drawnSchedules(settings: readonly Drawable[], kinds: Kinds): DrawnSchedule[] {
  const looked = settings.slice(0, LOOKED_AT);
  const curves = looked.flatMap((setting) => curvesOf(setting, kinds));
  const alike = [...Map.groupBy(curves, ({ values }) => JSON.stringify(values)).values()];
  return alike.slice(0, MOST).map((same) => {
    const { setting, group, ...drawn } = same[0]!;
    const common = same.filter((each) => each.group === group).length === looked.length;
    return { label: [common ? '' : setting, group].filter(Boolean).join(' '), ...drawn };
  });
}
