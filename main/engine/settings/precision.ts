/** Number formats and recomputation. */
import type { SettingSpec } from '../../../preload/contract/settings.ts';
import { AUTO_POLICY } from '../../../preload/shared/settings/policy.ts';
import type { Common } from '../kind.ts';

/** Beyond it gradients of 16 bits overflow anyway: where the factor on the loss ends that grows while nothing does. */
export const LARGEST_LOSS_SCALE = 2 ** 24;

const settings: readonly SettingSpec[] = [
  {
    name: 'precision.policy',
    type: { kind: 'enum', values: [AUTO_POLICY, 'fp32', 'bf16', 'fp16', 'pure-bf16'] },
    default: 'fp32',
    help: 'bf16: fp32 master weights, bf16 compute. fp16: the same with loss scaling. pure-bf16: all in bf16, small updates get lost. auto: bf16 where it is fast, else fp32.',
    question: 'memory',
    touches: ['memory', 'time', 'stability'],
  },
  {
    name: 'precision.tf32',
    type: { kind: 'bool' },
    default: false,
    help: 'On an NVIDIA GPU: matrix products of fp32 on tensor cores, their inputs rounded to 10 bits and summed in fp32. Faster, less exact; other devices refuse it.',
    question: 'memory',
    touches: ['time', 'stability'],
    when: 'precision.policy == "fp32"',
  },
  {
    name: 'precision.stochastic_rounding',
    type: { kind: 'bool' },
    default: false,
    help: 'Round weights and moments up or down by chance, nearer is likelier: in pure bf16, updates too small to be stored then count on the average.',
    question: 'memory',
    touches: ['memory', 'time', 'stability'],
    when: 'precision.policy == "pure-bf16"',
  },
  {
    name: 'precision.loss_scale',
    type: { kind: 'int', min: 1, max: LARGEST_LOSS_SCALE },
    default: 65_536,
    help: 'Factor on the loss with which fp16 begins. It halves where gradients overflow and doubles after 2,000 steps without: a wrong one costs a few steps computed again.',
    question: 'stability',
    touches: ['stability'],
    plan: 'none',
    when: 'precision.policy == "fp16"',
  },
  {
    name: 'precision.gradients',
    type: { kind: 'enum', values: ['fp32', 'bf16'] },
    default: 'fp32',
    help: 'Type in which the gradient of a step is kept and summed up over its micro-batches. bf16 needs half the memory and rounds each sum.',
    question: 'memory',
    touches: ['memory', 'time', 'stability'],
  },
  {
    name: 'precision.recompute',
    type: { kind: 'enum', values: ['none', 'attention', 'block'] },
    default: 'none',
    help: 'Compute activations again in the backward pass instead of keeping them: less memory, more time, same result.',
    question: 'memory',
    touches: ['memory', 'time'],
  },
];

export const precisionSettings: Common = { settings };
