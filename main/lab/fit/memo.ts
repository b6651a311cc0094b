/** Keys under which plans are remembered: only settings that change them count, so that a sweep over learning rates plans once. */
import type { Config } from '../../../preload/contract/settings.ts';
import { vocabularySizeOf } from './vocabulary.ts';

/** Sections that never change the graph, but for the settings that a key names itself. */
const OUTSIDE = /^(?:seed$|device$|data\.|tokenizer\.|optimizer\.|schedule\.|batch\.|eval\.|stop\.|log\.)/u;
/** Settings of the built-in model that change numbers, never shapes. */
const NUMBERS = new Set(['model.rope_base', 'model.norm_eps', 'model.init_std', 'model.residual_scale']);
/** Settings of the built-in model of which only "on or off" changes the graph. */
const SWITCHES = new Set(['model.dropout', 'model.softcap', 'model.attention_softcap']);
/** What an optimizer step is made of. */
const OPTIMIZER = ['optimizer.kind', 'optimizer.centered', 'optimizer.nesterov'];
const OPTIMIZER_SWITCHES = ['optimizer.momentum', 'optimizer.clip'];

/** Key of everything that shapes the model; settings of plug-ins count in full. */
export function modelKey(config: Config): string {
  const builtIn = config['model.kind'] === 'gpt';
  const parts: string[] = [`vocabulary=${vocabularySizeOf(config)}`, `masked=${isKeyMasked(config)}`];
  for (const [name, value] of Object.entries(config)) {
    if (OUTSIDE.test(name) || (builtIn && NUMBERS.has(name))) continue;
    parts.push(`${name}=${builtIn && SWITCHES.has(name) ? (value as number) > 0 : value}`);
  }
  return parts.join(' ');
}

export function optimizerKey(config: Config): string {
  const exact = OPTIMIZER.map((name) => `${name}=${config[name]}`);
  return [...exact, ...OPTIMIZER_SWITCHES.map((name) => `${name}=${(config[name] as number) > 0}`)].join(' ');
}

/** Whether batches may hold padding, which adds a mask to every program. */
export function isKeyMasked(config: Config): boolean {
  return config['data.batching'] === 'documents';
}

/** A map that forgets what was not asked for longest. */
export class Memo<T> {
  readonly #entries = new Map<string, T>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string, make: () => T): T {
    let value = this.#entries.get(key);
    if (value === undefined) {
      value = make();
      if (this.#entries.size >= this.#limit) this.#entries.delete(this.#entries.keys().next().value!);
    } else this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  clear(): void {
    this.#entries.clear();
  }
}
