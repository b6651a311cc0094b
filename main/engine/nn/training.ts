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
  momentShapeOf,
  mostKeysOf,
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
import type { UpdateRule } from '../graph/ops/index.ts';
import { newGraph } from '../graph/operation.ts';
import { program } from '../graph/program.ts';
import type { Program, StateSpec, StateUpdate } from '../graph/program.ts';
import { DTYPE_BYTES, sizeOf } from '../graph/value.ts';
import type { Node, Value } from '../graph/value.ts';
import { BUILT_IN } from '../kind.ts';
import type { Kinds } from '../kind.ts';
import { GROUPS } from '../optim/groups.ts';
import type { GroupLine } from '../optim/groups.ts';
import { scalarName } from '../optim/hyper.ts';
import type { RuleUse } from '../optim/hyper.ts';
import { groupsOf } from '../optim/optimizers/groups.rules.ts';
import { optimizerFamily } from '../optim/optimizers/index.ts';
import { ruleOf } from '../optim/optimizers/optimizer.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { diagnosticsOf } from '../settings/diagnostics.ts';
import { nearestName } from '../../../preload/shared/settings/nearest.ts';
import { activationsProgram } from './activations.ts';
import { attentionFamily } from './attention/index.ts';
import { buildModel, workingName } from './context.ts';
import type { BuiltModel, ChosenAttention } from './context.ts';
import { changed } from '../changed.ts';
import { forwardDiagnosis } from './diagnostics/forward.ts';
import { updateDiagnosis } from './diagnostics/update.ts';
import type { ModelKind, ParameterRole, ParameterSpec } from './model.ts';
import { modelFamily } from './models/index.ts';
import { parametrizationOf } from './baseModel.ts';
import type { Parametrization } from './parametrization/parametrization.ts';
import { masterType, momentType, policyOf, precisionOf, productType } from './precision.ts';
import type { PrecisionPolicy } from './precision.ts';

export interface ParameterGroup {
  /** The role of its parameters, or the name of their group; where some have a factor of their own, followed by it: `matrix:0.25`. */
  readonly name: string;
  readonly parameters: readonly string[];
  /** Factor on the learning rate. */
  readonly lrScale: number;
  readonly weightDecay: number;
  /** Whether the group says what its decay is: it does not follow that of the run then. */
  readonly ownDecay: boolean;
  /** Settings of the schedule that are others for this group. */
  readonly schedule: Config | undefined;
}

/** See each program's builder for its inputs and outputs. */
export interface TrainingPrograms {
  readonly parameters: readonly ParameterSpec[];
  /** Parameters, `grad:NAME`, `NAME:MOMENT`, 16-bit working copies `NAME:bf16`, and the scalars `step:` by which an update is guarded. */
  readonly states: readonly StateSpec[];
  readonly groups: readonly ParameterGroup[];
  /** How the parameters move: the rules in use, usually one. */
  readonly rules: readonly RuleUse[];
  readonly policy: PrecisionPolicy;
  /** Number of parameters, each shared one counted once. */
  readonly parameterCount: number;
  /** Forward operations per token: matrix products and full (not causally halved) attention within the window. */
  readonly flopsPerTokenForward: number;
  /** Bytes of each token that writing a text with a cache of keys and values keeps, over all layers. */
  readonly cacheBytesPerToken: number;
  /** What the plan says of the attention, a sentence each. */
  readonly notes: readonly string[];
  /** 3 × forward: 6·N + 12·layers·width·keys for a plain transformer (PaLM appendix B, look-ups left out). */
  readonly flopsPerToken: number;
  accumulate(rows: number, first: boolean): Program;
  update(): Program;
  evaluate(rows: number): Program;
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
const momentName = (parameter: string, moment: string): string => `${parameter}:${moment}`;

/** Half of the largest f32. At or above this norm the update program changes nothing: it counts as not finite. */
export const LARGEST_NORM = 1.7e38;

/** Builds the programs that `config` asks for. The same configuration always gives the same graphs. */
export function buildTraining(options: TrainingOptions): TrainingPrograms {
  const { config, kinds = BUILT_IN } = options;
  const context = config['model.context'] as number;
  const policy = policyOf(precisionOf(config));
  const model = kinds.of(modelFamily, config);
  const attention = attentionOf(kinds, model, config);
  const optimizer = kinds.of(optimizerFamily, config);
  const settings = kinds.view(optimizer, config);
  const common = (settings: Config) => ({
    attention,
    config: kinds.view(model, settings),
    policy,
    vocabularySize: options.vocabularySize,
    context,
    keyMasked: options.keyMasked,
  });
  const parametrization = parametrizationOf(kinds, model, config, common);
  // A sample is one text: it is generated without the borders of documents.
  const documentMasked = config['data.document_mask'] === true;
  const build = (rows: number, training: boolean, masked = documentMasked) =>
    buildModel({ ...common(config), model, rows, training, parametrization, documentMasked: masked });
  const rounded = (made: Program): Program => (policy.tf32 === true ? { ...made, tf32: true } : made);
  const sample = build(1, false);
  const { parameters } = sample;
  const working = workingCopies(sample, policy);
  const lines = groupsOf(config, optimizer, kinds.all(optimizerFamily), kinds);
  checkGroups(lines, parameters);
  const uses = new Map<string, RuleUse>();
  const updates = parameters.map((spec): Updated => {
    const line = lines.find((each) => each.includes(spec));
    const own = line?.ownRule === true ? changed(settings, line.settings) : settings;
    const rule = ruleOf(optimizer, spec, own);
    const name = line?.ownRule === true ? `${rule.name}@${line.name}` : rule.name;
    const use = uses.get(name) ?? { name, rule, settings: own };
    uses.set(name, use);
    const factors = groupFactors(spec, rule, parametrization);
    return { ...spec, line, use, ...factors, moments: rule.moments(own), copied: working.has(spec.name) };
  });
  const groups = parameterGroups(config, updates);
  const flopsPerTokenForward = forwardFlops(evaluateProgram(sample, 1, context)) / context;
  return {
    parameters,
    states: [...statesOf(updates, policy), ...guardStates(policy)],
    groups,
    rules: [...uses.values()],
    policy,
    parameterCount: parameters.reduce((total, { shape }) => total + sizeOf(shape), 0),
    flopsPerTokenForward,
    flopsPerToken: 3 * flopsPerTokenForward,
    cacheBytesPerToken:
      DTYPE_BYTES[productType(policy)] * sample.attentions.reduce((sum, { cached }) => sum + cached, 0),
    notes: attention?.kind.notes?.(attention.settings, sample.attentions) ?? [],
    accumulate: (rows, first) =>
      recompute(
        rounded(accumulateProgram(build(rows, true), rows, context, first)),
        config['precision.recompute'] as Recomputation,
      ),
    update: () => rounded(updateProgram(updates, groups, policy, config['optimizer.clip'] as number)),
    evaluate: (rows) => rounded(evaluateProgram(build(rows, false), rows, context)),
    generate: () => rounded(generateProgram(build(1, false, false), context)),
    activations: (rows) => rounded(activationsProgram(build(rows, false), headOf)),
    diagnose: (rows) => {
      const built = build(rows, false);
      const { loss } = lossOf(built, rows, context);
      const groups = diagnosticsOf(config);
      return rounded(forwardDiagnosis({ built, groups, loss, headOf: (hidden) => headOf(built, hidden) }));
    },
    diagnoseUpdate: () => updateDiagnosis(updateProgram(updates, groups, policy, config['optimizer.clip'] as number)),
    gradientNorm: () => gradientNormProgram(parameters),
  };
}

/** The attention that a model takes, with its settings; none for a model that takes none. */
function attentionOf(kinds: Kinds, { uses = [] }: ModelKind, config: Config): ChosenAttention | undefined {
  if (!uses.includes(attentionFamily.name)) return undefined;
  const kind = kinds.of(attentionFamily, config);
  return { kind, settings: kinds.view(kind, config) };
}

/** A parameter and how it moves. */
interface Updated extends ParameterSpec {
  /** The group of `optimizer.groups` that it belongs to, if any. */
  readonly line: GroupLine | undefined;
  readonly use: RuleUse;
  readonly moments: readonly string[];
  /** Whether computation reads a 16-bit copy of it. */
  readonly copied: boolean;
  /** Factors of the parametrisation on its learning rate and its decay. */
  readonly rate: number;
  readonly decay: number;
}

function groupFactors(
  { grown }: ParameterSpec,
  rule: UpdateRule,
  parametrization: Parametrization | undefined,
): Pick<Updated, 'rate' | 'decay'> {
  if (parametrization === undefined || grown === undefined) return { rate: 1, decay: 1 };
  const { kind, settings } = parametrization;
  const rate = kind.rate?.(grown, rule.step ?? 'element', settings) ?? 1;
  return { rate, decay: kind.decay?.(rate, settings) ?? 1 };
}

/** @throws Error where a pattern names no parameter of the model */
function checkGroups(lines: readonly GroupLine[], parameters: readonly ParameterSpec[]): void {
  for (const { selector, includes } of lines) {
    if (!/[*.]/u.test(selector) || parameters.some(includes)) continue;
    const near = nearestName(
      selector,
      parameters.map(({ name }) => name),
    );
    throw new Error(
      `${GROUPS}: no parameter of the model is named ${selector}${near === undefined ? '' : `; nearest: ${near}`}`,
    );
  }
}

/** Whether parameters of several roles belong to a group: their rates and decays differ. */
const isMixed = (line: GroupLine, parameters: readonly Updated[]): boolean =>
  new Set(parameters.filter((each) => each.line === line).map(({ role }) => role)).size > 1;

/** Parameters that are moved alike have one name: their role or group, and the factor of a parametrisation. */
function groupName({ role, line, rate, decay }: Updated, mixed: ReadonlySet<GroupLine>): string {
  const own = line === undefined ? role : mixed.has(line) ? `${line.name}.${role}` : line.name;
  return rate === 1 && decay === 1 ? own : `${own}:${rate}`;
}

/** Rate and decay of a role before any group says otherwise. */
function ofRole(config: Config, role: ParameterRole): { readonly lrScale: number; readonly weightDecay: number } {
  const decay = config['optimizer.weight_decay'] as number;
  const scale = (name: string): number => config[`optimizer.lr_scale_${name}`] as number;
  switch (role) {
    case 'matrix':
      return { lrScale: 1, weightDecay: decay };
    case 'embedding':
      return { lrScale: scale('embedding'), weightDecay: config['optimizer.decay_embedding'] === true ? decay : 0 };
    case 'head':
      return { lrScale: scale('head'), weightDecay: decay };
    case 'vector':
      return { lrScale: scale('vector'), weightDecay: 0 };
  }
}

/** Rate and decay of a parameter, before the factors of the parametrisation. */
function ratesOf(config: Config, role: ParameterRole, line: GroupLine | undefined) {
  const base = ofRole(config, role);
  const { 'optimizer.lr': lr, 'optimizer.weight_decay': decay } = line?.settings ?? {};
  const absolute = lr === undefined ? undefined : (lr as number) / (config['optimizer.lr'] as number);
  return {
    lrScale: line?.lrScale ?? absolute ?? base.lrScale,
    weightDecay: (decay as number | undefined) ?? base.weightDecay,
  };
}

const ROLES: readonly ParameterRole[] = ['matrix', 'embedding', 'head', 'vector'];

function parameterGroups(config: Config, parameters: readonly Updated[]): ParameterGroup[] {
  const lines = new Set(parameters.flatMap(({ line }) => (line === undefined ? [] : [line])));
  const mixed = new Set([...lines].filter((line) => isMixed(line, parameters)));
  const byRole = ROLES.flatMap((role) => parameters.filter((each) => each.role === role));
  return [...Map.groupBy(byRole, (each) => groupName(each, mixed))].map(([name, members]): ParameterGroup => {
    const { role, line, rate, decay } = members[0]!;
    const { lrScale, weightDecay } = ratesOf(config, role, line);
    return {
      name,
      parameters: members.map((each) => each.name),
      lrScale: lrScale * rate,
      weightDecay: weightDecay * decay,
      ownDecay: line !== undefined && 'optimizer.weight_decay' in line.settings,
      schedule: line?.ownSchedule === true ? line.settings : undefined,
    };
  });
}

function statesOf(updates: readonly Updated[], policy: PrecisionPolicy): StateSpec[] {
  return updates.flatMap(({ name, shape, role, scope, use, moments, copied }) => {
    const own = { shape, scope };
    const states: StateSpec[] = [
      { name, ...own, dtype: masterType(policy, role), category: 'parameters' },
      { name: gradientName(name), ...own, dtype: 'f32', category: 'gradients' },
      ...moments.map((moment): StateSpec => ({
        name: momentName(name, moment),
        scope,
        shape: momentShapeOf(use.rule, moment, shape),
        dtype: momentType(policy, role),
        category: 'optimizer state',
      })),
    ];
    if (policy.working !== undefined && copied) {
      const copy = { name: workingName(name, policy.working), ...own, dtype: policy.working };
      states.push({ ...copy, category: 'working copies' });
    }
    return states;
  });
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
function accumulateProgram(built: BuiltModel, rows: number, context: number, first: boolean): Program {
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
    const base = sum ?? (first ? undefined : state(graph, gradientName(name), leaf.shape, 'f32'));
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
    ...[...sums].map(([name, value]): StateUpdate => ({ state: gradientName(name), value })),
    { state: STEP_LOSS, value: stepLoss },
  ];
  const measures = Object.entries(built.output.measures ?? {}).map(([name, value]) => [measureName(name), value]);
  const outputs = { lossSum, correct: correctSum, ...(Object.fromEntries(measures) as Record<string, Value>) };
  return program(first ? 'accumulate-first' : 'accumulate', graph, outputs, updates);
}

/**
 * One optimizer step from the accumulated gradients.
 *
 * Inputs, all f32 []: `gradientScale` (1, or 1/loss scale), the rules' scalars, `lr.GROUP`, `decay.GROUP`. Output: `gradNorm`, before
 * clipping. When the norm or the loss of the step is not finite, all state stays as it is, now and (but under a scaled loss) in every later
 * update: those may have been queued before anybody could know.
 */
function updateProgram(
  parameters: readonly Updated[],
  groups: readonly ParameterGroup[],
  policy: PrecisionPolicy,
  clip: number,
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
  const gradients = new Map(
    parameters.map(({ name, shape }) => [name, state(graph, gradientName(name), shape, 'f32')]),
  );
  const { gradNorm, gradientScale, good } = graph.within('clipping', () => {
    const norm = mul(globalNorm([...gradients.values()]), scale);
    const kept = clip > 0 ? mul(scale, clipScale(norm, clip)) : scale;
    // A comparison with NaN is false, as one with infinity is. A sum of losses is never −infinity.
    const usable = [norm, state(graph, STEP_LOSS, [], 'f32')].map((x) => less(x, scalar(x, LARGEST_NORM)));
    const going = policy.scaledLoss ? [] : [less(state(graph, STEP_HALTED, [], 'f32'), scalar(norm, 1))];
    const [none, one] = [scalar(norm, 0), scalar(norm, 1)];
    const good = [...usable, ...going].reduce((others, each) => select(each, others, none), one);
    return { gradNorm: norm, good, gradientScale: select(greater(good, none), kept, none) };
  });
  const updates: StateUpdate[] = [];
  if (!policy.scaledLoss) updates.push({ state: STEP_HALTED, value: sub(scalar(good, 1), good) });
  for (const { name, shape, role, scope, use, moments, copied } of parameters) {
    const { rule, settings } = use;
    const working = copied ? policy.working : undefined;
    const type = momentType(policy, role);
    graph.within(scope, () => {
      const p = state(graph, name, shape, masterType(policy, role));
      const old = moments.map((moment) =>
        state(graph, momentName(name, moment), momentShapeOf(rule, moment, shape), type),
      );
      const next = optimizerUpdate(rule, settings, {
        p: cast(p, 'f32'),
        g: gradients.get(name)!,
        moments: Object.fromEntries(moments.map((moment, i) => [moment, cast(old[i]!, 'f32')])),
        gradientScale,
        hyper: { ...scalars.get(use), ...rates.get(name)! },
        working,
      });
      updates.push({ state: name, value: cast(next.p, p.dtype) });
      for (const moment of moments)
        updates.push({ state: momentName(name, moment), value: cast(next.moments[moment]!, type) });
      if (next.working !== undefined) updates.push({ state: workingName(name, working!), value: next.working });
    });
  }
  return program('update', graph, { gradNorm }, updates);
}

/** Output `gradNorm`: the length of what is accumulated so far. */
function gradientNormProgram(parameters: readonly ParameterSpec[]): Program {
  const graph = newGraph();
  graph.phase = 'update';
  const gradients = parameters.map(({ name, shape }) => state(graph, gradientName(name), shape, 'f32'));
  return program('diagnose-gradient', graph, { gradNorm: graph.within('diagnostics', () => globalNorm(gradients)) });
}

/** Inputs `tokens`, `targets` (and `keyMask`); outputs `loss` (nats) and `correct` per position, f32 [rows·context]. */
function evaluateProgram(built: BuiltModel, rows: number, context: number): Program {
  const { loss, correct } = lossOf(built, rows, context);
  return program('evaluate', built.graph, { loss, correct });
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
