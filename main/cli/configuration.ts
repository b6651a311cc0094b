/** From recipe, config file and flags to one checked configuration. */
import type { Config, Problem } from '../../preload/contract/settings.ts';
import { LIMITS } from '../../preload/contract/limits.ts';
import { toldProblems } from '../../preload/shared/settings/values.ts';
import { knowing } from '../engine/executors/fastest.ts';
import type { FastestOn } from '../engine/executors/fastest.ts';
import { loadRecipe, parseConfigFile, resolveConfig } from '../lab/settings/index.ts';
import type { ResolveInput, SettingsSource } from '../lab/settings/index.ts';
import { readShort, whyUnread } from '../lab/shortText.ts';
import type { Context } from './context.ts';
import { InputError } from './errors.ts';

export interface Layers {
  readonly recipe?: string;
  /** Path of a config file. */
  readonly file?: string;
  readonly overrides?: Readonly<Record<string, unknown>>;
}

/** Reads a text file that the user named, or a pipe, no further than it may be long. @throws InputError */
export async function readText(path: string, what: string, most: number): Promise<string> {
  try {
    return await readShort(path, most, { pipes: true });
  } catch (error) {
    throw new InputError(`${what} ${path} ${whyUnread(error)}`);
  }
}

/** The recipe and file layers as the settings service takes them. A file may name the recipe that it starts from. */
async function readLayers({ recipe, file }: Layers): Promise<Omit<ResolveInput, 'registry' | 'overrides'>> {
  const parsed =
    file === undefined
      ? undefined
      : parseConfigFile(await readText(file, 'config file', LIMITS.configCharacters), file);
  const name = recipe ?? parsed?.recipe;
  const source: SettingsSource | undefined = name === undefined ? undefined : (await loadRecipe(name)).source;
  return { ...(source ? { recipe: source } : {}), ...(parsed ? { file: parsed } : {}) };
}

export interface Configuration {
  readonly config: Config;
  /** Settings that differ from their defaults. */
  readonly changed: readonly string[];
  /** The rule of each value that follows from others. */
  readonly derived: Readonly<Record<string, string>>;
  readonly warnings: readonly Problem[];
}

/** @param fastest what `precision.policy: auto` means, where not this machine is asked about @throws InputError that lists everything wrong */
export async function configure({ workshop }: Context, layers: Layers, fastest?: FastestOn): Promise<Configuration> {
  const { registry } = workshop;
  const { overrides = {} } = layers;
  const read = await readLayers(layers);
  const resolved = await knowing(() => resolveConfig({ registry, ...read, overrides, fastest }));
  const { config, problems, warnings, changed, derived } = resolved;
  refuse(problems);
  return { config, changed, derived, warnings };
}

/** Nobody reads on. */
const MOST_TOLD = 50;

/** @throws InputError when there is a problem */
export function refuse(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const lines = toldProblems(problems, MOST_TOLD);
  throw new InputError(
    lines.length === 1 ? lines[0] : `${problems.length} problems\n${lines.map((line) => `  ${line}`).join('\n')}`,
    problems,
  );
}
