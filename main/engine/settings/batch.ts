/** How many sequences are computed at once. How many a step sees is in `batch/`. */
import type { Config, SettingSpec } from '../../../preload/contract/settings.ts';
import type { Rule } from '../../../preload/shared/settings/rules.ts';
import { problem } from '../../../preload/shared/settings/values.ts';
import { BatchPlan } from '../batch/plan.ts';
import type { Common } from '../kind.ts';

/**
 * Tokens of a step on the average over the run, as far as settings say: those of every step where the batch does not change. For rules, which
 * see no kinds of plug-ins: such a batch counts by `batch.sequences`.
 */
export function tokensPerStep(config: Config): number {
  let plan: BatchPlan;
  try {
    plan = new BatchPlan(config);
  } catch {
    return (config['batch.sequences'] as number) * (config['model.context'] as number);
  }
  const stages = plan.stages();
  const last = stages.at(-1)!;
  const steps = config['stop.steps'] as number;
  if (stages.length === 1 || steps === 0) return last.sequences * last.length;
  const tokens = stages.reduce((sum, { from, sequences, length, ...stage }) => {
    const made = Math.min(stage.steps, Math.max(0, steps - from.step));
    return made > 0 ? sum + made * sequences * length : sum;
  }, 0);
  return tokens / steps;
}

/** Sequences of the whole context that are computed at once where batch.micro leaves it open; 0 where that is not one number. */
const WHOLE =
  'batch.micro_tokens > 0 ? max(1, floor(batch.micro_tokens / model.context)) : batch.kind == "sequences" ? batch.sequences : ' +
  'batch.kind == "tokens" ? max(1, floor(batch.tokens / model.context)) : 0';
/** Sequences of the whole context that are computed at once. */
export const AT_ONCE = `batch.micro > 0 ? batch.micro : (${WHOLE})`;

const settings: readonly SettingSpec[] = [
  {
    name: 'batch.micro',
    type: { kind: 'int', min: 0, max: 1048576 },
    default: 0,
    unit: 'sequences',
    help: 'Sequences computed at once (micro-batch), a divisor of batch.sequences; 0 means all. Smaller needs less memory; same result, but that dropout drops other values.',
    auto: WHOLE,
    question: 'memory',
    touches: ['memory', 'time'],
    plan: 'none',
  },
  {
    name: 'batch.micro_tokens',
    type: { kind: 'int', min: 0, max: 2 ** 40 },
    default: 0,
    unit: 'tokens',
    help: 'Tokens computed at once at most, instead of batch.micro: of short sequences more are computed at once. 0 is off. Same result.',
    question: 'memory',
    touches: ['memory', 'time'],
    plan: 'none',
  },
];

const rules: readonly Rule[] = [
  {
    code: 'batch.one_micro',
    settings: ['batch.micro', 'batch.micro_tokens'],
    severity: 'error',
    yields: ['batch.micro', 'batch.micro_tokens'],
    check: (config) => {
      const [rows, tokens] = [config['batch.micro'] as number, config['batch.micro_tokens'] as number];
      if (rows === 0 || tokens === 0) return null;
      const other = { setting: 'batch.micro', value: rows, nearest: 0 };
      const why = `batch.micro is ${rows} too`;
      return problem('batch.micro_tokens', tokens, 'one of batch.micro and batch.micro_tokens, the other 0', 0, why, [
        other,
      ]);
    },
  },
];

export const batchSettings: Common = { settings, rules };
