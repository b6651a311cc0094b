/** How many sequences are computed at once. How many a step sees is in `batch/`. */
import type { Config, SettingSpec } from '../../../preload/contract/settings.ts';
import { onlyOne } from '../../../preload/shared/settings/onlyOne.ts';
import type { Rule } from '../../../preload/shared/settings/rules.ts';
import { problem } from '../../../preload/shared/settings/values.ts';
import { BatchPlan } from '../batch/plan.ts';
import type { Common } from '../kind.ts';

/** The batches that settings plan; undefined where they plan none, and of kinds of plug-ins, which rules do not see. */
function planned(config: Config): BatchPlan | undefined {
  try {
    return new BatchPlan(config);
  } catch {
    return undefined;
  }
}

/**
 * Tokens of a step on the average over the run, as far as settings say: those of every step where the batch does not change. For rules, which
 * see no kinds of plug-ins: such a batch counts by `batch.sequences`.
 */
export function tokensPerStep(config: Config): number {
  const plan = planned(config);
  if (plan === undefined) return (config['batch.sequences'] as number) * (config['model.context'] as number);
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
    help: 'Tokens computed at once at most, one sequence or more, instead of batch.micro: of short sequences more are computed at once. 0 is off. Same result.',
    question: 'memory',
    touches: ['memory', 'time'],
    plan: 'none',
  },
];

/** What sequences and batches grow by. */
const GROWTH = [
  'batch.length_start',
  'batch.length_every_steps',
  'batch.length_every_tokens',
  'batch.lengths',
  'batch.lengths_unit',
  'batch.schedule',
  'batch.schedule_unit',
];

/** A growth that is not over when the run is: allowed, but rarely meant. */
const growthReached = (of: 'lengths' | 'sizes', chosenBy: string, counts: string): Rule => ({
  code: `batch.${of}_unreached`,
  settings: [chosenBy, ...GROWTH, 'stop.steps', 'stop.tokens'],
  severity: 'warning',
  check: (config) => {
    const found = planned(config)?.unreached(of);
    if (found === undefined) return null;
    const { unit, list, end } = found;
    const said = list.slice(0, 3).map(({ value, from }) => `${value} from ${from} ${unit} on`);
    if (list.length > said.length) said.push(`${list.length - said.length} more`);
    const why = `the run ends after ${end} ${unit} and never has ${counts} ${said.join(', ')}`;
    return problem(chosenBy, config[chosenBy], `better ${of} that all begin before the end of the run`, undefined, why);
  },
});

const rules: readonly Rule[] = [
  onlyOne('batch.one_micro', 'batch.micro', 'batch.micro_tokens'),
  {
    code: 'batch.micro_tokens_hold_sequence',
    settings: ['batch.micro_tokens', 'model.context', ...GROWTH],
    severity: 'error',
    yields: ['batch.micro_tokens'],
    check: (config) => {
      const tokens = config['batch.micro_tokens'] as number;
      if (tokens === 0) return null;
      const longest = Math.max(0, ...(planned(config)?.shapes() ?? []).map(({ length }) => length));
      if (tokens >= longest) return null;
      const allowed = `at least ${longest}, one sequence at its longest, or 0`;
      return problem('batch.micro_tokens', tokens, allowed, longest);
    },
  },
  growthReached('lengths', 'batch.length', 'sequences of'),
  growthReached('sizes', 'batch.kind', 'batches of'),
];

export const batchSettings: Common = { settings, rules };
