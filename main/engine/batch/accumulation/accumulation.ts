/** What decides how many batches an optimizer step takes. */
import type { Config } from '../../../../preload/contract/settings.ts';
import { definer } from '../../kind.ts';
import type { Declared, Kind } from '../../kind.ts';

/** A step that has been made. */
export interface AccumulatedStep {
  /** Updates made before it. */
  readonly step: number;
  /** Euclidean norm of its gradient, before clipping. */
  readonly gradNorm: number;
  readonly parameters: number;
}

/** Kinds without these functions take one batch in every step. */
export interface AccumulationKind extends Kind {
  /** The number that a run carries from step to step, after a step that it looks at. It is 0 at first. */
  after?(c: Config, carried: number, step: AccumulatedStep): number;
  /** Whether it looks at the step that `step` updates come before: all of them unless given. Others may still be computed while later ones begin. */
  looksAt?(c: Config, step: number): boolean;
  /** Batches of the step that `step` updates come before, from 1 on. */
  batches?(c: Config, carried: number, at: { readonly step: number; readonly seed: number }): number;
}

const define = definer<AccumulationKind>('accumulation', []);

export function defineAccumulation(kind: Declared<AccumulationKind>): AccumulationKind {
  return define(kind);
}
