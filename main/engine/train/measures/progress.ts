/** How far a run is: what charts can have as x, beside the step. */
import { defineMetric } from './measure.ts';

export const PROGRESS = [
  defineMetric({
    name: 'tokens',
    unit: 'tokens',
    section: 'run',
    axis: 'tokens',
    chart: false,
    help: 'training targets so far',
    ofProgress: ({ counters }) => counters.tokens,
  }),
  defineMetric({
    name: 'epoch',
    unit: '',
    section: 'run',
    axis: 'epoch',
    chart: false,
    help: 'passes over the training text',
    ofProgress: ({ counters }) => counters.epochs,
  }),
  defineMetric({
    name: 'epoch/*',
    unit: '',
    section: 'texts',
    help: 'passes over one text of a mixture',
    ofProgress: ({ epochsOfTexts }) =>
      Object.fromEntries(Object.entries(epochsOfTexts).map(([name, epochs]) => [`epoch/${name}`, epochs])),
  }),
  defineMetric({
    name: 'seconds',
    unit: 's',
    better: 'lower',
    section: 'run',
    axis: 'seconds of training',
    chart: false,
    help: 'training time over all attempts, evaluations left out',
    ofProgress: ({ counters }) => counters.seconds,
  }),
  defineMetric({
    name: 'flops',
    unit: 'FLOP',
    section: 'run',
    axis: 'training FLOPs',
    chart: false,
    help: 'training FLOPs so far, padding included',
    ofProgress: ({ counters }) => counters.flops,
  }),
];
