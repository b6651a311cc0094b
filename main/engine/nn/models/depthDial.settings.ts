import type { Config, SettingSpec } from '../../../../preload/contract/settings.ts';
import { divisors } from '../../../../preload/shared/settings/arithmetic.ts';
import type { DerivedDefault } from '../../kind.ts';
import { LIMITS } from '../../settings/stop.ts';
import {
  dialLearningRate,
  dialSequences,
  dialSteps,
  dialWeightDecay,
  dialWidth,
  headSizeOf,
} from './depthDial.dimensions.ts';

const part = (name: string, help: string): SettingSpec => ({
  name,
  type: { kind: 'bool' },
  default: true,
  help,
  question: 'capacity',
  touches: ['memory', 'time', 'stability'],
});

/** Settings of the model kind `depth-dial`; names alone are those of other models. */
export const depthDialSettings: readonly (SettingSpec | string)[] = [
  'model.depth',
  'model.width',
  'model.heads',
  'model.kv_heads',
  'model.head_size',
  'model.mlp_ratio',
  'model.mlp_width',
  'model.positions',
  'model.rope_base',
  'model.norm_eps',
  'model.softcap',
  'model.tied',
  'model.vocabulary_multiple',
  {
    name: 'model.aspect_ratio',
    type: { kind: 'float', min: 0, max: 4096, exclusiveMin: true },
    default: 64,
    help: 'Width of a depth-dial per layer: model.width is depth × this, up to a multiple of model.head_size.',
    question: 'capacity',
    touches: ['memory', 'time'],
    plan: 'none',
  },
  {
    name: 'model.data_ratio',
    type: { kind: 'float', min: 0, exclusiveMin: true },
    default: 12,
    unit: 'tokens',
    help: 'Training tokens of a depth-dial per parameter of its blocks and head, where no other limit is set.',
    question: 'budget',
    touches: ['time'],
    plan: 'none',
  },
  part(
    'model.value_embeddings',
    'Every second layer of a depth-dial adds an embedding of the token to its values, through a gate.',
  ),
  part('model.input_skip', 'Every layer of a depth-dial takes in the embeddings again; both shares are learned.'),
  part('model.smear', 'A depth-dial mixes some of the token before into each embedding, as much as a gate says.'),
  part('model.backout', 'A depth-dial takes a learned share of its middle layer away before the head.'),
];

const number = (config: Config, name: string): number => config[name] as number;
const fixed = (setting: string, value: number | string | boolean, rule: string): DerivedDefault => ({
  setting,
  rule,
  value: () => value,
});

/** Sequences at once, at most; as nanochat's on one device. */
const MOST_MICRO = 32;

/** What follows from the depth, each where the user did not set it; and the numbers that nanochat is tuned for. */
export const depthDialDefaults: readonly DerivedDefault[] = [
  {
    setting: 'attention.kind',
    rule: 'window where model.window is set, else window_pattern for depth-dial',
    value: (config) => (number(config, 'model.window') > 0 ? 'window' : 'window_pattern'),
  },
  fixed('model.head_size', 128, '128 for depth-dial'),
  {
    setting: 'model.width',
    rule: 'model.depth × model.aspect_ratio, up to a multiple of model.head_size',
    value: (config) =>
      dialWidth(number(config, 'model.depth'), number(config, 'model.aspect_ratio'), headSizeOf(config)),
  },
  {
    setting: 'model.heads',
    rule: 'model.width / model.head_size',
    value: (config) => Math.max(1, Math.round(number(config, 'model.width') / headSizeOf(config))),
  },
  fixed('model.zero_query', false, 'off for depth-dial: its queries are normalised'),
  fixed('model.positions', 'rotary', 'rotary for depth-dial'),
  fixed('model.rope_base', 100_000, '100,000 for depth-dial'),
  fixed('model.norm_eps', 2 ** -23, '2^-23 for depth-dial: the precision of 32 bits'),
  fixed('model.softcap', 15, '15 for depth-dial'),
  fixed('model.tied', false, 'off for depth-dial'),
  {
    setting: 'batch.sequences',
    rule: '2^round(log2(2^19 × (tokens / tokens at depth 12)^0.383)) tokens / model.context',
    value: dialSequences,
  },
  {
    setting: 'batch.micro',
    rule: 'the largest divisor of batch.sequences up to 32 for depth-dial, where batch.micro_tokens is not set',
    value: (config) =>
      number(config, 'batch.micro_tokens') > 0
        ? undefined
        : divisors(number(config, 'batch.sequences')).findLast((micro) => micro <= MOST_MICRO),
  },
  {
    setting: 'stop.steps',
    rule: 'model.data_ratio × parameters of blocks and head / tokens per step, where no other limit is set',
    value: (config, kinds) => (LIMITS.some((name) => number(config, name) > 0) ? undefined : dialSteps(config, kinds)),
  },
  {
    setting: 'optimizer.lr',
    rule: '0.003 × √(tokens per step / 2^19) × √(768 / model.width) for depth-dial',
    value: dialLearningRate,
  },
  {
    setting: 'optimizer.weight_decay',
    rule: '0.28 × √(tokens per step / 2^19) × tokens at depth 12 / tokens of the run, at most √model.width',
    value: dialWeightDecay,
  },
  fixed('optimizer.lr_scale_embedding', 100, '100 for depth-dial: 0.3 at the rate 0.003'),
  fixed('optimizer.lr_scale_head', 8 / 3, '8/3 for depth-dial: 0.008 at the rate 0.003'),
  fixed('optimizer.lr_scale_vector', 5 / 3, '5/3 for depth-dial: 0.005 at the rate 0.003'),
  fixed('optimizer.beta2', 0.95, '0.95 for depth-dial'),
];
