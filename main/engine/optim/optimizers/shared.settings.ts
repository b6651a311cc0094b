import type { SettingSpec } from '../../../../preload/contract/settings.ts';
import { KINDS_HERE } from '../../kind.ts';

/** How gradients become updates: what all optimizers share. */
export const optimizerSettings: readonly (SettingSpec | typeof KINDS_HERE)[] = [
  {
    name: 'optimizer.kind',
    type: { kind: 'enum', values: [] },
    default: 'adamw',
    help: 'How gradients become updates. adamw is the usual choice; muon often needs fewer steps, lion and adafactor less memory.',
    question: 'stability',
    touches: ['memory', 'stability'],
  },
  {
    name: 'optimizer.lr',
    type: { kind: 'float', min: 0, exclusiveMin: true },
    default: 1e-3,
    help: 'Peak learning rate, the first setting to sweep. Wider models want a lower one.',
    question: 'stability',
    touches: ['stability'],
    plan: 'none',
  },
  {
    name: 'optimizer.weight_decay',
    type: { kind: 'float', min: 0 },
    default: 0.1,
    help: 'Weight decay of the matrices: decoupled for adamw, muon, lion, nadam and adafactor, an L2 gradient term for the others.',
    question: 'stability',
    touches: ['stability'],
    plan: 'none',
  },
  KINDS_HERE,
  {
    name: 'optimizer.clip',
    type: { kind: 'float', min: 0 },
    default: 1,
    help: 'Largest global gradient norm; larger gradients are scaled down to it. 0 is off.',
    question: 'stability',
    touches: ['stability'],
    plan: 'switch',
  },
  {
    name: 'optimizer.lr_scale_embedding',
    type: { kind: 'float', min: 0 },
    default: 1,
    help: 'Multiple of the learning rate for embeddings.',
    question: 'stability',
    touches: ['stability'],
    plan: 'none',
  },
  {
    name: 'optimizer.lr_scale_head',
    type: { kind: 'float', min: 0 },
    default: 1,
    help: 'Multiple of the learning rate for an untied output head.',
    question: 'stability',
    touches: ['stability'],
    plan: 'none',
    when: '!model.tied',
  },
  {
    name: 'optimizer.lr_scale_vector',
    type: { kind: 'float', min: 0 },
    default: 1,
    help: 'Multiple of the learning rate for vectors: norm gains and biases.',
    question: 'stability',
    touches: ['stability'],
    plan: 'none',
  },
  {
    name: 'optimizer.decay_embedding',
    type: { kind: 'bool' },
    default: false,
    help: 'Apply weight decay to embeddings too.',
    question: 'stability',
    touches: ['stability'],
    plan: 'none',
    when: 'optimizer.weight_decay > 0',
  },
  {
    name: 'optimizer.groups',
    type: { kind: 'string' },
    default: '',
    help: 'Groups with numbers of their own, one a line or between semicolons: head: lr_scale 2, beta1 0.6; position: lr_scale 100, weight_decay 0.',
    question: 'stability',
    touches: ['memory', 'stability'],
  },
];

/** Of every optimizer that divides by the root of mean squares. */
export const eps: SettingSpec = {
  name: 'optimizer.eps',
  type: { kind: 'float', min: 0, exclusiveMin: true },
  default: 1e-8,
  help: 'Added to the denominator of the update.',
  question: 'stability',
  touches: ['stability'],
  plan: 'none',
};

export const momentum: SettingSpec = {
  name: 'optimizer.momentum',
  type: { kind: 'float', min: 0, max: 1, exclusiveMax: true },
  default: 0,
  help: 'Momentum of sgd and rmsprop; above 0 it keeps one more number per parameter.',
  question: 'stability',
  touches: ['memory', 'stability'],
  plan: 'switch',
};
