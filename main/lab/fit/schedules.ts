/** How the learning rate of a sweep's runs moves, drawn as the runs will have it: by the engine's own schedules. */
import type { Config } from '../../../preload/contract/settings.ts';
import type { DrawnSchedule } from '../../../preload/contract/shapes.ts';
import type { Kinds } from '../../engine/kind.ts';
import { groupsOf } from '../../engine/optim/optimizers/groups.rules.ts';
import { optimizerFamily } from '../../engine/optim/optimizers/index.ts';
import { buildSchedule, ScheduleError } from '../../engine/optim/schedule.ts';
import type { PlannedEnd } from '../../engine/optim/schedule.ts';

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
  readonly tokensPerStep: number;
}

/** Multiples of the peak learning rate at even distances over the run; undefined where there are none. */
function curve(config: Config, end: PlannedEnd & { readonly steps: number }, kinds: Kinds): number[] | undefined {
  try {
    const schedule = buildSchedule(config, end, kinds);
    return Array.from({ length: POINTS }, (_, i) => {
      const step = Math.round(((end.steps - 1) * i) / (POINTS - 1));
      return schedule({ step, tokens: step * end.tokensPerStep });
    });
  } catch (error) {
    if (error instanceof ScheduleError) return undefined;
    throw error;
  }
}

/** The schedule of a run and those of its groups that have their own. */
function curvesOf({ label, config, steps, tokensPerStep }: Drawable, kinds: Kinds): DrawnSchedule[] {
  // A rate that follows the clock cannot be told before it runs.
  if (steps === null || (config['schedule.horizon_seconds'] as number) > 0) return [];
  const end = { steps, tokensPerStep };
  const lines = groupsOf(config, kinds.of(optimizerFamily, config), kinds.all(optimizerFamily), kinds);
  const all = [
    { label, config },
    ...lines
      .filter(({ ownSchedule }) => ownSchedule)
      .map((line) => ({
        label: [label, line.name].filter(Boolean).join(' '),
        config: { ...config, ...line.settings },
      })),
  ];
  return all.flatMap((each) => {
    const values = curve(each.config, end, kinds);
    return values === undefined ? [] : [{ label: each.label, steps, values, most: Math.max(...values) }];
  });
}

/** The different ones, the first of those that are alike. */
export function drawnSchedules(settings: readonly Drawable[], kinds: Kinds): DrawnSchedule[] {
  const found = new Map<string, DrawnSchedule>();
  for (const setting of settings.slice(0, LOOKED_AT))
    for (const each of curvesOf(setting, kinds)) {
      const key = JSON.stringify(each.values);
      if (!found.has(key)) found.set(key, each);
      if (found.size === MOST) return [...found.values()];
    }
  return [...found.values()];
}
