/**
 * λ/b^ℓ after a step with the loss ℓ, and λ before there is one: hlb-gpt's, something like the reciprocal of the perplexity. Its b depends on
 * the number N of parameters, 0.007·(0.01·ln N)^−4: the decay of a smaller model comes later and more sharply.
 */
import { defineDecay } from './decay.ts';

const baseFor = (parameters: number): number => 0.007 * (0.01 * Math.log(parameters)) ** -4;

export const loss = defineDecay({
  name: 'loss',
  help: 'Grows exponentially as the training loss falls: nothing while there is nothing to forget.',
  settings: [
    {
      name: 'optimizer.decay_base',
      type: { kind: 'float', min: 0 },
      default: 0,
      help: 'What the weight decay is divided by for each nat of the loss (loss); 0 takes 0.007 × (0.01 × ln parameters)^-4.',
      question: 'stability',
      touches: ['stability'],
      plan: 'none',
    },
  ],
  needsEnd: false,
  followsLoss: true,
  factor(c, { parameters }) {
    const base = (c['optimizer.decay_base'] as number) || baseFor(parameters);
    return ({ loss: nats }) => (nats === undefined ? 1 : base ** -nats);
  },
});
