/** Lengths written down one by one. */
import { milestonesProblem, milestonesUnit } from '../milestones.settings.ts';
import { MILESTONES_PATTERN, MILESTONES_WRITTEN, readMilestones } from '../milestones.ts';
import type { Unit } from '../milestones.ts';
import { defineLength } from './length.ts';

const LIST = 'batch.lengths';
const UNIT = 'batch.lengths_unit';

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
    milestonesUnit(UNIT, LIST),
  ],
  rules: [
    {
      code: 'batch.lengths_readable',
      settings: [LIST, 'model.context'],
      severity: 'error',
      check: (config) => milestonesProblem(config, LIST, config['model.context'] as number, 'model.context'),
    },
  ],
  lengths: (c) => ({ unit: c[UNIT] as Unit, list: readMilestones(c[LIST] as string) }),
});
