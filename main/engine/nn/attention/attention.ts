/** What an attention is: a kind that says which tokens a token sees, or mixes values in a way of its own. */
import type { Config } from '../../../../preload/contract/settings.ts';
import { mostKeys } from '../../graph/ops/index.ts';
import type { AttentionOptions, SparsePattern } from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import { DeclarationError, definer } from '../../kind.ts';
import type { Declared, Kind } from '../../kind.ts';
import type { AttentionParts, AttentionPlace, ModelContext } from '../model.ts';

/** Which tokens a token sees. Never a later one: models are scored on the next token. */
export type AttentionMask =
  | {
      /** Itself and the tokens before it, at most so many; 0 for all before it. Computing, memory and time follow. */
      readonly window: number;
    }
  | {
      /** Few of them, head by head; what is not seen is not computed. */
      readonly pattern: SparsePattern;
    };

/** An attention as a model uses it. */
export interface AttentionUse extends AttentionPlace {
  readonly heads: number;
  /** Tokens of a sequence. */
  readonly length: number;
  /** Numbers of each token that writing a text has to keep for the tokens after it. */
  readonly cached: number;
}

export interface AttentionKind extends Kind {
  mask?(c: Config, place: AttentionPlace): AttentionMask;
  /**
   * Kinds that are more than a mask mix values themselves, with operations: → [rows, length, heads, size]. `options` are those of the
   * model (soft-cap, dropout, padding). No row may depend on a later one.
   */
  attend?(m: ModelContext, parts: AttentionParts, options: AttentionOptions, c: Config, place: AttentionPlace): Value;
  /** What the plan says of it beside memory and time, a sentence each; `uses` are those of the model, from its first layer. */
  notes?(c: Config, uses: readonly AttentionUse[]): readonly string[];
}

/** Tokens that one sees at most, itself included, on the average of the heads. */
export function tokensSeen(mask: AttentionMask | undefined, heads: number, length: number): number {
  if (mask !== undefined && 'pattern' in mask) return mostKeys(mask.pattern, heads, length) / heads;
  return Math.min(mask?.window || length, length);
}

const define = definer<AttentionKind>('attention', []);

export function defineAttention(kind: Declared<AttentionKind>): AttentionKind {
  const [mask, attend] = [kind.mask, kind.attend];
  if (typeof mask !== 'function' && typeof attend !== 'function')
    throw new DeclarationError(`attention ${String(kind.name)}: needs mask or attend, a function`);
  return define(kind);
}
