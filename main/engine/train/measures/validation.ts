/** Metrics of evaluations: every held-out token is scored once. */
import { defineMetric } from './measure.ts';

export const VALIDATION = [
  defineMetric({
    name: 'val/loss',
    unit: 'nats/token',
    better: 'lower',
    section: 'val',
    within: ['text', 'tokenizer'],
    help: 'mean over all scored held-out tokens; compares only within one tokenizer',
    ofEvaluation: ({ loss }) => loss,
  }),
  defineMetric({
    name: 'val/bpb',
    unit: 'bits/byte',
    better: 'lower',
    section: 'val',
    within: ['text'],
    help: 'bits per byte of the held-out text: comparable across tokenizers',
    ofEvaluation: ({ bpb }) => bpb,
  }),
  defineMetric({
    name: 'val/perplexity',
    unit: '',
    better: 'lower',
    section: 'val',
    within: ['text', 'tokenizer'],
    help: 'e to the power of `val/loss`',
    ofEvaluation: ({ perplexity }) => perplexity,
  }),
  defineMetric({
    name: 'val/accuracy',
    unit: 'share',
    better: 'higher',
    section: 'val',
    within: ['text', 'tokenizer'],
    help: 'share of held-out tokens whose likeliest guess was right',
    ofEvaluation: ({ accuracy }) => accuracy,
  }),
  defineMetric({
    name: 'val/coverage',
    unit: 'share',
    section: 'val',
    help: 'scored tokens of all held-out ones',
    ofEvaluation: ({ coverage }) => coverage,
  }),
  defineMetric({
    name: 'val/best_loss',
    unit: 'nats/token',
    better: 'lower',
    section: 'val',
    within: ['text', 'tokenizer'],
    chart: false,
    help: 'the lowest `val/loss` of the run, in its summary',
  }),
  defineMetric({
    name: 'val/best_step',
    unit: '',
    section: 'val',
    chart: false,
    help: 'the step of `val/best_loss`, in its summary',
  }),
];
