/**
 * The update of one parameter, in 32 bits, as an operation that executors may run in one pass. What is computed is the update rule's
 * (see optim/optimizers). The rule sees the gradient times `gradientScale` (clipping, loss-scale removal); a scale of 0 says that the
 * gradient is unusable and leaves everything as it was. With a 16-bit `working` type the last output is the rounded copy of the weights.
 * A parameter or moments of 16 bits are widened before and rounded afterwards.
 */
import { counted } from '../../../../preload/shared/format.ts';
import type { Config } from '../../../../preload/contract/settings.ts';
import { defineOperation } from '../operation.ts';
import { requireShape } from '../shapes.ts';
import { sameShape, sizeOf } from '../value.ts';
import type { Attributes, DType, Node, Shape, Value, ValueType } from '../value.ts';
import { add, cast, div, greater, minimum, mul, scalar, select, sqrt, square } from './elementwise.ts';
import { reduceSum } from './reduce.ts';
import { reshape } from './movement.ts';

/** Moment buffers by name, f32; those of a rule that keeps bytes as it keeps them. */
export type Moments = Readonly<Record<string, Value>>;

/** Numbers of a step, f32 scalars: learning rate and weight decay of the parameter's group, and the rule's own scalars by name. */
export type Hyper = Readonly<Record<string, Value>> & { readonly lr: Value; readonly decay: Value };

/** How a parameter moves, written once for all executors. `c` are the settings. */
export interface UpdateRule {
  readonly name: string;
  /** Names of the moment buffers. */
  moments(c: Config): readonly string[];
  /** Shape of a moment of a parameter of `shape`; the same unless given. */
  momentShape?(moment: string, shape: Shape): Shape;
  /** Type of a moment; that of the precision policy unless given. */
  momentType?(moment: string): DType | undefined;
  /** The numbers that its moments stand for, for a parameter of `shape`, where they are kept as something else. */
  decoded?(moments: Moments, shape: Shape): Moments;
  /**
   * The weights that are evaluated and saved, where they are not the parameter itself: a sum of the parameter `p` and of moments, each times
   * the number given for it. `p` alone where all moments are 0.
   */
  evaluated?(c: Config): Readonly<Record<string, number>>;
  /** Per-step numbers beside learning rate and decay, such as bias corrections; t counts updates from 1. */
  scalars?(c: Config, t: number): Readonly<Record<string, number>>;
  /** The setting that is its momentum, where a schedule may move it: `scalars` then sees that of the step in its place. */
  readonly momentum?: string;
  /** New parameter and moments. `g` is f32, already scaled. */
  apply(p: Value, g: Value, moments: Moments, h: Hyper, c: Config): { readonly p: Value; readonly moments: Moments };
  /**
   * How large a step is where gradients are larger: the same for each element (Adam and its like, the default), as much larger (gradient
   * descent), or with all singular values alike (orthogonalised). Parametrisations scale learning rates by it.
   */
  readonly step?: 'element' | 'gradient' | 'spectrum';
  /** For the cost model. */
  readonly flopsPerElement: number;
  /** The same rule as one kernel, where an executor has it; else the rule is decomposed into the operations of `apply`. */
  fused?(c: Config): FusedUpdate | undefined;
}

/** The updates for which executors may have a kernel, with their constants. Formulas: native/optimizer.h. */
export type FusedUpdate =
  | { readonly rule: 'adamw' | 'adam' | 'adamw8'; readonly beta1: number; readonly beta2: number; readonly eps: number }
  | { readonly rule: 'sgd'; readonly momentum: number; readonly nesterov: boolean }
  | { readonly rule: 'adagrad'; readonly eps: number }
  | {
      readonly rule: 'rmsprop';
      readonly alpha: number;
      readonly eps: number;
      readonly momentum: number;
      readonly centered: boolean;
    };
export type FusedRule = FusedUpdate['rule'];

interface FusedNeeds {
  /** Constants, beside the rule's name. */
  readonly constants: readonly string[];
  readonly scalars: readonly string[];
  readonly moments: (fused: FusedUpdate) => number;
}

const ADAM: FusedNeeds = {
  constants: ['beta1', 'beta2', 'eps'],
  scalars: ['bias1', 'bias2'],
  moments: () => 2,
};

const above = (fused: FusedUpdate): number => ('momentum' in fused && fused.momentum > 0 ? 1 : 0);
const centred = (fused: FusedUpdate): number => ('centered' in fused && fused.centered ? 1 : 0);

const FUSED: Readonly<Record<FusedRule, FusedNeeds>> = {
  adamw: ADAM,
  adam: ADAM,
  sgd: { constants: ['momentum', 'nesterov'], scalars: [], moments: above },
  adagrad: { constants: ['eps'], scalars: [], moments: () => 1 },
  rmsprop: {
    constants: ['alpha', 'eps', 'momentum', 'centered'],
    scalars: [],
    moments: (fused) => 1 + centred(fused) + above(fused),
  },
  adamw8: { constants: ADAM.constants, scalars: [...ADAM.scalars, 'offset1', 'offset2'], moments: () => 4 },
};

/** A rule of an optimizer, perhaps of a plug-in, that does not give what it must. */
export class RuleError extends Error {
  override readonly name = 'RuleError';
}

/** The fused form of a rule under these settings. @throws RuleError when the rule does not give the kernel what it needs */
function fusedOf(rule: UpdateRule, c: Config): FusedUpdate | undefined {
  const fused = rule.fused?.(c);
  if (fused === undefined) return undefined;
  const wrong = (what: string): never => {
    throw new RuleError(`optimizer ${rule.name}: fused ${what}`);
  };
  const needs = (FUSED as Readonly<Record<string, FusedNeeds | undefined>>)[fused.rule];
  if (needs === undefined)
    return wrong(`rule is ${String(fused.rule)}; allowed: ${Object.keys(FUSED).join(', ')}, or none`);
  const given = fused as unknown as Readonly<Record<string, unknown>>;
  for (const name of needs.constants) {
    if (typeof given[name] !== 'boolean' && !Number.isFinite(given[name]))
      wrong(`rule ${fused.rule} needs ${name}, which is ${String(given[name])}`);
  }
  const scalars = Object.keys(rule.scalars?.(c, 1) ?? {});
  for (const name of needs.scalars) {
    if (!scalars.includes(name)) wrong(`rule ${fused.rule} needs the scalar ${name}, which scalars does not give`);
  }
  const [own, wanted] = [rule.moments(c).length, needs.moments(fused)];
  if (own !== wanted) wrong(`rule ${fused.rule} has ${counted(wanted, 'moment')}, and moments names ${own}`);
  return fused;
}

/** Shape of a moment of a parameter of `shape`. */
export function momentShapeOf(rule: UpdateRule, moment: string, shape: Shape): Shape {
  return rule.momentShape?.(moment, shape) ?? shape;
}

/** Type in which an update reads and writes a moment, whatever it is kept in: bytes as they are, numbers in 32 bits. */
export const momentTypeOf = (rule: UpdateRule, moment: string): DType =>
  rule.momentType?.(moment) === 'u8' ? 'u8' : 'f32';

interface UpdateAttributes {
  readonly rule: UpdateRule;
  readonly settings: Config;
  readonly moments: readonly string[];
  /** Names of the rule's scalars, in the order of the inputs. */
  readonly scalars: readonly string[];
  readonly fused: FusedUpdate | undefined;
  readonly working: DType | undefined;
}

const attributesOf = (attrs: Attributes): UpdateAttributes => attrs as unknown as UpdateAttributes;

/** An update node taken apart. */
export interface UpdateParts {
  readonly p: Value;
  readonly g: Value;
  readonly moments: readonly Value[];
  readonly gradientScale: Value;
  readonly hyper: Hyper;
  readonly fused: FusedUpdate | undefined;
}

function partsOf(inputs: readonly Value[], attrs: Attributes): UpdateParts {
  const { moments, scalars, fused } = attributesOf(attrs);
  const [p, g] = inputs as [Value, Value];
  const [gradientScale, lr, decay, ...own] = inputs.slice(2 + moments.length) as [Value, Value, Value, ...Value[]];
  const named = Object.fromEntries(scalars.map((name, i) => [name, own[i]!]));
  return { p, g, moments: inputs.slice(2, 2 + moments.length), gradientScale, hyper: { ...named, lr, decay }, fused };
}

/** Inputs of an `optimizerUpdate` node by name, and the kernel that equals it, if any. */
export const updateParts = (node: Node): UpdateParts => partsOf(node.inputs, node.attrs);

/** The moments that an update leaves, by name, as the numbers that they stand for. */
export function momentsAfter({ attrs, inputs, outputs }: Node): Moments {
  const { rule, moments } = attributesOf(attrs);
  const kept = Object.fromEntries(moments.map((name, i) => [name, outputs[1 + i]!]));
  return rule.decoded?.(kept, inputs[0]!.shape) ?? kept;
}

/** The kernel that a node's rule names; undefined: it must be decomposed. */
export const fusedRule = (node: Node): FusedRule | undefined => attributesOf(node.attrs).fused?.rule;

/** What goes wrong inside a rule names the rule. */
function applied<T>(rule: UpdateRule, apply: () => T): T {
  try {
    return apply();
  } catch (error) {
    const { message } = error as Error;
    throw new RuleError(`optimizer ${rule.name}: apply: ${message}`, { cause: error });
  }
}

/** The numbers of a step, of which a name that is none is an error and not undefined. */
const onlyNamed = (hyper: Hyper): Hyper =>
  new Proxy(hyper, {
    get(target, name: string) {
      if (name in target) return target[name as keyof Hyper];
      throw new Error(`there is no number ${name} of a step; allowed: ${Object.keys(target).join(', ')}`);
    },
  });

const isFloat = ({ dtype }: Value): boolean => dtype === 'f32' || dtype === 'bf16' || dtype === 'f16';

const isNarrow = ({ dtype }: Value): boolean => dtype === 'bf16' || dtype === 'f16';

/** The update of what is kept in 16 bits, in 32. */
function widened(inputs: readonly Value[], attrs: Attributes): Value[] {
  const { p, moments } = partsOf(inputs, attrs);
  const kept = [p, ...moments];
  const wide = inputs.map((value) => (kept.includes(value) && isNarrow(value) ? cast(value, 'f32') : value));
  const out = p.graph.add('optimizerUpdate', wide, attrs);
  return out.map((value, i) => (i < kept.length ? cast(value, kept[i]!.dtype) : value));
}

defineOperation({
  name: 'optimizerUpdate',
  kind: 'composite',
  infer: (inputs, attrs) => {
    const [p, g] = inputs as [Value, Value];
    const { rule, moments, scalars, working } = attributesOf(attrs);
    const fits = sameShape(p.shape, g.shape) && isFloat(p);
    requireShape(fits, 'optimizerUpdate', 'parameter and gradient differ', p, g);
    const names = ['gradientScale', 'lr', 'decay', ...scalars];
    const count = inputs.length === 2 + moments.length + names.length;
    requireShape(count, 'optimizerUpdate', `needs ${counted(moments.length, 'moment')} and ${names.join(', ')}`, p);
    const types: ValueType[] = [
      { shape: p.shape, dtype: p.dtype },
      ...moments.map((name, i) => ({ shape: momentShapeOf(rule, name, p.shape), dtype: inputs[2 + i]!.dtype })),
    ];
    if (working !== undefined) types.push({ shape: p.shape, dtype: working });
    return types;
  },
  decompose: (inputs, attrs) => {
    const { rule, settings, moments: names, working } = attributesOf(attrs);
    const { p, g, moments, gradientScale, hyper } = partsOf(inputs, attrs);
    if ([p, ...moments].some(isNarrow)) return widened(inputs, attrs);
    const before = Object.fromEntries(names.map((name, i) => [name, moments[i]!]));
    const after = applied(rule, () =>
      rule.apply(p, mul(cast(g, 'f32'), gradientScale), before, onlyNamed(hyper), settings),
    );
    const good = greater(gradientScale, scalar(p, 0));
    const kept = (name: string, next: Value | undefined, old: Value): Value => {
      if (next === undefined) throw new RuleError(`optimizer ${rule.name}: apply returns no ${name}`);
      if (old.dtype !== 'u8') return select(good, next, old);
      // Choices are between numbers.
      return cast(select(good, cast(next, 'f32'), cast(old, 'f32')), 'u8');
    };
    const next = kept('p', after.p, p);
    const out = [next, ...names.map((name) => kept(`moment ${name}`, after.moments[name], before[name]!))];
    if (working !== undefined) out.push(cast(next, working));
    return out;
  },
  flops: (node: Node) => attributesOf(node.attrs).rule.flopsPerElement * sizeOf(node.inputs[0]!.shape),
  // Output 0 over the parameter, output 1 + i over moment i; the pairs beyond what a rule has never match.
  inPlace: [[0, 0], ...Array.from({ length: 8 }, (_, i) => [1 + i, 2 + i] as const)],
});

export interface UpdateInputs {
  readonly p: Value;
  readonly g: Value;
  readonly moments: Moments;
  readonly gradientScale: Value;
  readonly hyper: Hyper;
  /** Type of the rounded copy of the new parameter, when one is wanted. */
  readonly working?: DType | undefined;
}

export interface OptimizerUpdate {
  readonly p: Value;
  readonly moments: Moments;
  readonly working?: Value;
}

/** One parameter's update by `rule` under `settings`. @throws Error when the rule contradicts itself */
export function optimizerUpdate(rule: UpdateRule, settings: Config, given: UpdateInputs): OptimizerUpdate {
  const { p, g, gradientScale, hyper, working } = given;
  const moments = rule.moments(settings);
  const scalars = Object.keys(rule.scalars?.(settings, 1) ?? {});
  const fused = fusedOf(rule, settings);
  const attrs: UpdateAttributes = { rule, settings, moments, scalars, fused, working };
  const numbers = [gradientScale, hyper.lr, hyper.decay, ...scalars.map((name) => hyper[name]!)];
  const inputs = [p, g, ...moments.map((name) => given.moments[name]!), ...numbers];
  const out = p.graph.add('optimizerUpdate', inputs, attrs as unknown as Attributes);
  return {
    p: out[0]!,
    moments: Object.fromEntries(moments.map((name, i) => [name, out[1 + i]!])),
    ...(working === undefined ? {} : { working: out[1 + moments.length]! }),
  };
}

defineOperation({
  name: 'globalNorm',
  kind: 'composite',
  infer: () => [{ shape: [], dtype: 'f32' }],
  decompose: (inputs) => {
    const squares = inputs.map((x) =>
      reshape(
        reduceSum(
          square(cast(x, 'f32')),
          x.shape.map((_, axis) => axis),
        ),
        [],
      ),
    );
    return [sqrt(squares.reduce((a, b) => add(a, b)))];
  },
  flops: (node) => node.inputs.reduce((total, x) => total + 2 * sizeOf(x.shape), 0),
});

/** Euclidean norm of all the arrays together, f32 []. */
export function globalNorm(values: readonly Value[]): Value {
  return values[0]!.graph.add('globalNorm', values)[0]!;
}

/** Factor min(1, limit/(norm + 1e-6)) that brings gradients of this norm to at most `limit` (as torch.nn.utils.clip_grad_norm_). */
export function clipScale(norm: Value, limit: number): Value {
  return minimum(scalar(norm, 1), div(scalar(norm, limit), add(norm, scalar(norm, 1e-6))));
}
