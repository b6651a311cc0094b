/** The settings that exist: built-in ones and those of plug-ins. Everything that needs to know a setting asks here. */
import type { Config, Question, SettingSpec } from '../../../preload/contract/settings.ts';
import { builtInCatalog } from '../../engine/catalog.ts';
import type { Catalog } from '../../engine/catalog.ts';
import { DeclarationError } from '../../engine/kind.ts';
import { holds } from '../../../preload/shared/settings/conditions.ts';
import { Expression, ExpressionError } from '../../../preload/shared/settings/expression.ts';
import { nearestName } from '../../../preload/shared/settings/nearest.ts';
import type { Rule } from '../../../preload/shared/settings/rules.ts';
import { checkValue } from '../../../preload/shared/settings/values.ts';

const NAME = /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$/u;

export const QUESTIONS: readonly Question[] = ['data', 'tokenizer', 'capacity', 'memory', 'stability', 'budget'];

/** Settings without a section (seed, device) are shown under this one. */
const GENERAL = 'general';

/** The part of a name before its first dot; `general` when there is none. */
export function sectionOf(name: string): string {
  const dot = name.indexOf('.');
  return dot < 0 ? GENERAL : name.slice(0, dot);
}

export { DeclarationError } from '../../engine/kind.ts';

export class SettingsRegistry {
  /** The kinds that the settings come from. */
  readonly catalog: Catalog;
  readonly specs: readonly SettingSpec[];
  readonly constraints: readonly Expression[];
  /** The complete configuration of all defaults. */
  readonly defaults: Config;
  readonly #byName: ReadonlyMap<string, SettingSpec>;
  readonly #when = new Map<string, Expression>();
  #readByCode: ReadonlyMap<string, readonly Rule[]> | undefined;

  /**
   * Throws DeclarationError for names used twice or ill formed, defaults that are not allowed, and wrong `when` and `auto` expressions.
   *
   * @param constraints expressions that every configuration must satisfy
   */
  constructor(catalog: Catalog, constraints: readonly string[] = []) {
    this.catalog = catalog;
    this.specs = catalog.settings;
    const byName = new Map<string, SettingSpec>();
    for (const spec of this.specs) {
      if (!NAME.test(spec.name))
        throw new DeclarationError(
          `setting ${JSON.stringify(spec.name)}: names are lower snake case, such as model.my_setting`,
        );
      if (byName.has(spec.name)) throw new DeclarationError(`setting ${spec.name} is declared twice`);
      if (!spec.help?.trim()) throw new DeclarationError(`setting ${spec.name} has no help`);
      if (!QUESTIONS.includes(spec.question))
        throw new DeclarationError(`setting ${spec.name}: question must be one of ${QUESTIONS.join(', ')}`);
      const wrong = checkValue(spec, spec.default);
      if (wrong) throw new DeclarationError(`setting ${spec.name} has a default that is not allowed: ${wrong.message}`);
      byName.set(spec.name, spec);
    }
    this.#byName = byName;
    this.defaults = Object.fromEntries(this.specs.map((spec) => [spec.name, spec.default]));
    for (const spec of this.specs) {
      if (spec.when !== undefined)
        this.#when.set(spec.name, this.#expression(spec.when, `when of setting ${spec.name}`));
      if (spec.auto !== undefined) this.#expression(`(${spec.auto}) >= 0`, `auto of setting ${spec.name}`);
    }
    this.constraints = constraints.map((source) => this.#expression(source, 'constraint'));
  }

  #expression(source: string, what: string): Expression {
    try {
      const expression = new Expression(source, this);
      expression.test(this.defaults);
      return expression;
    } catch (error) {
      if (error instanceof ExpressionError) throw new DeclarationError(`${what}: ${error.message}`, { cause: error });
      throw error;
    }
  }

  get(name: string): SettingSpec | undefined {
    return this.#byName.get(name);
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  /** Sections in order of declaration, each with its settings. */
  sections(): readonly { readonly name: string; readonly specs: readonly SettingSpec[] }[] {
    return [...Map.groupBy(this.specs, (spec) => sectionOf(spec.name))].map(([name, list]) => ({ name, specs: list }));
  }

  /** The six questions, each with the settings that answer it. */
  questions(): readonly { readonly question: Question; readonly specs: readonly SettingSpec[] }[] {
    return QUESTIONS.map((question) => ({ question, specs: this.specs.filter((spec) => spec.question === question) }));
  }

  /** Settings that the rules with a code read, of whatever kind; for `constraint` those that plug-ins' constraints name. */
  readBy(code: string): readonly string[] {
    this.#readByCode ??= Map.groupBy(this.catalog.allRules(), (rule) => rule.code);
    const ofRules = (this.#readByCode.get(code) ?? []).flatMap(({ settings }) => settings);
    return code === 'constraint' ? this.constraints.flatMap(({ names }) => names) : ofRules;
  }

  /** The setting that an unknown name most likely means. */
  suggest(name: string): string | undefined {
    return nearestName(name, this.#byName.keys());
  }

  /** The setting whose last part this is, where there is only one: `width` for `model.width`. */
  full(name: string): string | undefined {
    const found = this.names.filter((each) => each.endsWith(`.${name}`));
    return found.length === 1 ? found[0] : undefined;
  }

  /** False when the setting has no effect in this configuration; true where its `when` has no value (a division by zero). */
  applies(name: string, config: Config): boolean {
    const when = this.#when.get(name);
    return (when === undefined || holds(when, config)) && this.catalog.isRead(name, config);
  }

  /** When a setting applies, as declared; undefined: always. */
  whenOf(name: string): Expression | undefined {
    return this.#when.get(name);
  }

  /** Why a setting has no effect in this configuration. */
  whyWithoutEffect(name: string, config: Config): string {
    const when = this.#when.get(name);
    if (when !== undefined && !holds(when, config)) return `applies when ${when.explain(config)}`;
    return `model.kind ${String(config['model.kind'])} does not read it`;
  }
}

/** The registry of the built-in settings. */
export function builtInRegistry(): SettingsRegistry {
  return new SettingsRegistry(builtInCatalog);
}
