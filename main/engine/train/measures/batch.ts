/** What the batches of a run are, where they change. */
import { defineMetric } from './measure.ts';
import type { StepMoment } from './measure.ts';

/** Nothing is logged of a batch that is always the same: the settings say it. */
const whereChanging =
  (measure: (batch: NonNullable<StepMoment['batch']>) => number) =>
  ({ batch }: StepMoment): number | null =>
    batch === null ? null : measure(batch);

export const BATCH = [
  defineMetric({
    name: 'batch/length',
    unit: 'tokens',
    section: 'batch',
    help: 'tokens of each sequence of the step, where they change',
    ofStep: whereChanging(({ length }) => length),
  }),
  defineMetric({
    name: 'batch/sequences',
    unit: 'sequences',
    section: 'batch',
    help: 'sequences of the step, where the batch changes',
    ofStep: whereChanging(({ sequences }) => sequences),
  }),
  defineMetric({
    name: 'batch/micros',
    unit: '',
    section: 'batch',
    help: 'micro-batches of the step, where the batch changes',
    ofStep: whereChanging(({ micros }) => micros.length),
  }),
];
