/**
 * What rules and derived defaults said of configurations, by the settings that each of them read: combinations of a sweep that differ in
 * others only are the same question, which is asked once.
 */
import type { Config, SettingValue } from '../../contract/settings.ts';

/** What is asked depends on the settings that it reads from the configuration by name, and on nothing else that changes meanwhile. */
export interface Asked {
  /** @param what the rule or default: what it said is remembered for it */
  ask<T>(what: object, config: Config, answer: (config: Config) => T): T;
}

/** Everything is asked anew. */
export const ASKED_ANEW: Asked = { ask: (_, config, answer) => answer(config) };

/** More answers of one rule are not remembered: no two combinations were alike for it. */
const MOST_ANSWERS = 20_000;

/** The setting that is read next, and what follows for each of its values. */
interface Reads {
  readonly name: string;
  readonly next: Map<SettingValue | undefined, Reads | Answer>;
}
interface Answer {
  readonly value: unknown;
}
interface About {
  first: Reads | Answer | undefined;
  count: number;
}

const isAnswer = (found: Reads | Answer): found is Answer => 'value' in found;

export class Answers implements Asked {
  readonly #about = new Map<object, About>();

  ask<T>(what: object, config: Config, answer: (config: Config) => T): T {
    const about = this.#about.get(what) ?? { first: undefined, count: 0 };
    this.#about.set(what, about);
    let found = about.first;
    while (found !== undefined && !isAnswer(found)) found = found.next.get(config[found.name]);
    if (found !== undefined) return found.value as T;
    const { read, seen } = recorder(config);
    const value = answer(seen);
    if (read.names !== undefined && about.count < MOST_ANSWERS) {
      about.first = grown(about.first, [...read.names], config, { value });
      about.count++;
    }
    return value;
  }
}

/** A configuration that notes which settings are read from it, in order; no names once all of them were asked for. */
export function recorder(config: Config): { readonly read: { names: Set<string> | undefined }; readonly seen: Config } {
  const read: { names: Set<string> | undefined } = { names: new Set() };
  const seen = new Proxy(config, {
    get: (target, name: string) => {
      read.names?.add(name);
      return target[name];
    },
    has: (target, name: string) => {
      read.names?.add(name);
      return name in target;
    },
    ownKeys: (target) => {
      read.names = undefined;
      return Reflect.ownKeys(target);
    },
  });
  return { read, seen };
}

/** The tree with one answer more: at equal values the same settings are read, so that paths part only at values. */
function grown(tree: Reads | Answer | undefined, names: readonly string[], config: Config, answer: Answer) {
  const [name, ...rest] = names;
  if (name === undefined) return answer;
  const node: Reads = tree !== undefined && !isAnswer(tree) ? tree : { name, next: new Map() };
  node.next.set(config[node.name], grown(node.next.get(config[node.name]), rest, config, answer));
  return node;
}
