/** Batch sizes written down one by one. */
import { milestonesProblem, milestonesUnit } from '../milestones.settings.ts';
import { MILESTONES_PATTERN, MILESTONES_WRITTEN, readMilestones } from '../milestones.ts';
import type { Unit } from '../milestones.ts';
import { defineBatch } from './size.ts';

const LIST = 'batch.schedule';
const UNIT = 'batch.schedule_unit';
/** As many as a fixed batch may have. */
const MOST = 1048576;

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
    milestonesUnit(UNIT, LIST),
  ],
  rules: [
    {
      code: 'batch.schedule_readable',
      settings: [LIST],
      severity: 'error',
      check: (config) => milestonesProblem(config, LIST, MOST, String(MOST)),
    },
  ],
  sizes: (c) => ({ unit: c[UNIT] as Unit, list: readMilestones(c[LIST] as string) }),
});
