/** What a model is, and what it is built with. Plug-ins define models with these same types. */
import type { Config } from '../../../preload/contract/settings.ts';
import type * as operations from '../graph/ops/index.ts';
import type { AttentionOptions } from '../graph/ops/index.ts';
import type { DType, Graph, Shape, Value } from '../graph/value.ts';
import { definer } from '../kind.ts';
import type { Kind, Kinds } from '../kind.ts';

/** Distribution that a parameter starts from. */
export type Initial =
  | { readonly kind: 'normal'; readonly std: number }
  /** Uniform in [least, limit], where least is −limit unless given. */
  | { readonly kind: 'uniform'; readonly limit: number; readonly least?: number }
  | { readonly kind: 'constant'; readonly value: number }
  /** Given element by element, row-major. */
  | { readonly kind: 'values'; readonly values: readonly number[] };

/**
 * What a parameter is for the optimizer and the precision policy: `vector` covers gains, biases and slopes, which are never decayed
 * nor held in 16 bits.
 */
export type ParameterRole = 'matrix' | 'embedding' | 'head' | 'vector';

/** What a parameter is for beyond its role, where groups of the optimizer can name it: `position` says where tokens stand. */
export type ParameterPart = 'position';

/** A parameter beside the same one of the base model. */
export interface Grown {
  readonly name: string;
  readonly role: ParameterRole;
  /** Numbers that each of its results is a sum over, as a multiple of the base model's; 1 for vectors. */
  readonly inputs: number;
  /** Its results, as a multiple of the base model's. */
  readonly outputs: number;
  /** Layers, as a multiple of the base model's, for parameters within a branch (see `branch` of a model's context); else 1. */
  readonly depth: number;
}

export interface ParameterSpec {
  /** Name in checkpoints, for example `block.0.attention.query.weight`. */
  readonly name: string;
  readonly shape: Shape;
  readonly initial: Initial;
  readonly role: ParameterRole;
  /** Scope in which it was declared, for breakdowns by layer. */
  readonly scope: string;
  readonly part?: ParameterPart | undefined;
  /** How it has grown from the base model of the parametrisation, where there is one. */
  readonly grown?: Grown;
}

export interface ParameterOptions {
  readonly initial: Initial;
  readonly role: ParameterRole;
  readonly part?: ParameterPart;
}

/** Where in a model an attention stands. */
export interface AttentionPlace {
  /** From 0. */
  readonly layer: number;
  readonly layers: number;
}

/** Queries [rows, length, heads, size], keys and values [rows, length, kv heads, size], and the stream that they were made from. */
export interface AttentionParts {
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
  /** [rows, length, width]: for kinds that score tokens. */
  readonly x: Value;
  /** Numbers of each token that writing a text has to keep; its keys and values unless given. */
  readonly cached?: number | undefined;
}

/** Everything that a model may use while it builds its graph. */
export interface ModelContext {
  readonly config: Config;
  readonly graph: Graph;
  readonly ops: typeof operations;
  readonly vocabularySize: number;
  /** Sequences in the batch. */
  readonly rows: number;
  /** Tokens per sequence of this program. */
  readonly context: number;
  /** Tokens of the longest sequences, `model.context`: what the shape of a parameter may depend on. Training may begin with shorter ones. */
  readonly longest: number;
  /** False for evaluation and sampling: no dropout. */
  readonly training: boolean;
  /**
   * Type in which matrix products take their inputs under the precision policy; norms give it. The residual stream itself keeps the type of the
   * embeddings, which is 32 bits unless the policy holds the parameters themselves in 16.
   */
  readonly computeType: DType;
  /** i32 [rows, context]. */
  readonly tokens: Value;
  /** u8 [rows, context], 0 for padding; absent when sequences are never padded. */
  readonly keyMask: Value | undefined;
  /** i32 [rows, context]: where the document of each token begins in its row; absent where attention may cross documents. */
  readonly starts: Value | undefined;
  /** Random key i32 [4] of the step; a zero key outside training. */
  readonly key: Value;
  /**
   * Declares a parameter under the current scope and returns it in the type that computation uses. Declaring the same name again
   * returns the same parameter (weight tying).
   */
  parameter(name: string, shape: Shape, options: ParameterOptions): Value;
  /** Runs `build` inside a named scope: names of parameters and breakdowns follow it. */
  within<T>(scope: string, build: () => T): T;
  /** Drops each element with probability `rate` during training; every call is an independent stream. */
  dropout(x: Value, rate: number): Value;
  /** A stream number for operations that draw random numbers themselves (attention dropout). */
  nextStream(): number;
  /**
   * Mixes values by the chosen attention (`attention.kind`), for models that list `uses: ['attention']`. Padding and other documents are
   * masked.
   * Returns [rows, context, heads, size].
   */
  attend(parts: AttentionParts, options: AttentionOptions, place: AttentionPlace): Value;
  /**
   * What a part of a block adds to the residual stream, in a model of so many layers. Some parametrisations shrink it for deep models, and
   * the learning rate of the parameters that `build` declares with it.
   */
  branch(layers: number, build: () => Value): Value;
  /** The depth for which first values are chosen, in a model of so many layers: less than that where the parametrisation shrinks branches. */
  initialDepth(layers: number): number;
}

export interface ModelOutput {
  /** [rows, context, width]: what the output layer reads. */
  readonly hidden: Value;
  /** [vocabulary, width]. Rows beyond the vocabulary are cut off: they stand for no token and get no probability. */
  readonly head: Value;
  /** c of the soft-cap c·tanh(logit/c); 0 or absent for none. */
  readonly softcap?: number;
  /** f32 [vocabulary]: added to the logits before the soft-cap. */
  readonly headBias?: Value;
  /** f32 []: a loss of the model's own, summed over the tokens of a micro-batch; training adds it to that of the tokens. */
  readonly auxiliary?: Value;
  /** f32 []: numbers of a training micro-batch that metrics may show, by name. */
  readonly measures?: Readonly<Record<string, Value>>;
}

export interface ModelKind extends Kind {
  /** Adds the model to the graph of `context`; called for training, evaluation and sampling. */
  build(context: ModelContext): ModelOutput;
  /** The same model at another width; it sets `model.width` unless given. Parametrisations compare widths. */
  atWidth?(config: Config, width: number): Config;
  /** Settings that the model sees only through what `of` returns: configurations with equal results are the same model. */
  readonly identity?: { readonly settings: readonly string[]; of(config: Config, kinds: Kinds): string };
}

export const defineModel = definer<ModelKind>('model', ['build']);
