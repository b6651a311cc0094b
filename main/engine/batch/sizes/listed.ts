/** Batch sizes written down one by one. */
import type { Config } from '../../../../preload/contract/settings.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import { MilestoneError, MILESTONES_PATTERN, MILESTONES_WRITTEN, readMilestones } from '../milestones.ts';
import type { Unit } from '../milestones.ts';
import { defineBatch } from './size.ts';

const LIST = 'batch.schedule';
const UNIT = 'batch.schedule_unit';
/** As many as a fixed batch may have. */
const MOST = 1048576;

function wrong(config: Config): string | undefined {
  try {
    const most = Math.max(...readMilestones(config[LIST] as string).map(({ value }) => value));
    return most > MOST ? `${most} is more than ${MOST}` : undefined;
  } catch (error) {
    if (error instanceof MilestoneError) return error.message;
    throw error;
  }
}

export const listed = defineBatch({
  name: 'listed',
  help: 'Numbers of sequences one by one, each with where it begins: a batch that grows with the run.',
  counts: 'sequences',
  settings: [
    {
      name: LIST,
      type: { kind: 'string', pattern: MILESTONES_PATTERN, patternHelp: MILESTONES_WRITTEN },
      default: '8 16@100 32@200',
      unit: 'sequences',
      help: 'Sequences per batch, each number but the first with @ and where it begins: 8 16@1000 32@5000.',
      question: 'stability',
      touches: ['memory', 'time', 'stability'],
      plan: 'none',
    },
    {
      name: UNIT,
      type: { kind: 'enum', values: ['steps', 'tokens'] },
      default: 'steps',
      help: 'What the places in batch.schedule count: optimizer steps or training tokens.',
      question: 'stability',
      touches: ['time', 'stability'],
      plan: 'none',
    },
  ],
  rules: [
    {
      code: 'batch.schedule_readable',
      settings: [LIST],
      severity: 'error',
      check: (config) => {
        const why = wrong(config);
        if (why === undefined) return null;
        return problem(LIST, config[LIST], `${MILESTONES_WRITTEN}, ascending, none above ${MOST}`, undefined, why);
      },
    },
  ],
  sizes: (c) => ({ unit: c[UNIT] as Unit, list: readMilestones(c[LIST] as string) }),
});
