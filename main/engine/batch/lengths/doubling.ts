/** Length 2^k · start from k · every on, up to the context (hlb-gpt: 32, doubled every 80 steps). */
import type { Config } from '../../../../preload/contract/settings.ts';
import { onlyOne } from '../../../../preload/shared/settings/onlyOne.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import type { Milestone } from '../milestones.ts';
import { defineLength } from './length.ts';

const START = 'batch.length_start';
const STEPS = 'batch.length_every_steps';
const TOKENS = 'batch.length_every_tokens';
const number = (config: Config, name: string): number => config[name] as number;

export const doubling = defineLength({
  name: 'doubling',
  help: 'Sequences begin short and double at even distances up to model.context: early steps, which learn what is near, cost less.',
  settings: [
    {
      name: START,
      type: { kind: 'int', min: 1, max: 1048576 },
      default: 32,
      unit: 'tokens',
      help: 'Length of the first sequences.',
      question: 'stability',
      touches: ['memory', 'time', 'stability'],
      plan: 'none',
    },
    {
      name: STEPS,
      type: { kind: 'int', min: 0 },
      default: 80,
      unit: 'steps',
      help: 'Optimizer steps between two doublings; 0 with batch.length_every_tokens.',
      question: 'stability',
      touches: ['memory', 'time', 'stability'],
      plan: 'none',
    },
    {
      name: TOKENS,
      type: { kind: 'int', min: 0 },
      default: 0,
      unit: 'tokens',
      help: 'Training tokens between two doublings, whatever the batch; give this or batch.length_every_steps.',
      question: 'stability',
      touches: ['time', 'stability'],
      plan: 'none',
    },
  ],
  derived: [
    {
      setting: STEPS,
      rule: '0 where batch.length_every_tokens is set',
      value: (config) => (number(config, TOKENS) > 0 ? 0 : undefined),
    },
  ],
  rules: [
    {
      code: 'batch.length_start_in_context',
      settings: [START, 'model.context'],
      severity: 'error',
      yields: [START],
      check: (config) => {
        const [start, context] = [number(config, START), number(config, 'model.context')];
        return start <= context ? null : problem(START, start, `at most model.context ${context}`, context);
      },
    },
    onlyOne('batch.length_one_distance', STEPS, TOKENS),
    {
      code: 'batch.length_no_distance',
      settings: [STEPS, TOKENS],
      severity: 'error',
      check: (config) =>
        number(config, STEPS) > 0 || number(config, TOKENS) > 0
          ? null
          : problem(STEPS, 0, `at least 1, or ${TOKENS} above 0`, 80),
    },
  ],
  lengths(c, context) {
    const [steps, tokens] = [number(c, STEPS), number(c, TOKENS)];
    const every = tokens > 0 ? tokens : steps;
    const list: Milestone[] = [{ from: 0, value: Math.min(number(c, START), context) }];
    while (list.at(-1)!.value < context)
      list.push({ from: list.length * every, value: Math.min(2 * list.at(-1)!.value, context) });
    return { unit: tokens > 0 ? 'tokens' : 'steps', list };
  },
});
