/**
 * What a parametrisation is: a kind that says how first values, learning rates and factors change where a model is wider or deeper than one
 * whose settings are known to be good. Nothing is asked of a model but its shapes: what grows is found by building the smaller model beside
 * it and comparing parameter by parameter.
 */
import type { Config } from '../../../../preload/contract/settings.ts';
import type { UpdateRule } from '../../graph/ops/index.ts';
import type { Shape } from '../../graph/value.ts';
import { definer } from '../../kind.ts';
import type { Kind } from '../../kind.ts';
import type { Grown, Initial, ParameterRole } from '../model.ts';

/** The model that others are compared with. */
export interface Base {
  readonly width: number;
  /** Layers; 0 for as many as the model itself has. */
  readonly depth: number;
}

/** All functions get ratios to the base model; what is not given stays as the model says. */
export interface ParametrizationKind extends Kind {
  /** Without one nothing changes. */
  base?(c: Config): Base;
  /** Factor on the deviation of first values, which are those of the base model; 0 begins at zero. */
  deviation?(parameter: Grown, c: Config): number;
  /** Factor on the learning rate under a rule whose steps have this size. */
  rate?(parameter: Grown, step: NonNullable<UpdateRule['step']>, c: Config): number;
  /** Factor on the weight decay of a parameter with this factor on its learning rate. */
  decay?(rate: number, c: Config): number;
  /** Factor on attention scores whose heads are so many times as large. */
  scores?(headSize: number, c: Config): number;
  /** Factor on what the head reads, for a width so many times as large. */
  readout?(width: number, c: Config): number;
  /** Factor on what a block adds to the stream, for so many times as many layers. */
  branch?(depth: number, c: Config): number;
}

export const defineParametrization = definer<ParametrizationKind>('parametrization', []);

/** A parameter as the base model has it. */
export interface BaseParameter {
  readonly shape: Shape;
  readonly initial: Initial;
}

/** What of the base model matters. */
export interface BaseModel {
  readonly parameters: ReadonlyMap<string, BaseParameter>;
  /** Head sizes of its attentions, in the order in which they were built. */
  readonly headSizes: readonly number[];
  /** Width of what the head reads. */
  readonly width: number;
  /** Layers; 0 for as many as the model itself. */
  readonly depth: number;
}

/** A parametrisation in use. */
export interface Parametrization {
  readonly kind: ParametrizationKind;
  readonly settings: Config;
  readonly base: BaseModel;
}

/** Outputs and inputs of a parameter: tables are read by rows, all others multiply from the left. */
function sides(shape: Shape, role: ParameterRole): { readonly outputs: number; readonly inputs: number } {
  const last = shape.at(-1)!;
  if (role === 'vector' || shape.length < 2) return { outputs: last, inputs: 1 };
  const other = shape.at(-2)!;
  return role === 'embedding' ? { outputs: last, inputs: other } : { outputs: other, inputs: last };
}

/** How a parameter has grown. One that the base model lacks has not. */
export function grown(
  base: BaseModel,
  parameter: { readonly name: string; readonly shape: Shape; readonly role: ParameterRole },
  depth: number,
): Grown {
  const { name, shape, role } = parameter;
  const own = sides(shape, role);
  const there = sides(base.parameters.get(name)?.shape ?? shape, role);
  return { name, role, inputs: own.inputs / there.inputs, outputs: own.outputs / there.outputs, depth };
}

/** First values: those of the base model with their deviation changed. What is no deviation stays as the model has it. */
export function firstValues(given: Initial, base: Initial | undefined, factor: number): Initial {
  if (given.kind !== 'normal' && given.kind !== 'uniform') return given;
  if (factor === 0) return { kind: 'constant', value: 0 };
  const from = base === undefined || base.kind !== given.kind ? given : base;
  if (factor === 1) return from;
  if (from.kind === 'normal') return { kind: 'normal', std: from.std * factor };
  if (from.kind !== 'uniform') return given;
  // The middle of the range stays: only how far values lie from it changes.
  const { limit, least = -limit } = from;
  const [middle, half] = [(limit + least) / 2, ((limit - least) / 2) * factor];
  return { kind: 'uniform', limit: middle + half, least: middle - half };
}
