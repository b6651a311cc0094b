/** What the names of metrics tell that nobody declared: a plug-in's, or those of runs from elsewhere. The first that matches counts. */
import type { MetricSpec } from '../../../../preload/shared/metrics.ts';

const VALIDATION = { section: 'val', within: ['text', 'tokenizer'] } as const;

export const FAMILIES: readonly MetricSpec[] = [
  { name: 'val/*accuracy*', unit: 'share', better: 'higher', ...VALIDATION, help: '' },
  { name: 'val/*bpb*', unit: 'bits/byte', better: 'lower', section: 'val', within: ['text'], help: '' },
  { name: 'val/*', unit: '', better: 'lower', ...VALIDATION, help: '' },
  // Of runs that were exported by a version that had one metric for each class of tokens.
  { name: 'loss_by_*/*', unit: 'nats/token', better: 'lower', section: 'diagnostics', within: ['data'], help: '' },
  { name: '*accuracy*', unit: 'share', better: 'higher', section: '', help: '' },
  { name: '*loss', unit: '', better: 'lower', section: '', help: '' },
  { name: '*bpb', unit: 'bits/byte', better: 'lower', section: '', help: '' },
  { name: '*tokens_per_second', unit: 'tokens/s', better: 'higher', section: '', help: '' },
  { name: '*coverage', unit: 'share', better: 'higher', section: '', help: '' },
  { name: '*utilization', unit: 'share', better: 'higher', section: '', help: '' },
  { name: '*mfu', unit: 'share', better: 'higher', section: '', help: '' },
  { name: '*seconds', unit: 's', better: 'lower', section: '', help: '' },
  { name: '*flops', unit: 'FLOP', section: '', help: '' },
];
