/** The programs of a training run: accumulate, update, evaluate, generate. */
import { recompute } from '../compile/recompute.ts';
import type { Recomputation } from '../compile/recompute.ts';
import { differentiate } from '../graph/differentiate.ts';
import { costOf } from '../graph/operation.ts';
import {
  add,
  attentionDimensions,
  cast,
  clipScale,
  concat,
  fill,
  gather,
  globalNorm,
  greater,
  input,
  less,
  linear,
  linearCrossEntropy,
  mostKeysOf,
  momentTypeOf,
  mul,
  optimizerUpdate,
  reduceSum,
  reshape,
  scalar,
  select,
  slice,
  state,
  sub,
  tanh,
} from '../graph/ops/index.ts';
import { newGraph } from '../graph/operation.ts';
import { program } from '../graph/program.ts';
import type { Program, StateSpec, StateUpdate } from '../graph/program.ts';
import { DTYPE_BYTES, sameShape, sizeOf } from '../graph/value.ts';
import type { DType, Graph, Node, Value } from '../graph/value.ts';
import { BUILT_IN, DeclarationError } from '../kind.ts';
import type { Kinds } from '../kind.ts';
import { AVERAGE_SHARE, averageName } from '../optim/averages/average.ts';
import { scalarName } from '../optim/hyper.ts';
import type { RuleUse } from '../optim/hyper.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { diagnosticsOf } from '../settings/diagnostics.ts';
import { activationsProgram } from './activations.ts';
import { attentionFamily } from './attention/index.ts';
import { buildModel, workingName } from './context.ts';
import type { BuiltModel, ChosenAttention, ReadWeights } from './context.ts';
import { forwardDiagnosis } from './diagnostics/forward.ts';
import { updateDiagnosis } from './diagnostics/update.ts';
import type { ModelKind, ParameterSpec } from './model.ts';
import { modelFamily } from './models/index.ts';
import { parametrizationOf } from './baseModel.ts';
import { parameterCounts } from './parameterCounts.ts';
import type { ParameterCounts } from './parameterCounts.ts';
import { averageOf, evaluatedWeights, parameterGroups, parameterUpdates, readAverage } from './parameterUpdates.ts';
import type { Evaluated, ParameterGroup, Updated } from './parameterUpdates.ts';
import { masterType, policyFor, productType } from './precision.ts';
import type { PrecisionPolicy } from './precision.ts';
import { stochasticRounding } from './stochasticRounding.ts';

/** See each program's builder for its inputs and outputs. */
export interface TrainingPrograms {
  readonly parameters: readonly ParameterSpec[];
  /** Parameters, `grad:NAME`, `NAME:MOMENT`, 16-bit working copies `NAME:bf16`, and the scalars `step:` by which an update is guarded. */
  readonly states: readonly StateSpec[];
  readonly groups: readonly ParameterGroup[];
  /** How the parameters move: the rules in use, usually one. */
  readonly rules: readonly RuleUse[];
  /** Parameters whose evaluated weights are others: a sum of states, each times its factor. */
  readonly evaluated: ReadonlyMap<string, Evaluated>;
  /** Share of the newest weights in their average after update t; undefined where there is no average. */
  readonly average: ((t: number) => number) | undefined;
  readonly policy: PrecisionPolicy;
  /** Number of parameters, each shared one counted once. */
  readonly parameterCount: number;
  /** How many of them count, by each rule for the length of a run. */
  readonly parameterCounts: ParameterCounts;
  /** Forward operations per token: matrix products and full (not causally halved) attention within the window. */
  readonly flopsPerTokenForward: number;
  /** Bytes of each token that writing a text with a cache of keys and values keeps, over all layers. */
  readonly cacheBytesPerToken: number;
  /** What the plan says of the attention and of groups, a sentence each. */
  readonly notes: readonly string[];
  /** Groups of parameters that mean nothing in this model, in words. */
  readonly unused: readonly string[];
  /** 3 × forward: 6·N + 12·layers·width·keys for a plain transformer (PaLM appendix B, look-ups left out). */
  readonly flopsPerToken: number;
  /** Training FLOPs per token of sequences that are shorter than the context. */
  flopsPerTokenAt(length: number): number;
  /** @param length of the sequences; the whole context unless given */
  accumulate(rows: number, first: boolean, length?: number): Program;
  update(): Program;
  evaluate(rows: number): Program;
  /** The same with the average of the weights. */
  evaluateAverage(rows: number): Program;
  generate(): Program;
  /** For coordinate checks: how large activations are. */
  activations(rows: number): Program;
  /** What `log.diagnostics` looks at: the model with a batch, the update that is about to be made, and the gradient so far. */
  diagnose(rows: number): Program;
  diagnoseUpdate(): Program;
  gradientNorm(): Program;
}

export interface TrainingOptions {
  readonly config: Config;
  readonly vocabularySize: number;
  /** Whether batches may hold padding. */
  readonly keyMasked: boolean;
  /** Where models and optimizers are found; the built-in ones unless given. */
  readonly kinds?: Kinds | undefined;
}

/** Output of an accumulate program that holds a number of the model's own. */
export const measureName = (name: string): string => `measure:${name}`;
export const gradientName = (parameter: string): string => `grad:${parameter}`;
/** Sum of the losses of a step so far. */
const STEP_LOSS = 'step:loss';
/** 1 once an update has refused to be made, for good: the updates that were queued behind it must not be made either. */
const STEP_HALTED = 'step:halted';

/** Half of the largest f32. At or above this norm the update program changes nothing: it counts as not finite. */
export const LARGEST_NORM = 1.7e38;

/** Builds the programs that `config` asks for. The same configuration always gives the same graphs. */
export function buildTraining(options: TrainingOptions): TrainingPrograms {
  const { config, kinds = BUILT_IN } = options;
  const context = config['model.context'] as number;
  const policy = policyFor(config);
  const model = kinds.of(modelFamily, config);
  const attention = attentionOf(kinds, model, config);
  const common = (settings: Config, length = context) => ({
    attention,
    config: kinds.view(model, settings),
    policy,
    vocabularySize: options.vocabularySize,
    context: length,
    longest: context,
    keyMasked: options.keyMasked,
  });
  const parametrization = parametrizationOf(kinds, model, config, common);
  // A sample is one text: it is generated without the borders of documents.
  const documentMasked = config['data.document_mask'] === true;
  const build = (rows: number, training: boolean, masked = documentMasked, read?: ReadWeights, length = context) =>
    buildModel({ ...common(config, length), model, rows, training, parametrization, documentMasked: masked, read });
  const buildShorter = (rows: number, training: boolean, length: number): BuiltModel => {
    const built = build(rows, training, documentMasked, undefined, length);
    requireSameParameters(parameters, built.parameters, length);
    return built;
  };
  const rounded = (made: Program): Program => (policy.tf32 === true ? { ...made, tf32: true } : made);
  const sample = build(1, false);
  const { parameters } = sample;
  const working = workingCopies(sample, policy);
  const { updates, uses, unused } = parameterUpdates({ config, kinds, parameters, parametrization, policy, working });
  const groups = parameterGroups(config, updates);
  const average = averageOf(kinds, config);
  const update = () =>
    updateProgram(updates, groups, policy, {
      clip: config['optimizer.clip'] as number,
      averaged: average !== undefined,
    });
  const read = evaluatedWeights(updates, policy);
  const counts = parameterCounts(parameters, sample.leaves.get(sample.output.head));
  const flopsPerTokenForward = forwardFlops(evaluateProgram(sample, 1, context)) / context;
  return {
    parameters,
    states: [...statesOf(updates, policy, average !== undefined), ...guardStates(policy)],
    evaluated: new Map(updates.flatMap(({ name, evaluated }) => (evaluated === undefined ? [] : [[name, evaluated]]))),
    average,
    groups,
    rules: uses,
    policy,
    parameterCount: counts.all,
    parameterCounts: counts,
    flopsPerTokenForward,
    flopsPerToken: 3 * flopsPerTokenForward,
    flopsPerTokenAt: (length) =>
      length === context
        ? 3 * flopsPerTokenForward
        : (3 * forwardFlops(evaluateProgram(buildShorter(1, false, length), 1, length))) / length,
    cacheBytesPerToken:
      DTYPE_BYTES[productType(policy)] * sample.attentions.reduce((sum, { cached }) => sum + cached, 0),
    notes: [...(attention?.kind.notes?.(attention.settings, sample.attentions) ?? []), ...unused],
    unused,
    accumulate: (rows, first, length = context) =>
      recompute(
        rounded(accumulateProgram(buildShorter(rows, true, length), rows, length, { first, policy })),
        config['precision.recompute'] as Recomputation,
      ),
    update: () => rounded(update()),
    evaluate: (rows) => rounded(evaluateProgram(build(rows, false, documentMasked, read), rows, context)),
    evaluateAverage: (rows) =>
      rounded(evaluateProgram(build(rows, false, documentMasked, readAverage), rows, context, 'evaluate-average')),
    generate: () => rounded(generateProgram(build(1, false, false, read), context)),
    activations: (rows) => rounded(activationsProgram(build(rows, false), headOf)),
    diagnose: (rows) => {
      const built = build(rows, false);
      const { loss } = lossOf(built, rows, context);
      const groups = diagnosticsOf(config);
      return rounded(forwardDiagnosis({ built, groups, loss, headOf: (hidden) => headOf(built, hidden) }));
    },
    diagnoseUpdate: () => updateDiagnosis(update()),
    gradientNorm: () => gradientNormProgram(parameters, policy),
  };
}

/** The attention that a model takes, with its settings; none for a model that takes none. */
function attentionOf(kinds: Kinds, { uses = [] }: ModelKind, config: Config): ChosenAttention | undefined {
  if (!uses.includes(attentionFamily.name)) return undefined;
  const kind = kinds.of(attentionFamily, config);
  return { kind, settings: kinds.view(kind, config) };
}

/** A model whose parameters depend on the length of its sequences cannot train on shorter ones. @throws DeclarationError */
function requireSameParameters(known: readonly ParameterSpec[], built: readonly ParameterSpec[], length: number): void {
  const shapes = new Map(known.map(({ name, shape }) => [name, shape]));
  for (const { name, shape } of built) {
    const whole = shapes.get(name);
    if (whole !== undefined && sameShape(whole, shape)) continue;
    const is = whole === undefined ? 'is not there' : `is [${whole}]`;
    throw new DeclarationError(
      `parameter ${name} is [${shape}] for sequences of ${length} tokens and ${is} for those of model.context: take m.longest for its shape`,
    );
  }
}

function statesOf(updates: readonly Updated[], policy: PrecisionPolicy, averaged: boolean): StateSpec[] {
  return updates.flatMap(({ name, shape, role, scope, moments, copied }) => {
    const own = { shape, scope };
    const states: StateSpec[] = [
      { name, ...own, dtype: masterType(policy, role), category: 'parameters' },
      { name: gradientName(name), ...own, dtype: policy.gradients, category: 'gradients' },
      ...moments.map((moment): StateSpec => ({
        name: moment.state,
        scope,
        shape: moment.shape,
        dtype: moment.dtype,
        category: 'optimizer state',
      })),
    ];
    if (averaged) states.push({ name: averageName(name), ...own, dtype: 'f32', category: 'optimizer state' });
    if (policy.working !== undefined && copied) {
      const copy = { name: workingName(name, policy.working), ...own, dtype: policy.working };
      states.push({ ...copy, category: 'working copies' });
    }
    return states;
  });
}

/** The gradient of a parameter so far, f32. */
const gradientOf = (
  graph: Graph,
  { name, shape }: Pick<ParameterSpec, 'name' | 'shape'>,
  policy: PrecisionPolicy,
): Value => cast(state(graph, gradientName(name), shape, policy.gradients), 'f32');

/** Length of all gradients. Those that are not kept in 32 bits are widened one after the other. */
function lengthOf(graph: Graph, parameters: readonly ParameterSpec[], policy: PrecisionPolicy): Value {
  const gradients = parameters.map((each) => gradientOf(graph, each, policy));
  if (policy.gradients === 'f32') return globalNorm(gradients);
  return globalNorm(gradients.map((each) => reshape(globalNorm([each]), [1])));
}

/** Under a scaled loss an overflow is repeated with a smaller scale: nothing is queued behind it, and it halts nothing. */
function guardStates({ scaledLoss }: PrecisionPolicy): StateSpec[] {
  const guard = { shape: [], scope: 'clipping', dtype: 'f32', category: 'gradients' } as const;
  return [STEP_LOSS, ...(scaledLoss ? [] : [STEP_HALTED])].map((name) => ({ name, ...guard }));
}

/** Names of the parameters that computation reads through a 16-bit copy. */
function workingCopies(built: BuiltModel, policy: PrecisionPolicy): ReadonlySet<string> {
  const copies = [...built.leaves].filter(([leaf]) => policy.working !== undefined && leaf.dtype === policy.working);
  return new Set(copies.map(([, name]) => name));
}

interface Loss {
  /** f32 [rows·context]. */
  loss: Value;
  correct: Value;
}

/**
 * What the head reads [n, width] and the head without the rows that stand for no token. A bias is a column of the head that multiplies ones,
 * so that whatever computes logits or a loss from both needs to know nothing of it.
 */
export function headOf({ head, vocabularySize, output }: BuiltModel, hidden: Value): { hidden: Value; head: Value } {
  const rows = slice(head, 0, 0, vocabularySize);
  const { headBias } = output;
  if (headBias === undefined) return { hidden, head: rows };
  const ones = fill(hidden.graph, [hidden.shape[0]!, 1], 1, hidden.dtype);
  const column = cast(reshape(headBias, [vocabularySize, 1]), rows.dtype);
  return { hidden: concat([hidden, ones], 1), head: concat([rows, column], 1) };
}

function lossOf(built: BuiltModel, rows: number, context: number): Loss {
  const { graph, output } = built;
  const targets = input(graph, 'targets', [rows, context], 'i32');
  return graph.during(
    'loss',
    () => {
      const { hidden, head } = headOf(built, reshape(output.hidden, [rows * context, output.hidden.shape.at(-1)!]));
      return linearCrossEntropy(hidden, head, reshape(targets, [rows * context]), {
        softcap: output.softcap,
      });
    },
    'head',
  );
}

/**
 * Forward, backward, and gradients added to (or, when `first`, written over) `grad:` states.
 *
 * Inputs: `tokens`, `targets` i32 [rows, context] (target −1: not scored), `keyMask` u8 when padded, `starts` i32 with document
 * masks, `key` i32 [4] (seed low, seed high, step, micro-batch), `lossScale` f32 []: the gradient is that of lossScale · Σ loss. Outputs: `lossSum` (nats) and `correct` (count), and
 * the numbers of the model's own as `measure:NAME`.
 */
function accumulateProgram(
  built: BuiltModel,
  rows: number,
  context: number,
  { first, policy }: { readonly first: boolean; readonly policy: PrecisionPolicy },
): Program {
  const { graph } = built;
  const { loss, correct } = lossOf(built, rows, context);
  const lossScale = input(graph, 'lossScale', [], 'f32');
  const { lossSum, correctSum, objective } = graph.during(
    'loss',
    () => {
      const sum = reshape(reduceSum(loss, [0]), []);
      const { auxiliary } = built.output;
      const all = auxiliary === undefined ? sum : add(sum, auxiliary);
      return { lossSum: sum, correctSum: reshape(reduceSum(correct, [0]), []), objective: mul(all, lossScale) };
    },
    'head',
  );
  const sums = new Map<string, Value>();
  // A tied table has two gradients: each is added as soon as it is there.
  const keep = (leaf: Value, gradient: Value) => {
    const name = built.leaves.get(leaf)!;
    const sum = sums.get(name);
    const base = sum ?? (first ? undefined : gradientOf(graph, { name, shape: leaf.shape }, policy));
    sums.set(name, base === undefined ? gradient : add(base, gradient));
  };
  const leaves = [...built.leaves.keys()];
  const gradients = differentiate(objective, leaves, keep);
  graph.during('backward', () => {
    leaves.forEach((leaf, i) => {
      // A parameter that the loss does not depend on still has a gradient: zero.
      if (gradients[i] === undefined && !sums.has(built.leaves.get(leaf)!)) keep(leaf, fill(graph, leaf.shape, 0));
    });
  });
  const stepLoss = first
    ? lossSum
    : graph.during('loss', () => add(state(graph, STEP_LOSS, [], 'f32'), lossSum), 'head');
  const updates = [
    ...[...sums].map(([name, value]): StateUpdate => ({
      state: gradientName(name),
      value: cast(value, policy.gradients),
    })),
    { state: STEP_LOSS, value: stepLoss },
  ];
  const measures = Object.entries(built.output.measures ?? {}).map(([name, value]) => [measureName(name), value]);
  const outputs = { lossSum, correct: correctSum, ...(Object.fromEntries(measures) as Record<string, Value>) };
  return program(first ? 'accumulate-first' : 'accumulate', graph, outputs, updates);
}

/**
 * One optimizer step from the accumulated gradients.
 *
 * Inputs, all f32 []: `gradientScale` (1, or 1/loss scale), the rules' scalars, `lr.GROUP`, `decay.GROUP`, `average.share`. Output: `gradNorm`, before
 * clipping. With stochastic rounding also `key` i32 [4] (seed low, seed high, step, any). When the norm or the loss of the step is not finite, all state stays as it is, now and (but under a scaled loss) in every later
 * update: those may have been queued before anybody could know.
 */
function updateProgram(
  parameters: readonly Updated[],
  groups: readonly ParameterGroup[],
  policy: PrecisionPolicy,
  { clip, averaged }: { readonly clip: number; readonly averaged: boolean },
): Program {
  const graph = newGraph();
  graph.phase = 'update';
  const scalarInput = (name: string) => input(graph, name, [], 'f32');
  const scale = scalarInput('gradientScale');
  const scalars = new Map<RuleUse, Readonly<Record<string, Value>>>();
  for (const { use } of parameters) {
    if (scalars.has(use)) continue;
    const names = Object.keys(use.rule.scalars?.(use.settings, 1) ?? {});
    scalars.set(use, Object.fromEntries(names.map((name) => [name, scalarInput(scalarName(use, name))])));
  }
  const rates = new Map(
    groups.flatMap(({ name, parameters: members }) => {
      const numbers = { lr: scalarInput(`lr.${name}`), decay: scalarInput(`decay.${name}`) };
      return members.map((each) => [each, numbers] as const);
    }),
  );
  const key = policy.stochastic ? input(graph, 'key', [4], 'i32') : undefined;
  let streams = 0;
  /** As it is stored: every tensor draws random numbers of its own. */
  const stored = (value: Value, dtype: DType): Value =>
    key !== undefined && dtype === 'bf16' ? stochasticRounding(value, key, streams++) : cast(value, dtype);
  const { gradNorm, gradientScale, good } = graph.within('clipping', () => {
    const norm = mul(lengthOf(graph, parameters, policy), scale);
    const kept = clip > 0 ? mul(scale, clipScale(norm, clip)) : scale;
    // A comparison with NaN is false, as one with infinity is. A sum of losses is never −infinity.
    const usable = [norm, state(graph, STEP_LOSS, [], 'f32')].map((x) => less(x, scalar(x, LARGEST_NORM)));
    const going = policy.scaledLoss ? [] : [less(state(graph, STEP_HALTED, [], 'f32'), scalar(norm, 1))];
    const [none, one] = [scalar(norm, 0), scalar(norm, 1)];
    const good = [...usable, ...going].reduce((others, each) => select(each, others, none), one);
    return { gradNorm: norm, good, gradientScale: select(greater(good, none), kept, none) };
  });
  // What is not updated is not averaged again either.
  const share = averaged ? mul(scalarInput(AVERAGE_SHARE), good) : undefined;
  const updates: StateUpdate[] = [];
  if (!policy.scaledLoss) updates.push({ state: STEP_HALTED, value: sub(scalar(good, 1), good) });
  for (const { name, shape, role, scope, use, moments, copied } of parameters) {
    const { rule, settings } = use;
    const working = copied ? policy.working : undefined;
    graph.within(scope, () => {
      const p = state(graph, name, shape, masterType(policy, role));
      const old = moments.map((moment) => state(graph, moment.state, moment.shape, moment.dtype));
      const next = optimizerUpdate(rule, settings, {
        p: cast(p, 'f32'),
        g: gradientOf(graph, { name, shape }, policy),
        moments: Object.fromEntries(
          moments.map((moment, i) => [moment.name, cast(old[i]!, momentTypeOf(rule, moment.name))]),
        ),
        gradientScale,
        hyper: { ...scalars.get(use), ...rates.get(name)! },
        working,
      });
      updates.push({ state: name, value: stored(next.p, p.dtype) });
      for (const moment of moments)
        updates.push({ state: moment.state, value: stored(next.moments[moment.name]!, moment.dtype) });
      if (share !== undefined) {
        const average = state(graph, averageName(name), shape, 'f32');
        updates.push({ state: averageName(name), value: add(average, mul(share, sub(next.p, average))) });
      }
      if (next.working !== undefined) updates.push({ state: workingName(name, working!), value: next.working });
    });
  }
  return program('update', graph, { gradNorm }, updates);
}

/** Output `gradNorm`: the length of what is accumulated so far. */
function gradientNormProgram(parameters: readonly ParameterSpec[], policy: PrecisionPolicy): Program {
  const graph = newGraph();
  graph.phase = 'update';
  const gradNorm = graph.within('diagnostics', () => lengthOf(graph, parameters, policy));
  return program('diagnose-gradient', graph, { gradNorm });
}

/** Inputs `tokens`, `targets` (and `keyMask`); outputs `loss` (nats) and `correct` per position, f32 [rows·context]. */
function evaluateProgram(built: BuiltModel, rows: number, context: number, name = 'evaluate'): Program {
  const { loss, correct } = lossOf(built, rows, context);
  return program(name, built.graph, { loss, correct });
}

/** Inputs `tokens` i32 [1, context] and `position` i32 [1]; output `logits` f32 [vocabulary] for the token after that position. */
function generateProgram(built: BuiltModel, context: number): Program {
  const { graph, output } = built;
  const position = input(graph, 'position', [1], 'i32');
  const logits = graph.during(
    'loss',
    () => {
      const all = reshape(output.hidden, [context, output.hidden.shape.at(-1)!]);
      const { hidden, head } = headOf(built, gather(all, position));
      const raw = cast(linear(hidden, head), 'f32');
      const cap = output.softcap ?? 0;
      return reshape(cap > 0 ? mul(tanh(mul(raw, scalar(raw, 1 / cap))), scalar(raw, cap)) : raw, [-1]);
    },
    'head',
  );
  return program('generate', graph, { logits });
}

/** Operations of matrix products and attention in a forward program; attention counted without the causal half. */
function forwardFlops(p: Program): number {
  let total = 0;
  for (const node of p.graph.nodes) total += nodeFlops(node);
  return total;
}

function nodeFlops(node: Node): number {
  const { op } = node;
  if (op === 'linear' || op === 'matmul' || op === 'groupedMatmul') return costOf(node).flops;
  if (op === 'linearCrossEntropy') return 2 * sizeOf(node.inputs[0]!.shape) * node.inputs[1]!.shape[0]!;
  if (op === 'sparseAttention') return sparseFlops(node);
  if (op !== 'attention') return 0;
  const [q, k, v] = node.inputs as [Value, Value, Value];
  const [batch, tq, heads, size] = q.shape as [number, number, number, number];
  const keys = Math.min((node.attrs.window as number) || k.shape[1]!, k.shape[1]!);
  return 2 * batch * heads * tq * keys * (size + v.shape[3]!);
}

function sparseFlops(node: Node): number {
  const { batch, tq, size, valueSize } = attentionDimensions(node.inputs);
  return 2 * batch * tq * mostKeysOf(node) * (size + valueSize);
}
