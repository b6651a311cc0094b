/**
 * Maximal update parametrisation (Yang et al. 2022, Tensor Programs V): the learning rate found for a narrow model is right for wide ones.
 *
 * With r_in and r_out the inputs and outputs of a matrix as multiples of the base model's, in the form that covers all roles at once (Yang,
 * Simon & Bernstein 2023, a spectral condition for feature learning):
 *
 *   deviation of first values  σ_base · 1/√r_in · min(1, √(r_out/r_in))
 *   learning rate  Adam and its like 1/r_in · gradient descent r_out/r_in · orthogonalised steps √(r_out/r_in)
 *   attention scores  √d_base/d instead of 1/√d        what the head reads  1/r
 *
 * Tables of tokens and vectors have r_in = 1. The head (and a table that is also the head) keeps its deviation and, under Adam, its rate,
 * because what it reads is divided by r (table 8 there, which also works for a shared table). With L the depth as a multiple of the base's,
 * blocks add 1/√L of what they compute, and Adam's rate within them is divided by √L (Yang et al. 2023, Tensor Programs VI).
 *
 * At the base width, without the two zeros and with the same first values, it is the standard parametrisation. Wide models are therefore no
 * better tuned than the base model is. Where that begins is a default of its own here: the 0.02 of GPT-2 suits widths near 1,000, and in a
 * narrow base model embeddings of 0.02 drown in the first updates, whatever the width of the model that follows it.
 */
import type { Config, SettingSpec } from '../../../../preload/contract/settings.ts';
import type { DerivedDefault } from '../../kind.ts';
import { defineParametrization } from './parametrization.ts';
import type { Grown } from '../model.ts';

const isHead = ({ role }: Grown): boolean => role === 'head';

/** Parameters that make queries stand in a scope of that name. */
const makesQueries = ({ name, role }: Grown): boolean => role === 'matrix' && /(^|\.)query\.weight$/u.test(name);

function deviation(parameter: Grown, c: Config): number {
  const { inputs, outputs } = parameter;
  const ratio = Math.sqrt(outputs / inputs);
  if (isHead(parameter)) return c['model.zero_head'] === true ? 0 : 1;
  if (makesQueries(parameter) && c['model.zero_query'] === true) return 0;
  // More rows in a table are more words, not more terms in a sum.
  if (parameter.role === 'embedding') return 1;
  // The same power of the width on both sides of the base.
  const wider = inputs + outputs >= 2;
  return (wider ? Math.min(1, ratio) : Math.max(1, ratio)) / Math.sqrt(inputs);
}

const zero = (name: string, help: string): SettingSpec => ({
  name,
  type: { kind: 'bool' },
  default: true,
  help,
  question: 'stability',
  touches: ['stability'],
  plan: 'none',
});

/**
 * First values for a base model of any width: matrices of about half of 1/√inputs, as in a GPT-2; embeddings of more than what the first
 * updates add at usual rates, though less where a table that is also the head would begin with large logits.
 */
const firstValuesOfBase: readonly DerivedDefault[] = [
  {
    setting: 'model.init_std',
    rule: '0.64 / √model.base_width with mup',
    value: (c) => Number((0.64 / Math.sqrt(c['model.base_width'] as number)).toPrecision(3)),
  },
  {
    setting: 'model.embedding_std',
    rule: '0.1 with mup, or 1.6 / √model.base_width where that is less',
    value: (c) => Math.min(0.1, Number((1.6 / Math.sqrt(c['model.base_width'] as number)).toPrecision(3))),
  },
];

export const mup = defineParametrization({
  name: 'mup',
  help: 'Maximal update: tune at model.base_width, and keep what was found for every other width, the learning rate above all.',
  settings: [
    {
      name: 'model.base_width',
      type: { kind: 'int', min: 1, max: 65536 },
      default: 128,
      help: 'Width at which rate and first values were tuned (mup): all widths learn as this one does, so a badly tuned base is bad for all.',
      question: 'stability',
      touches: ['stability'],
    },
    {
      name: 'model.base_depth',
      type: { kind: 'int', min: 0, max: 1024 },
      default: 0,
      unit: 'layers',
      help: 'Depth at which the learning rate was tuned (mup): deeper models add less per block. 0: depth changes nothing.',
      auto: 'model.depth',
      question: 'stability',
      touches: ['stability'],
    },
    {
      ...zero('model.zero_head', 'The output head begins at zero (mup): the first loss is the same for every width.'),
      when: '!model.tied',
    },
    zero('model.zero_query', 'Queries begin at zero (mup): attention starts even for every width.'),
    {
      ...zero(
        'model.scale_decay',
        'Weight decay grows as the learning rate of a matrix shrinks (mup), so that a step forgets the same share at every width.',
      ),
      when: 'optimizer.weight_decay > 0',
    },
  ],
  derived: firstValuesOfBase,
  base: (c) => ({ width: c['model.base_width'] as number, depth: c['model.base_depth'] as number }),
  deviation,
  rate: (parameter, step) => {
    const { inputs, outputs, depth } = parameter;
    // Gradients within a branch are already 1/√depth as large.
    const deep = step === 'gradient' ? 1 : 1 / Math.sqrt(depth);
    if (parameter.role === 'embedding' || isHead(parameter)) {
      const width = isHead(parameter) ? inputs : outputs;
      return { element: 1, gradient: width, spectrum: Math.sqrt(width) }[step];
    }
    return deep * { element: 1 / inputs, gradient: outputs / inputs, spectrum: Math.sqrt(outputs / inputs) }[step];
  },
  decay: (rate, c) => (c['model.scale_decay'] === true ? 1 / rate : 1),
  scores: (headSize) => 1 / Math.sqrt(headSize),
  readout: (width) => 1 / width,
  branch: (depth) => 1 / Math.sqrt(depth),
});
