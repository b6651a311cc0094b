/** The rule of every model under a parametrisation with a base: the base model must be possible too. */
import type { Config } from '../../../../preload/contract/settings.ts';
import { nearestWhere } from '../../../../preload/shared/settings/arithmetic.ts';
import type { Rule } from '../../../../preload/shared/settings/rules.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import type { ModelKind } from '../model.ts';
import { atWidth } from '../parametrization/atWidth.ts';
import { mup } from '../parametrization/mup.ts';

const BASE = 'model.base_width';

/** How far from the one that is given a width is looked for. */
const FARTHEST = 4096;

/** What a model's own rules say against a configuration, if anything. */
function firstProblem({ rules = [] }: ModelKind, config: Config) {
  for (const { severity, check } of rules) {
    const found = severity === 'error' ? check(config) : null;
    if (found !== null) return found;
  }
  return undefined;
}

export const baseWidthFits = (model: ModelKind): Rule => ({
  code: BASE,
  settings: ['model.parametrization', BASE, 'model.heads', 'model.head_size', 'model.positions'],
  severity: 'error',
  yields: [BASE],
  check: (config) => {
    if (config['model.parametrization'] !== mup.name || firstProblem(model, config) !== undefined) return null;
    const width = config[BASE] as number;
    const wrong = (candidate: number) => firstProblem(model, atWidth(model, config, candidate));
    const found = wrong(width);
    if (found === undefined) return null;
    const nearest = nearestWhere(width, 1, width + FARTHEST, (candidate) => wrong(candidate) === undefined);
    const why = found.why ?? found.message;
    return problem(BASE, width, 'a width at which this model is possible', nearest, `at that width ${why}`);
  },
});
