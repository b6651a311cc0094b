/** What an optimizer is: a kind that also says how a parameter moves. Plug-ins define optimizers with the same function. */
import type { Config } from '../../../../preload/contract/settings.ts';
import type { Shape } from '../../graph/value.ts';
import type { UpdateRule } from '../../graph/ops/index.ts';
import { definer } from '../../kind.ts';
import type { Kind } from '../../kind.ts';

/** What a rule may be chosen by. */
export interface UpdatedParameter {
  readonly name: string;
  readonly shape: Shape;
  /** `matrix`, `embedding`, `head` or `vector`. */
  readonly role: string;
}

export interface OptimizerKind extends Kind, UpdateRule {
  /** Another rule for some parameters (matrices by one, the rest by another); itself unless given. */
  ruleFor?(parameter: UpdatedParameter, c: Config): UpdateRule;
  /** The settings with which it keeps fewest numbers per parameter, and how many those are in words; suggested where memory is short. */
  readonly lean?: { readonly settings: Config; readonly words: string };
}

export const defineOptimizer = definer<OptimizerKind>('optimizer', ['moments', 'apply']);

/** Whether a parameter turns vectors into vectors: neither a table nor a gate of a single number. */
export const isMatrix = ({ role, shape }: Pick<UpdatedParameter, 'role' | 'shape'>): boolean =>
  role === 'matrix' && shape.length >= 2 && shape.slice(-2).every((size) => size > 1);

/** The rule that moves a parameter. */
export const ruleOf = (kind: OptimizerKind, parameter: UpdatedParameter, c: Config): UpdateRule =>
  kind.ruleFor?.(parameter, c) ?? kind;
