import { always } from '../milestones.ts';
import { defineLength } from './length.ts';

export const constant = defineLength({
  name: 'constant',
  help: 'Every sequence has model.context tokens.',
  lengths: (_, context) => always(context),
});
