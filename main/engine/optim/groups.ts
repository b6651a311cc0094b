/**
 * Parameter groups: which parameters have a learning rate, betas, a decay or a schedule of their own. `optimizer.groups` is a text, a group
 * on each line (or between semicolons), and a parameter belongs to the first group that names it:
 *
 *   head: lr_scale 2, beta1 0.6, schedule power_law, schedule.power 0.2, schedule.warmup_steps 0
 *   *.value_embedding.*: lr 0.15, weight_decay 0.01
 *
 * Before the colon: a role, `position` for what says where tokens stand, or a pattern of parameter names. After it: settings of the optimizer
 * without their section, settings of the schedule with it, `schedule` for its kind, and `lr_scale` for a multiple of optimizer.lr.
 */
import type { Config, SettingProblem, SettingSpec, SettingValue } from '../../../preload/contract/settings.ts';
import { nearestName } from '../../../preload/shared/settings/nearest.ts';
import { describeType, parseValue, problem } from '../../../preload/shared/settings/values.ts';

export const GROUPS = 'optimizer.groups';
const ROLES = ['matrix', 'embedding', 'head', 'vector'];
const POSITION = 'position';
const LR_SCALE = 'lr_scale';
/** Settings that mean the whole model. */
const OF_ALL: ReadonlySet<string> = new Set([GROUPS, 'optimizer.kind', 'optimizer.clip', 'optimizer.decay_embedding']);
const UNITS = ['_steps', '_tokens', '_fraction'];

/** What a group is told by. */
export interface Grouped {
  readonly name: string;
  readonly role: string;
  readonly part?: string | undefined;
}

export interface GroupLine {
  /** As metrics call it. */
  readonly name: string;
  readonly selector: string;
  readonly includes: (parameter: Grouped) => boolean;
  /** Multiple of optimizer.lr; undefined: that of the role. */
  readonly lrScale: number | undefined;
  /** Settings that are others for this group, by their full name. */
  readonly settings: Config;
  /** Whether numbers of the rule itself, not only rate and decay, are others. */
  readonly ownRule: boolean;
  readonly ownSchedule: boolean;
}

/** What the update of a parameter group needs to know. */
export interface GroupSpec {
  readonly name: string;
  /** Multiple of the scheduled learning rate. */
  readonly lrScale: number;
  readonly weightDecay: number;
  /** Whether the group says what its decay is: it does not follow that of the run then. */
  readonly ownDecay?: boolean;
  /** Settings of the schedule that are others for this group. */
  readonly schedule?: Config | undefined;
}

/** What is wrong, and the text without it where that is clear. */
class GroupError extends Error {
  readonly allowed: string;
  readonly instead: readonly [wrong: string, right: string] | undefined;

  constructor(why: string, allowed: string, instead?: readonly [string, string]) {
    super(why);
    this.allowed = allowed;
    this.instead = instead;
  }
}

/** Whether names of parameters are meant, not a role. */
export const isPattern = (selector: string): boolean => /[*.]/u.test(selector);

function includes(selector: string): GroupLine['includes'] {
  if (selector === POSITION) return ({ part }) => part === POSITION;
  if (!isPattern(selector)) return ({ role }) => role === selector;
  const escaped = selector.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/gu, '\\$&'));
  const whole = new RegExp(`^${escaped.join('.*')}$`, 'u');
  return ({ name }) => whole.test(name);
}

/** A pattern without what it leaves open: `*.value_embedding.*` is value_embedding. */
const nameOf = (selector: string): string =>
  selector
    .replaceAll('*', '')
    .replaceAll(/\.{2,}/gu, '.')
    .replaceAll(/^\.|\.$/gu, '') || 'all';

/** The names by which the settings may be given in a group. */
function optionsOf(specs: readonly SettingSpec[]): ReadonlyMap<string, SettingSpec> {
  const options = new Map<string, SettingSpec>();
  for (const spec of specs) {
    const [section, ...rest] = spec.name.split('.');
    if (OF_ALL.has(spec.name) || spec.name.startsWith('optimizer.lr_scale_')) continue;
    if (section === 'optimizer') options.set(rest.join('.'), spec);
    else options.set(spec.name === 'schedule.kind' ? 'schedule' : spec.name, spec);
  }
  return options;
}

function readOption(text: string, line: string, options: ReadonlyMap<string, SettingSpec>): [string, SettingValue] {
  const [, name, value] = /^([\w.]+)(?:\s*=\s*|\s+)(\S.*)$/u.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new GroupError(
      `"${text}" of the group ${line} is no name and value`,
      'options of the form NAME VALUE, with commas between them',
    );
  if (name === LR_SCALE) {
    const factor = Number(value);
    if (value.trim() === '' || !(factor >= 0 && Number.isFinite(factor)))
      throw new GroupError(`lr_scale of the group ${line} is ${value}`, 'a number at least 0');
    return [LR_SCALE, factor];
  }
  const spec = options.get(name);
  if (spec === undefined) {
    const names = [LR_SCALE, ...options.keys()];
    const near = nearestName(name, names);
    throw new GroupError(
      `the group ${line} has no option ${name}`,
      `options ${names.filter((each) => !each.startsWith('schedule.')).join(', ')}, and settings of the schedule by their full name`,
      near === undefined ? undefined : [name, near],
    );
  }
  const parsed = parseValue(spec, value);
  if (parsed.problem === undefined) return [spec.name, parsed.value];
  const { nearest } = parsed.problem;
  const instead = nearest === undefined ? undefined : ([value, String(nearest)] as const);
  throw new GroupError(`${name} of the group ${line} is ${value}`, `${name} ${describeType(spec.type)}`, instead);
}

/** What stands between separators, of which one at the end parts nothing. @throws GroupError where that is nothing */
function partsOf(text: string, separator: string, words: (wrong: string) => string): string[] {
  const parts = text.split(separator).map((each) => each.trim());
  if (parts.length > 1 && parts.at(-1) === '') parts.pop();
  if (!parts.includes('')) return parts;
  const full = parts.filter((each) => each !== '');
  const allowed = `something between every two of ${separator}`;
  throw new GroupError(words(`before ${separator}`), allowed, [text.trim(), full.join(`${separator} `)]);
}

function readLine(text: string, options: ReadonlyMap<string, SettingSpec>): GroupLine {
  const colon = text.indexOf(':');
  const selector = text.slice(0, Math.max(0, colon)).trim();
  const words = [...ROLES, POSITION];
  if (selector === '')
    throw new GroupError(
      `"${text}" names no parameters before a colon`,
      'lines of the form PARAMETERS: NAME VALUE, NAME VALUE',
    );
  if (!isPattern(selector) && !words.includes(selector)) {
    const near = nearestName(selector, words);
    throw new GroupError(
      `there are no parameters ${selector}`,
      `${words.join(', ')}, or a pattern of names such as block.0.*`,
      near === undefined ? undefined : [selector, near],
    );
  }
  const own = text.slice(colon + 1);
  if (own.trim() === '') throw new GroupError(`the group ${selector} has no options`, 'options after the colon');
  const given = partsOf(own, ',', (wrong) => `in the group ${selector} nothing stands ${wrong}`);
  const settings: Record<string, SettingValue> = {};
  let lrScale: number | undefined;
  for (const each of given) {
    const [name, value] = readOption(each, selector, options);
    if (name === LR_SCALE) lrScale = value as number;
    else settings[name] = value;
  }
  if (lrScale !== undefined && 'optimizer.lr' in settings)
    throw new GroupError(`the group ${selector} has both lr and lr_scale`, 'one of them');
  inOneUnit(settings, options);
  const names = Object.keys(settings);
  const ofRates = new Set(['optimizer.lr', 'optimizer.weight_decay']);
  return {
    name: nameOf(selector),
    selector,
    includes: includes(selector),
    lrScale,
    settings,
    ownRule: names.some((name) => name.startsWith('optimizer.') && !ofRates.has(name)),
    ownSchedule: names.some((name) => name.startsWith('schedule.')),
  };
}

/** A length that a group gives in one unit is not the one that all have in another. */
function inOneUnit(settings: Record<string, SettingValue>, options: ReadonlyMap<string, SettingSpec>): void {
  for (const name of Object.keys(settings)) {
    const unit = UNITS.find((each) => name.endsWith(each));
    if (unit === undefined || !name.startsWith('schedule.')) continue;
    for (const other of UNITS) {
      const sibling = name.slice(0, -unit.length) + other;
      if (other !== unit && options.has(sibling) && !(sibling in settings)) settings[sibling] = 0;
    }
  }
}

/** The groups that a text describes. `specs` are the settings that a group may have otherwise. @throws Error in words */
export function readGroups(text: string, specs: readonly SettingSpec[]): readonly GroupLine[] {
  const options = optionsOf(specs);
  const lines = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .flatMap((line) => partsOf(line, ';', (wrong) => `no group stands ${wrong}`))
    .map((line) => readLine(line, options));
  const twice = lines.find(({ selector }, i) => lines.findIndex((each) => each.selector === selector) < i);
  if (twice !== undefined) throw new GroupError(`the group ${twice.selector} stands twice`, 'each of them once');
  const taken = new Map<string, number>();
  return lines.map((line) => {
    const before = taken.get(line.name) ?? 0;
    taken.set(line.name, before + 1);
    return before === 0 ? line : { ...line, name: `${line.name}-${before + 1}` };
  });
}

/** What is wrong with a text of groups, if anything. */
export function groupsProblem(text: string, specs: readonly SettingSpec[]): SettingProblem | null {
  try {
    readGroups(text, specs);
    return null;
  } catch (error) {
    if (!(error instanceof GroupError)) throw error;
    const { allowed, instead, message } = error;
    const nearest = instead === undefined ? undefined : text.replace(instead[0], () => instead[1]);
    return problem(GROUPS, text, allowed, nearest, message);
  }
}
