/** How each parameter moves: its rule and what that keeps, its group, and the weights that are evaluated in its place. */
import { add, cast, momentShapeOf, mul, scalar, state } from '../graph/ops/index.ts';
import type { UpdateRule } from '../graph/ops/index.ts';
import type { DType, Shape } from '../graph/value.ts';
import { changed } from '../changed.ts';
import type { Kinds } from '../kind.ts';
import { averageName, averages } from '../optim/averages/average.ts';
import { averageFamily } from '../optim/averages/index.ts';
import { GROUPS, isPattern } from '../optim/groups.ts';
import type { GroupLine } from '../optim/groups.ts';
import type { RuleUse } from '../optim/hyper.ts';
import { groupsOf } from '../optim/optimizers/groups.rules.ts';
import { optimizerFamily } from '../optim/optimizers/index.ts';
import { ruleOf } from '../optim/optimizers/optimizer.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { nearestName } from '../../../preload/shared/settings/nearest.ts';
import type { ReadWeights } from './context.ts';
import type { ParameterRole, ParameterSpec } from './model.ts';
import type { Parametrization } from './parametrization/parametrization.ts';
import { masterType, momentType } from './precision.ts';
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

const momentName = (parameter: string, moment: string): string => `${parameter}:${moment}`;

/** The average of the weights that a run keeps; undefined for none. */
export function averageOf(kinds: Kinds, config: Config): ((t: number) => number) | undefined {
  if (!averages(config)) return undefined;
  const kind = kinds.of(averageFamily, config);
  const settings = kinds.view(kind, config);
  return kind.share === undefined ? undefined : (t) => kind.share!(settings, t);
}

/** A number that the rule of a parameter keeps for it, and its state. */
export interface Moment {
  readonly name: string;
  readonly state: string;
  readonly shape: Shape;
  readonly dtype: DType;
}

function momentOf(
  { name, shape, role }: ParameterSpec,
  moment: string,
  rule: UpdateRule,
  policy: PrecisionPolicy,
): Moment {
  return {
    name: moment,
    state: momentName(name, moment),
    shape: momentShapeOf(rule, moment, shape),
    dtype: rule.momentType?.(moment) ?? momentType(policy, role),
  };
}

/** Factors of states whose sum the evaluated weights are. */
export type Evaluated = ReadonlyMap<string, number>;

function evaluatedOf({ name }: ParameterSpec, rule: UpdateRule, settings: Config): Evaluated | undefined {
  const given = rule.evaluated?.(settings);
  if (given === undefined) return undefined;
  return new Map(Object.entries(given).map(([key, factor]) => [key === 'p' ? name : momentName(name, key), factor]));
}

/** Reads the weights that are evaluated, where they are not the parameters themselves. */
export function evaluatedWeights(updates: readonly Updated[], policy: PrecisionPolicy): ReadWeights {
  const byName = new Map(updates.map((each) => [each.name, each]));
  return (graph, name) => {
    const found = byName.get(name);
    if (found?.evaluated === undefined) return undefined;
    const { shape, role, moments, evaluated } = found;
    const terms = [...evaluated].map(([from, factor]) => {
      const dtype = moments.find((moment) => moment.state === from)?.dtype ?? masterType(policy, role);
      const x = cast(state(graph, from, shape, dtype), 'f32');
      return factor === 1 ? x : mul(x, scalar(x, factor));
    });
    return terms.reduce((sum, term) => add(sum, term));
  };
}

export const readAverage: ReadWeights = (graph, name, shape) => state(graph, averageName(name), shape, 'f32');

/** A parameter and how it moves. */
export interface Updated extends ParameterSpec {
  /** The group of `optimizer.groups` that it belongs to, if any. */
  readonly line: GroupLine | undefined;
  readonly use: RuleUse;
  readonly moments: readonly Moment[];
  /** How much of it and of its moments the weights are that are evaluated; undefined where it is itself. */
  readonly evaluated: Evaluated | undefined;
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

/** Patterns that name no parameter of the model, in words: a part that is switched off, or a slip. */
function unusedGroups(lines: readonly GroupLine[], parameters: readonly ParameterSpec[]): string[] {
  const names = parameters.map(({ name }) => name);
  return lines
    .filter(({ selector, includes }) => isPattern(selector) && !parameters.some(includes))
    .map(({ selector }) => {
      const near = nearestName(selector, names);
      return `${GROUPS}: no parameter of this model is named ${selector}${near === undefined ? '' : `; nearest: ${near}`}`;
    });
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

export function parameterGroups(config: Config, parameters: readonly Updated[]): ParameterGroup[] {
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

export interface UpdatedModel {
  readonly config: Config;
  readonly kinds: Kinds;
  readonly parameters: readonly ParameterSpec[];
  readonly parametrization: Parametrization | undefined;
  readonly policy: PrecisionPolicy;
  /** Names of those that computation reads through a 16-bit copy. */
  readonly working: ReadonlySet<string>;
}

/** How the parameters of a model move, and the rules in use. */
export function parameterUpdates({ config, kinds, parameters, parametrization, policy, working }: UpdatedModel): {
  readonly updates: readonly Updated[];
  readonly uses: readonly RuleUse[];
  /** Groups that mean nothing here, in words. */
  readonly unused: readonly string[];
} {
  const optimizer = kinds.of(optimizerFamily, config);
  const settings = kinds.view(optimizer, config);
  const lines = groupsOf(config, optimizer, kinds.all(optimizerFamily), kinds);
  const uses = new Map<string, RuleUse>();
  const updates = parameters.map((spec): Updated => {
    const line = lines.find((each) => each.includes(spec));
    const own = line?.ownRule === true ? changed(settings, line.settings) : settings;
    const rule = ruleOf(optimizer, spec, own);
    const name = line?.ownRule === true ? `${rule.name}@${line.name}` : rule.name;
    const use = uses.get(name) ?? { name, rule, settings: own };
    uses.set(name, use);
    const factors = groupFactors(spec, rule, parametrization);
    const moments = rule.moments(own).map((moment) => momentOf(spec, moment, rule, policy));
    const evaluated = evaluatedOf(spec, rule, own);
    return { ...spec, line, use, ...factors, moments, evaluated, copied: working.has(spec.name) };
  });
  return { updates, uses: [...uses.values()], unused: unusedGroups(lines, parameters) };
}
