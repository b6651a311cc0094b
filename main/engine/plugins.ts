/**
 * Plug-ins: a user's TypeScript files that add kinds and settings without touching Sweeplab.
 *
 *     export default (sweeplab) => ({
 *       name: 'my-idea',
 *       kinds: [sweeplab.defineOptimizer({ name: 'signum', help: '…', moments: () => ['momentum'], apply: (…) => … })],
 *     });
 *
 * The lab and the engine's process load the same files. The older form `models: { name: { name, settings, build } }` goes on working.
 */
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { markOf, textOf } from '../../preload/shared/textEncoding.ts';
import type { Config, SettingSpec } from '../../preload/contract/settings.ts';
import { defineAccumulation } from './batch/accumulation/accumulation.ts';
import { defineLength } from './batch/lengths/length.ts';
import { defineBatch } from './batch/sizes/size.ts';
import { Catalog } from './catalog.ts';
import { defineCorpus } from './data/corpora/corpusKind.ts';
import { CorpusBuilder } from './data/corpusBuilder.ts';
import { defineTokenizer } from './data/tokenizers/tokenizer.ts';
import * as operations from './graph/ops/index.ts';
import { DeclarationError } from './kind.ts';
import type { Kind } from './kind.ts';
import { readsOf } from './nn/context.ts';
import { defineAttention } from './nn/attention/attention.ts';
import { defineParametrization } from './nn/parametrization/parametrization.ts';
import { defineModel } from './nn/model.ts';
import type { ModelKind } from './nn/model.ts';
import { defineAverage } from './optim/averages/average.ts';
import { defineDecay } from './optim/decays/decay.ts';
import { defineMomentum } from './optim/momenta/momentum.ts';
import { defineOptimizer } from './optim/optimizers/optimizer.ts';
import { defineSchedule } from './optim/schedules/schedule.ts';
import { Stream } from './random/stream.ts';
import { defineMetric } from './train/measures/index.ts';
import { guarded } from './pluginGuard.ts';
import { nearestName } from '../../preload/shared/settings/nearest.ts';

export interface Plugin {
  readonly name: string;
  readonly file: string;
  /** Of every family; those that the engine does not know are the lab's. */
  readonly kinds: readonly Kind[];
  /** Settings of no kind. */
  readonly settings: readonly SettingSpec[];
  /** Expressions that every configuration must satisfy. */
  readonly constraints: readonly string[];
}

/** A plug-in that cannot be used; the message names its file. */
export class PluginError extends DeclarationError {
  override readonly name = 'PluginError';
}

/** What a plug-in's function is called with, of the engine; the lab adds define functions of its own families. */
export const PLUGIN_API = {
  ops: operations,
  defineModel,
  defineAttention,
  defineParametrization,
  defineOptimizer,
  defineSchedule,
  defineDecay,
  defineMomentum,
  defineAverage,
  defineMetric,
  defineTokenizer,
  defineBatch,
  defineLength,
  defineAccumulation,
  defineCorpus,
  /** For corpora that make their text: documents one after another, and numbers that a seed decides. */
  CorpusBuilder,
  Stream,
};

const DEFINE = /^define([A-Z])(.*)$/u;

/** `defineModel` → `model`; undefined for what defines no family. */
function familyOf(name: string): string | undefined {
  const [, first, rest] = DEFINE.exec(name) ?? [];
  return first === undefined ? undefined : first.toLowerCase() + rest;
}

/**
 * In the engine's own process: kinds of families that only the lab knows are taken as they come. The lab has checked them when it loaded
 * the same file.
 */
const IN_ENGINE: object = new Proxy(PLUGIN_API, {
  get(api, name, receiver) {
    const family = typeof name === 'string' && !(name in api) ? familyOf(name) : undefined;
    return family === undefined
      ? (Reflect.get(api, name, receiver) as unknown)
      : (kind: object) => ({ ...kind, family });
  },
});

/** `api` that says by name what it does not have. */
function strict(api: object): object {
  const names = Object.keys(api);
  return new Proxy(api, {
    get(target, name, receiver) {
      if (typeof name === 'string' && !(name in target) && familyOf(name) !== undefined) {
        const near = nearestName(name, names);
        throw new DeclarationError(
          `there is no sweeplab.${name}${near === undefined ? '' : `; did you mean ${near}?`}`,
        );
      }
      return Reflect.get(target, name, receiver) as unknown;
    },
  });
}

/** `kinds.0.settings.1.type` → `kinds.0 (optimizer lion).settings.1.type`: people know their kinds by name. */
function placeOf(path: readonly PropertyKey[], made: unknown): string {
  if (path.length === 0) return 'what it returns';
  const [list, at, ...rest] = path;
  const kind = list === 'kinds' ? (made as { kinds: Partial<Kind>[] }).kinds[Number(at)] : undefined;
  if (kind === undefined) return path.join('.');
  const name = kind.name === undefined ? '' : ` (${kind.family ?? 'kind'} ${kind.name})`;
  return [`kinds.${String(at)}${name}`, ...rest.map(String)].join('.');
}

/** A model of the older form, which does not say what it reads: that is found by building it. */
export function olderModel(file: string, model: Pick<ModelKind, 'name' | 'settings' | 'build'>): ModelKind {
  return {
    ...defineModel({
      name: model.name,
      help: `A model of the plug-in ${file}.`,
      settings: model.settings ?? [],
      build: (m) => model.build(m),
    }),
    reads: (config: Config) => readsOf(model.build.bind(model), config),
  };
}

/** Imports a plug-in file (an absolute path) and checks what it returns. @throws PluginError naming file, kind and field */
export async function loadPlugin(file: string, api: object = PLUGIN_API): Promise<Plugin> {
  const fail = (detail: string, cause?: unknown): never => {
    throw new PluginError(`plug-in ${file}: ${detail}`, { cause });
  };
  let made: unknown;
  try {
    const module = (await import(pathToFileURL(file).href)) as { default?: unknown };
    if (typeof module.default !== 'function')
      return fail('must `export default` a function (sweeplab) => ({ name, kinds })');
    made = await (module.default as (api: object) => unknown)(api === IN_ENGINE ? api : strict(api));
  } catch (error) {
    if (error instanceof PluginError) throw error;
    if (error instanceof DeclarationError) return fail(error.message, error);
    return fail(`cannot be loaded: ${(await otherEncoding(file)) ?? (error as Error).message}`, error);
  }
  // Loaded with the first plug-in: most commands have none, and should not wait for it.
  const { pluginShape } = await import('./pluginShape.ts');
  const parsed = pluginShape.safeParse(made);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return fail(`${placeOf(issue!.path, made)}: ${issue!.message}`);
  }
  const { name, settings, constraints, models } = parsed.data;
  for (const [kind, model] of Object.entries(models))
    if (model.name !== kind)
      return fail(`models.${kind}: its name is ${JSON.stringify(model.name)}, but must be ${JSON.stringify(kind)}`);
  // Kinds are passed on as they were made: functions that use `this`, classes.
  const whole = made as { kinds?: readonly Kind[]; models?: Readonly<Record<string, ModelKind>> };
  const older = Object.values(whole.models ?? {}).map((model) => olderModel(file, model));
  const wrong = (detail: string, cause: unknown): PluginError =>
    new PluginError(`plug-in ${file}: ${detail}`, { cause });
  const kinds = [...(whole.kinds ?? []), ...older].map((kind) => guarded(kind, wrong));
  return { name, file, kinds, settings, constraints };
}

/** Why a file cannot be loaded as a program whatever it holds: it is in another encoding than UTF-8. Undefined where it is not. */
async function otherEncoding(file: string): Promise<string | undefined> {
  const bytes = await readFile(file).catch(() => Buffer.alloc(0));
  const mark = markOf(bytes);
  if (mark !== null && mark !== 'utf-8') return `it is ${mark.toUpperCase()}; save it as UTF-8`;
  try {
    textOf(bytes);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The catalogue with the kinds of these plug-in files (absolute paths). @throws PluginError */
export async function loadCatalog(files: readonly string[]): Promise<Catalog> {
  const plugins: Plugin[] = [];
  for (const file of files) plugins.push(await loadPlugin(file, IN_ENGINE));
  return new Catalog(plugins);
}
