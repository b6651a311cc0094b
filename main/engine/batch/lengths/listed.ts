/** Lengths written down one by one. */
import type { Config } from '../../../../preload/contract/settings.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import { MilestoneError, MILESTONES_PATTERN, MILESTONES_WRITTEN, readMilestones } from '../milestones.ts';
import type { Unit } from '../milestones.ts';
import { defineLength } from './length.ts';

const LIST = 'batch.lengths';
const UNIT = 'batch.lengths_unit';

/** Why the list cannot be followed; undefined where it can. */
function wrong(config: Config): string | undefined {
  const context = config['model.context'] as number;
  try {
    const longest = Math.max(...readMilestones(config[LIST] as string).map(({ value }) => value));
    return longest > context ? `${longest} is more than model.context ${context}` : undefined;
  } catch (error) {
    if (error instanceof MilestoneError) return error.message;
    throw error;
  }
}

export const listed = defineLength({
  name: 'listed',
  help: 'Lengths one by one, each with where it begins, for any growth.',
  settings: [
    {
      name: LIST,
      type: { kind: 'string', pattern: MILESTONES_PATTERN, patternHelp: MILESTONES_WRITTEN },
      default: '32 64@100 128@200',
      unit: 'tokens',
      help: 'Lengths of the sequences, each but the first with @ and where it begins: 32 64@200 128@400.',
      question: 'stability',
      touches: ['memory', 'time', 'stability'],
      plan: 'none',
    },
    {
      name: UNIT,
      type: { kind: 'enum', values: ['steps', 'tokens'] },
      default: 'steps',
      help: 'What the places in batch.lengths count: optimizer steps or training tokens.',
      question: 'stability',
      touches: ['time', 'stability'],
      plan: 'none',
    },
  ],
  rules: [
    {
      code: 'batch.lengths_readable',
      settings: [LIST, 'model.context'],
      severity: 'error',
      check: (config) => {
        const why = wrong(config);
        if (why === undefined) return null;
        const allowed = `${MILESTONES_WRITTEN}, ascending, none above model.context`;
        return problem(LIST, config[LIST], allowed, undefined, why);
      },
    },
  ],
  lengths: (c) => ({ unit: c[UNIT] as Unit, list: readMilestones(c[LIST] as string) }),
});
