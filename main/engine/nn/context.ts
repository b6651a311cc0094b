/** Builds a model's graph: hands out parameters as state leaves and keeps the list of them. */
import { attention, cast, dropout, fill, input, sparseAttention, state } from '../graph/ops/index.ts';
import type { AttentionOptions } from '../graph/ops/index.ts';
import * as ops from '../graph/ops/index.ts';
import { newGraph, ShapeError } from '../graph/operation.ts';
import { sameShape } from '../graph/value.ts';
import type { Graph, Shape, Value } from '../graph/value.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { DeclarationError } from '../kind.ts';
import type { AttentionKind, AttentionUse } from './attention/attention.ts';
import type {
  AttentionParts,
  AttentionPlace,
  ModelContext,
  ModelKind,
  ModelOutput,
  ParameterOptions,
  ParameterSpec,
} from './model.ts';
import { scalingOf } from './parametrization/scaling.ts';
import type { Parametrization } from './parametrization/parametrization.ts';
import { computeType, masterType, policyOf, productType } from './precision.ts';
import type { PrecisionPolicy } from './precision.ts';

/** An attention and its settings. */
export interface ChosenAttention {
  readonly kind: AttentionKind;
  readonly settings: Config;
}

/** The weights to compute with in place of a parameter, f32 of its shape; undefined: the parameter itself. */
export type ReadWeights = (graph: Graph, name: string, shape: Shape) => Value | undefined;

export interface BuildOptions {
  readonly model: ModelKind;
  /** For models that take one. */
  readonly attention?: ChosenAttention | undefined;
  readonly config: Config;
  readonly policy: PrecisionPolicy;
  readonly vocabularySize: number;
  readonly rows: number;
  readonly context: number;
  /** Of the sequences that the model is for; as long as these unless given. */
  readonly longest?: number | undefined;
  readonly training: boolean;
  readonly keyMasked: boolean;
  /** How first values, rates and factors follow from the size; as the model says unless given. */
  readonly parametrization?: Parametrization | undefined;
  /** For what does not train: other weights than those that are trained. */
  readonly read?: ReadWeights | undefined;
  /** Whether documents share rows and must not see each other. */
  readonly documentMasked?: boolean;
}

export interface BuiltModel {
  readonly graph: Graph;
  readonly tokens: Value;
  /** u8 [rows, context]: 0 at padding; undefined where batches hold none. */
  readonly keyMask: Value | undefined;
  readonly output: ModelOutput;
  readonly parameters: readonly ParameterSpec[];
  /** What the output layer multiplies with: `output.head`, or its 16-bit copy. */
  readonly head: Value;
  readonly vocabularySize: number;
  /** Where the model attends, in the order of building. */
  readonly attentions: readonly AttentionUse[];
  /** Each leaf through which computation reads a parameter, and the parameter's name. A tied table is read through two. */
  readonly leaves: ReadonlyMap<Value, string>;
  /** Head sizes of its attentions, in the order in which they were built. */
  readonly headSizes: readonly number[];
}

/** Name of the state that holds the 16-bit copy of a parameter. */
export const workingName = (parameter: string, dtype: string): string => `${parameter}:${dtype}`;

/** Runs the model's `build` on a new graph. */
export function buildModel(options: BuildOptions): BuiltModel {
  const graph = newGraph();
  const { rows, context, policy } = options;
  const tokens = input(graph, 'tokens', [rows, context], 'i32');
  const keyMask = options.keyMasked ? input(graph, 'keyMask', [rows, context], 'u8') : undefined;
  const starts = options.documentMasked === true ? input(graph, 'starts', [rows, context], 'i32') : undefined;
  const key = options.training ? input(graph, 'key', [4], 'i32') : fill(graph, [4], 0, 'i32');
  const specs = new Map<string, ParameterSpec>();
  const leaves = new Map<string, Value>();
  const attentions: AttentionUse[] = [];
  let streams = 0;
  const scaling = scalingOf(options.parametrization);

  function parameter(name: string, shape: Shape, { initial, role, part }: ParameterOptions): Value {
    const full = graph.scope === '' ? name : `${graph.scope}.${name}`;
    const known = specs.get(full);
    if (known !== undefined) {
      if (!sameShape(known.shape, shape))
        throw new ShapeError(`parameter ${full} is declared as [${known.shape}] and as [${shape}]`);
      return leaves.get(full)!;
    }
    const spec = { name: full, shape: [...shape], initial, role, part, scope: graph.scope };
    specs.set(full, scaling.parameter(spec));
    const dtype = computeType(policy, role);
    const stored = masterType(policy, role);
    const other = options.read?.(graph, full, shape);
    const leaf =
      other === undefined
        ? state(graph, dtype === stored ? full : workingName(full, dtype), shape, dtype)
        : cast(other, dtype);
    leaves.set(full, leaf);
    return leaf;
  }

  const m: ModelContext = {
    config: options.config,
    graph,
    ops,
    vocabularySize: options.vocabularySize,
    computeType: productType(policy),
    rows,
    context,
    longest: options.longest ?? context,
    training: options.training,
    tokens,
    keyMask,
    starts,
    key,
    parameter,
    within: (scope, build) => graph.within(scope, build),
    dropout: (x, rate) => (options.training && rate > 0 ? dropout(x, key, rate, streams++) : x),
    nextStream: () => streams++,
    attend: (parts, settings, place) => {
      const [, , kvHeads, size] = parts.k.shape as [number, number, number, number];
      const cached = parts.cached ?? kvHeads * (size + parts.v.shape[3]!);
      attentions.push({ ...place, heads: parts.q.shape[2]!, length: context, cached });
      return attend(m, options, parts, scaling.scores(parts.q, settings), place);
    },
    branch: (layers, build) => scaling.branch(layers, build),
    initialDepth: (layers) => scaling.initialDepth(layers),
  };
  const given = options.model.build(m);
  const output = { ...given, hidden: scaling.readout(given.hidden) };
  const names = new Map([...leaves].map(([name, leaf]) => [leaf, name]));
  const head = workingHead(output.head, names, options);
  return {
    graph,
    tokens,
    keyMask,
    output,
    head,
    vocabularySize: options.vocabularySize,
    parameters: [...specs.values()],
    attentions,
    leaves: names,
    headSizes: scaling.headSizes,
  };
}

/** The chosen attention on these queries, keys and values. */
function attend(
  m: ModelContext,
  { attention: chosen, model }: BuildOptions,
  parts: AttentionParts,
  options: AttentionOptions,
  place: AttentionPlace,
): Value {
  if (chosen === undefined)
    throw new DeclarationError(`model ${model.name}: attend needs \`uses: ['attention']\` in its definition`);
  const { kind, settings } = chosen;
  const masked = { keyMask: m.keyMask, ...(m.starts === undefined ? {} : { starts: m.starts }), ...options };
  if (kind.attend !== undefined) return kind.attend(m, parts, masked, settings, place);
  const mask = kind.mask!(settings, place);
  if ('pattern' in mask) return sparseAttention(parts.q, parts.k, parts.v, { ...masked, pattern: mask.pattern });
  const { window } = mask;
  if (!(Number.isInteger(window) && window >= 0))
    throw new DeclarationError(`attention ${kind.name}: mask gives window ${String(window)}; allowed: 0 and above`);
  return attention(parts.q, parts.k, parts.v, { ...masked, causal: true, window });
}

/** The 16-bit copy of an embedding table that is also the output layer: products read 16 bits, look-ups the table itself. */
function workingHead(head: Value, names: Map<Value, string>, { policy, read }: BuildOptions): Value {
  const name = names.get(head);
  if (name === undefined || policy.working === undefined || head.dtype === policy.working) return head;
  if (read?.(head.graph, name, head.shape) !== undefined) return cast(head, policy.working);
  const copy = state(head.graph, workingName(name, policy.working), head.shape, policy.working);
  names.set(copy, name);
  return copy;
}

/** The names of all settings that a model reads while it is built under this configuration, for training or evaluation. */
export function readsOf(build: ModelKind['build'], config: Config): ReadonlySet<string> {
  const read = new Set<string>();
  const recorded = new Proxy(config, {
    get: (target, name: string) => {
      read.add(name);
      return target[name];
    },
  });
  const model = { ...RECORDED, build };
  const shape = { vocabularySize: 257, rows: 1, context: config['model.context'] as number, keyMasked: false };
  for (const training of [true, false])
    buildModel({ ...shape, model, config: recorded, policy: policyOf('fp32'), training });
  return read;
}

const RECORDED: ModelKind = { family: 'model', name: 'recorded', help: '', build: () => ({}) as ModelOutput };
