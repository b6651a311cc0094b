/** What kinds whose numbers are written down one by one have in common. */
import type { Config, SettingProblem, SettingSpec } from '../../../preload/contract/settings.ts';
import { problem } from '../../../preload/shared/settings/values.ts';
import { MilestoneError, MILESTONES_WRITTEN, readMilestones } from './milestones.ts';

/** The setting `name`: what the places in the setting `list` count. */
export const milestonesUnit = (name: string, list: string): SettingSpec => ({
  name,
  type: { kind: 'enum', values: ['steps', 'tokens'] },
  default: 'steps',
  help: `What the places in ${list} count: optimizer steps or training tokens.`,
  question: 'stability',
  touches: ['time', 'stability'],
  plan: 'none',
});

/** Why the list in the setting `name` cannot be followed; null where it can. @param most the largest number, @param words what that is */
export function milestonesProblem(config: Config, name: string, most: number, words: string): SettingProblem | null {
  const refused = (why: string) =>
    problem(name, config[name], `${MILESTONES_WRITTEN}, ascending, none above ${words}`, undefined, why);
  try {
    const largest = Math.max(...readMilestones(config[name] as string).map(({ value }) => value));
    return largest > most
      ? refused(`${largest} is more than ${words === String(most) ? words : `${words} ${most}`}`)
      : null;
  } catch (error) {
    if (error instanceof MilestoneError) return refused(error.message);
    throw error;
  }
}
