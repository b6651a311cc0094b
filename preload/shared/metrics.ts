/**
 * What is known of a metric. Each is declared once, where it is measured (main/engine/train/measures); the interface gets the declarations
 * over the wire. Here is the look-up.
 */
import type { Goal, MetricSpec } from '../contract/metrics.ts';
import { placeOf } from './metricPlace.ts';

export type { Basis, Goal, MetricSpec } from '../contract/metrics.ts';

/** The section of a metric that nobody declared is its prefix: `eval/f1` → `eval`; without one it comes under `run`. */
function sectionOf(name: string): string {
  const slash = name.indexOf('/');
  return slash > 0 ? name.slice(0, slash) : 'run';
}

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/gu, String.raw`\$&`);
/** What the name of a family matches: each `*` stands for anything. */
export const patternOf = (name: string): RegExp => new RegExp(`^${name.split('*').map(escaped).join('.*')}$`, 'u');

/** Declared metrics, and what can be told of any other by its name. */
export class MetricCatalog {
  readonly specs: readonly MetricSpec[];
  readonly #exact: ReadonlyMap<string, MetricSpec>;
  readonly #families: readonly { readonly spec: MetricSpec; readonly pattern: RegExp }[];
  readonly #found = new Map<string, MetricSpec>();
  readonly #places: ReadonlyMap<string, number>;
  readonly #sections: readonly string[];

  /** @param specs in the order in which charts and lists show them; of two that match, the exact name wins, then the first */
  constructor(specs: readonly MetricSpec[]) {
    this.specs = specs;
    this.#exact = new Map(specs.filter(({ name }) => !name.includes('*')).map((spec) => [spec.name, spec]));
    this.#families = specs
      .filter(({ name }) => name.includes('*'))
      .map((spec) => ({ spec, pattern: patternOf(spec.name) }));
    this.#places = new Map(specs.map((spec, i) => [spec.name, i]));
    this.#sections = [...new Set(specs.map(({ section }) => section))];
  }

  /** Facts of a metric under its own name, also of one that was imported and nobody declared. */
  get(name: string): MetricSpec {
    const exact = this.#exact.get(name) ?? this.#found.get(name);
    if (exact !== undefined) return exact;
    // Of one layer or head: the facts of the metric, where it is declared to have them.
    const of = placeOf(name);
    const placed = of.layer === undefined ? undefined : this.#exact.get(of.name);
    const family = placed?.by === undefined ? this.#families.find(({ pattern }) => pattern.test(name))?.spec : placed;
    const spec = { unit: '', help: '', ...family, name, section: family?.section || sectionOf(name) };
    this.#found.set(name, spec);
    return spec;
  }

  /** Which way to rank by it. Where neither is known to be better, lower is: most of what is logged is a loss or a cost. */
  goal(name: string): Goal {
    return this.get(name).better === 'higher' ? 'maximize' : 'minimize';
  }

  /** Names that settings can be ranked by, as far as they are known before anything is logged. */
  get rankable(): readonly string[] {
    return [...this.#exact.values()].filter(({ better }) => better !== undefined).map(({ name }) => name);
  }

  /** What charts can have as x, beside the step. */
  get axes(): readonly MetricSpec[] {
    return [...this.#exact.values()].filter(({ axis }) => axis !== undefined);
  }

  /** Order of charts and lists: by section, then as declared, then by name. */
  readonly compare = (a: string, b: string): number => {
    const [x, y] = [this.get(a), this.get(b)];
    const place = (section: string): number => {
      const at = this.#sections.indexOf(section);
      return at < 0 ? this.#sections.length : at;
    };
    const declared = (name: string): number => this.#places.get(name) ?? this.specs.length;
    return (
      place(x.section) - place(y.section) ||
      x.section.localeCompare(y.section) ||
      declared(a) - declared(b) ||
      a.localeCompare(b)
    );
  };
}
