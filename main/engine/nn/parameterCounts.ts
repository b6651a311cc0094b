/** How many parameters of a model count, by each rule of `stop.counted_parameters`. A shared parameter counts once. */
import { sizeOf } from '../graph/value.ts';
import { isMatrix } from '../optim/optimizers/optimizer.ts';
import { COUNTED_PARAMETERS } from '../settings/stop.ts';
import type { CountedParameters } from '../settings/stop.ts';
import type { ParameterSpec } from './model.ts';

export type ParameterCounts = Readonly<Record<CountedParameters, number>>;

/** Whether a parameter counts; `isHead` where logits are products with it, be it the table of embeddings too. */
const RULES: Readonly<Record<CountedParameters, (parameter: ParameterSpec, isHead: boolean) => boolean>> = {
  all: () => true,
  without_embeddings: ({ role }, isHead) => isHead || role !== 'embedding',
  without_embeddings_and_head: ({ role }, isHead) => !isHead && role !== 'embedding',
  matrices_and_head: (parameter, isHead) => isHead || isMatrix(parameter),
};

/** @param head name of the parameter that logits are products with, where it is one */
export function parameterCounts(parameters: readonly ParameterSpec[], head: string | undefined): ParameterCounts {
  const count = (rule: CountedParameters): number =>
    parameters
      .filter((each) => RULES[rule](each, each.role === 'head' || each.name === head))
      .reduce((total, { shape }) => total + sizeOf(shape), 0);
  return Object.fromEntries(COUNTED_PARAMETERS.map((rule) => [rule, count(rule)])) as ParameterCounts;
}
