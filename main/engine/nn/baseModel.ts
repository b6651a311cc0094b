/** The base model of a configuration: built as the model itself is, at another width. */
import type { Config } from '../../../preload/contract/settings.ts';
import type { Kinds } from '../kind.ts';
import { buildModel } from './context.ts';
import type { BuildOptions } from './context.ts';
import type { ModelKind } from './model.ts';
import { atWidth } from './parametrization/atWidth.ts';
import { parametrizationFamily } from './parametrization/index.ts';
import type { Parametrization, ParametrizationKind } from './parametrization/parametrization.ts';

/** Only says for which depth first values are chosen. */
const NONE: ParametrizationKind = { family: 'parametrization', name: 'none', help: '' };

/**
 * The parametrisation that a configuration chooses, with its base model. Undefined where it changes nothing.
 *
 * @param build what the model is built with, beside settings and size
 * @throws what the model throws that cannot be as wide as its base
 */
export function parametrizationOf(
  kinds: Kinds,
  model: ModelKind,
  config: Config,
  build: (config: Config) => Omit<BuildOptions, 'rows' | 'training' | 'model'>,
): Parametrization | undefined {
  const kind = kinds.of(parametrizationFamily, config);
  const settings = kinds.view(kind, config);
  const base = kind.base?.(settings);
  if (base === undefined) return undefined;
  const { parameters, headSizes, output } = buildModel({
    ...build(atWidth(model, config, base.width)),
    model,
    rows: 1,
    training: false,
    parametrization: {
      kind: NONE,
      settings,
      base: { parameters: new Map(), headSizes: [], width: 0, depth: base.depth },
    },
  });
  return {
    kind,
    settings,
    base: {
      parameters: new Map(parameters.map((parameter) => [parameter.name, parameter])),
      headSizes,
      width: output.hidden.shape.at(-1)!,
      depth: base.depth,
    },
  };
}
