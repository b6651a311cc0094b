/** What the names of metrics tell that nobody declared: a plug-in's, or those of runs from elsewhere. The first that matches counts. */
import { defineMetric } from './measure.ts';

const VALIDATION = { section: 'val', within: ['text', 'tokenizer'] } as const;

export const FAMILIES = [
  defineMetric({ name: 'val/*accuracy*', unit: 'share', better: 'higher', ...VALIDATION, help: '' }),
  defineMetric({ name: 'val/*bpb*', unit: 'bits/byte', better: 'lower', section: 'val', within: ['text'], help: '' }),
  defineMetric({ name: 'val/*', unit: '', better: 'lower', ...VALIDATION, help: '' }),
  defineMetric({ name: '*accuracy*', unit: 'share', better: 'higher', section: '', help: '' }),
  defineMetric({ name: '*loss', unit: '', better: 'lower', section: '', help: '' }),
  defineMetric({ name: '*bpb', unit: 'bits/byte', better: 'lower', section: '', help: '' }),
  defineMetric({ name: '*tokens_per_second', unit: 'tokens/s', better: 'higher', section: '', help: '' }),
  defineMetric({ name: '*coverage', unit: 'share', better: 'higher', section: '', help: '' }),
  defineMetric({ name: '*utilization', unit: 'share', better: 'higher', section: '', help: '' }),
  defineMetric({ name: '*mfu', unit: 'share', better: 'higher', section: '', help: '' }),
  defineMetric({ name: '*seconds', unit: 's', better: 'lower', section: '', help: '' }),
  defineMetric({ name: '*flops', unit: 'FLOP', section: '', help: '' }),
];
