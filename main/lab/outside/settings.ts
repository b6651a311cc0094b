/** What a script says of its configuration, as settings of a run: flat names, and the seed known as a seed. */
import { createHash } from 'node:crypto';
import type { Config, SettingValue } from '../../../preload/contract/settings.ts';

/** Names by which scripts call the seed, the usual ones first. */
const SEEDS = ['seed', 'random_seed', 'rng_seed', 'manual_seed', 'global_seed', 'random_state'] as const;
export const isSeed = (name: string): boolean => (SEEDS as readonly string[]).includes(name);

/** Where a run writes and what it is called tells nothing of what it trains: as settings, they would make each seed a setting of its own. */
const PLACES = new Set(
  'output_dir out_dir save_dir log_dir logging_dir checkpoint_dir ckpt_dir run_dir run_name run_id exp_name experiment_name wandb_run_name timestamp hostname'.split(
    ' ',
  ),
);
const MOST_SETTINGS = 2000;
const LONGEST_NAME = 200;
const LONGEST_TEXT = 20_000;
const DEEPEST = 16;

export interface OutsideSettings {
  /** Flat; the seed, where there is one, is `seed`. */
  readonly config: Config;
  /** Undefined: the script does not say. */
  readonly seed: number | undefined;
  /** Names and places of the run, which are no settings. */
  readonly about: Readonly<Record<string, SettingValue>>;
  /** Entries that were left out: too many, too deep, or with too long a name. */
  readonly left: number;
}

const lastPart = (name: string): string => name.slice(name.lastIndexOf('.') + 1);

/** A setting has one value: a list is its JSON text, what no JSON number can be is its name. Nothing is no value. */
function valueOf(value: unknown): SettingValue | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'string') return value.slice(0, LONGEST_TEXT);
  if (value === null || value === undefined) return undefined;
  return JSON.stringify(value).slice(0, LONGEST_TEXT);
}

/**
 * `{ model: { depth: 2 }, random_seed: 3 }` → `model.depth: 2, seed: 3`.
 *
 * @param names of the run itself: a text that holds one of them is no setting
 */
export function outsideSettings(tree: unknown, names: readonly string[] = []): OutsideSettings {
  const found = new Map<string, SettingValue>();
  const about = new Map<string, SettingValue>();
  let left = 0;
  const isAbout = (name: string, value: SettingValue): boolean =>
    PLACES.has(lastPart(name).toLowerCase()) ||
    (typeof value === 'string' && names.some((own) => own.length > 3 && value.includes(own)));
  const walk = (value: unknown, name: string, depth: number): void => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0) {
      if (depth >= DEEPEST) return void left++;
      for (const [key, inner] of Object.entries(value)) walk(inner, name === '' ? key : `${name}.${key}`, depth + 1);
      return;
    }
    const single = valueOf(value);
    if (single === undefined || name === '') return;
    if (name.length > LONGEST_NAME || found.size >= MOST_SETTINGS) left++;
    else if (isAbout(name, single)) about.set(name, single);
    else found.set(name, single);
  };
  walk(tree, '', 0);
  const seed = takeSeed(found);
  return { config: Object.fromEntries(found), seed, about: Object.fromEntries(about), left };
}

/** Finds the seed and puts it under its one name. A seed deeper down counts where it is the only one. */
function takeSeed(found: Map<string, SettingValue>): number | undefined {
  const inner = [...found.keys()].filter((name) => name.includes('.') && SEEDS.some((seed) => lastPart(name) === seed));
  const name = SEEDS.find((each) => found.has(each)) ?? (inner.length === 1 ? inner[0] : undefined);
  if (name === undefined) return undefined;
  const value = found.get(name)!;
  const seed = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof seed !== 'number' || !Number.isSafeInteger(seed)) return undefined;
  found.delete(name);
  found.set('seed', seed);
  return seed;
}

/** Equal for the seeds of one setting. */
export function outsideSettingKey(config: Config): string {
  const names = Object.keys(config).filter((name) => name !== 'seed');
  const text = JSON.stringify(names.sort().map((name) => [name, config[name]]));
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
