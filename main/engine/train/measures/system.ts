/** The machine at work. */
import { defineMetric } from './measure.ts';

export const SYSTEM = [
  defineMetric({
    name: 'tokens_per_second',
    unit: 'tokens/s',
    better: 'higher',
    section: 'run',
    help: 'speed of training since the step that was logged before',
    ofStep: ({ counters, before }) =>
      (counters.tokens - before.tokens) / Math.max(counters.seconds - before.seconds, 1e-9),
  }),
  defineMetric({
    name: 'system/memory',
    unit: 'bytes',
    section: 'system',
    help: 'memory that the engine process holds',
    ofStep: () => process.memoryUsage.rss(),
  }),
];
