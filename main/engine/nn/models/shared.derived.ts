/** Derived defaults that several models have. */
import type { DerivedDefault } from '../../kind.ts';

/** For models that take an attention. */
export const windowWhereSet: DerivedDefault = {
  setting: 'attention.kind',
  rule: 'window where model.window is set',
  value: (config) => ((config['model.window'] as number) > 0 ? 'window' : undefined),
};
