/** λ/ℓ^p after a step with the loss ℓ, and λ before there is one (hlb-gpt 0.3, with p = 2). */
import { defineDecay } from './decay.ts';

export const lossPower = defineDecay({
  name: 'loss_power',
  help: 'Grows as a power of one over the training loss.',
  settings: [
    {
      name: 'optimizer.decay_loss_power',
      type: { kind: 'float', min: 0, max: 16 },
      default: 2,
      help: 'Power of one over the training loss that multiplies the weight decay (loss_power).',
      question: 'stability',
      touches: ['stability'],
      plan: 'none',
    },
  ],
  needsEnd: false,
  followsLoss: true,
  factor(c) {
    const power = c['optimizer.decay_loss_power'] as number;
    // A loss of nothing leaves nothing to learn: the decay must stay a number.
    return ({ loss: nats }) => (nats === undefined ? 1 : Math.max(nats, 1e-3) ** -power);
  },
});
