/** Applies a parametrisation while a model is built. */
import { mul, scalar } from '../../graph/ops/index.ts';
import type { AttentionOptions } from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import type { ParameterSpec } from '../model.ts';
import { firstValues, grown } from './parametrization.ts';
import type { Parametrization } from './parametrization.ts';

/** What the builder of a model asks. */
export interface Scaling {
  /** A parameter as it begins, and how it has grown. */
  parameter(spec: ParameterSpec): ParameterSpec;
  /** Options of an attention with these queries [.., heads, size]; called in the order in which attentions are built. */
  scores(q: Value, options: AttentionOptions): AttentionOptions;
  /** [.., width]: what the head reads. */
  readout(hidden: Value): Value;
  branch(layers: number, build: () => Value): Value;
  initialDepth(layers: number): number;
  /** Head sizes so far. */
  readonly headSizes: readonly number[];
}

const times = (x: Value, factor: number): Value => (factor === 1 ? x : mul(x, scalar(x, factor)));

/** Changes nothing where there is no base model. */
export function scalingOf(parametrization: Parametrization | undefined): Scaling {
  const headSizes: number[] = [];
  if (parametrization === undefined)
    return {
      parameter: (spec) => spec,
      scores: (q, options) => {
        headSizes.push(q.shape.at(-1)!);
        return options;
      },
      readout: (hidden) => hidden,
      branch: (_, build) => build(),
      initialDepth: (layers) => layers,
      headSizes,
    };
  const { kind, settings, base } = parametrization;
  const depthOf = (layers: number): number => (base.depth > 0 ? layers / base.depth : 1);
  let depth = 1;
  return {
    parameter: (spec) => {
      const growth = grown(base, spec, depth);
      const factor = kind.deviation?.(growth, settings) ?? 1;
      return {
        ...spec,
        grown: growth,
        initial: firstValues(spec.initial, base.parameters.get(spec.name)?.initial, factor),
      };
    },
    scores: (q, options) => {
      const size = q.shape.at(-1)!;
      const there = base.headSizes[headSizes.length] ?? size;
      headSizes.push(size);
      const factor = kind.scores?.(size / there, settings) ?? 1;
      return factor === 1 ? options : { ...options, scale: (options.scale ?? 1 / Math.sqrt(size)) * factor };
    },
    readout: (hidden) => times(hidden, kind.readout?.(hidden.shape.at(-1)! / base.width, settings) ?? 1),
    branch: (layers, build) => {
      const outer = depth;
      depth = depthOf(layers);
      try {
        return times(build(), kind.branch?.(depth, settings) ?? 1);
      } finally {
        depth = outer;
      }
    },
    initialDepth: (layers) => base.depth || layers,
    headSizes,
  };
}
