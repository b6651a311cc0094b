/** The parametrisations, in the order in which they are offered. */
import type { Family } from '../../kind.ts';
import { mup } from './mup.ts';
import type { ParametrizationKind } from './parametrization.ts';
import { parametrizationSettings } from './shared.settings.ts';
import { standard } from './standard.ts';

export const parametrizationFamily: Family<ParametrizationKind> = {
  name: 'parametrization',
  setting: 'model.parametrization',
  shared: parametrizationSettings,
  kinds: [standard, mup],
};
