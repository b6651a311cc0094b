/** Metrics of optimizer steps. */
import { defineMetric } from './measure.ts';

/** Values by the names of their metrics. */
const under = (section: string, values: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${section}/${name}`, value]));

export const STEP = [
  defineMetric({
    name: 'train/loss',
    unit: 'nats/token',
    better: 'lower',
    section: 'train',
    within: ['data'],
    help: 'of the batch of a step, before its update',
    ofStep: ({ result }) => result.loss,
  }),
  defineMetric({
    name: 'train/accuracy',
    unit: 'share',
    better: 'higher',
    section: 'train',
    within: ['data'],
    help: 'share of tokens whose likeliest guess was right',
    ofStep: ({ result }) => result.accuracy,
  }),
  defineMetric({
    name: 'grad/norm',
    unit: '',
    better: 'lower',
    section: 'grad',
    help: 'length of the gradient before clipping',
    ofStep: ({ result }) => result.gradNorm,
  }),
  defineMetric({
    name: 'update/*',
    unit: '',
    log: true,
    section: 'update',
    help: 'length of a step beside that of the weights it moves, ‖Δw‖ ÷ ‖w‖: about 1e-3 is usual',
    ofStep: ({ updates }) => under('update', updates),
  }),
  defineMetric({
    name: 'lr',
    unit: '',
    section: 'run',
    help: 'learning rate of the step, before the multiples of groups',
    ofStep: ({ lr }) => lr,
  }),
  defineMetric({
    name: 'lr/*',
    unit: '',
    log: true,
    section: 'run',
    help: 'learning rate of a group of parameters that has one of its own',
    ofStep: ({ rates }) => under('lr', rates),
  }),
  defineMetric({
    name: 'decay/*',
    unit: '',
    log: true,
    section: 'run',
    help: 'weight decay of a group of parameters, where it moves over the run',
    ofStep: ({ decays }) => under('decay', decays),
  }),
  defineMetric({
    name: 'momentum/*',
    unit: '',
    section: 'run',
    help: 'momentum of an optimizer, where it moves over the run',
    ofStep: ({ momenta }) => under('momentum', momenta),
  }),
];
