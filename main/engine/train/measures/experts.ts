/** How busy the experts of a mixture are; nothing for other models. */
import { defineMetric } from './measure.ts';

export const EXPERTS = [
  defineMetric({
    name: 'experts/*',
    unit: '',
    section: 'experts',
    within: ['data'],
    help: 'busiest and idlest: tokens of that expert, in any layer, as a multiple of an even share; balance and z: the losses of the routers, mean over layers (balance is 1 where all are equally busy)',
    ofStep: ({ result }) =>
      Object.fromEntries(Object.entries(result.measures).filter(([name]) => name.startsWith('experts/'))),
  }),
];
