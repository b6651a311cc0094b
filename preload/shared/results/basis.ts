/**
 * What a value rests on beside the model: the text that was scored, the tokenizer, the data. Only runs that share it can be ranked
 * together: a loss over other text, or per token of another tokenizer, is another quantity.
 */
import type { Config } from '../../contract/settings.ts';
import type { Basis } from '../metrics.ts';
import { differingSettings, pick } from './groups.ts';
import type { SweepRun } from './samples.ts';

/** Where the engine recorded it. */
const RECORDED: Readonly<Record<Basis, string>> = { text: 'scoredText', tokenizer: 'tokenizer', data: 'dataset' };

/** In words, for a list of things that differ. */
export const BASIS_WORDS: Readonly<Record<Basis, string>> = {
  text: 'validation text',
  tokenizer: 'tokenizer',
  data: 'training data',
};

/** Settings of the text that change neither text nor split. */
const IDLE = new Set(['data.batching', 'data.document_mask']);
const isData = (name: string): boolean => name.startsWith('data.') && !IDLE.has(name);
const isTokenizer = (name: string): boolean => name.startsWith('tokenizer.');

/** Settings that decide it, as far as they can tell: a file may change while its name stays. */
function decides(basis: Basis, config: Config): (name: string) => boolean {
  if (basis === 'tokenizer') return (name) => isTokenizer(name) || (config['tokenizer.kind'] === 'bpe' && isData(name));
  if (basis === 'data') return (name) => isTokenizer(name) || isData(name);
  // So many tokens are another text in another tokenizer.
  const part = Number(config['eval.tokens'] ?? 0) > 0;
  return (name) => isData(name) || name === 'eval.tokens' || (part && isTokenizer(name));
}

const keys = new WeakMap<Config, Partial<Record<Basis, string>>>();

function settingsKey(basis: Basis, config: Config): string {
  let known = keys.get(config);
  if (known === undefined) keys.set(config, (known = {}));
  return (known[basis] ??= JSON.stringify(
    Object.keys(config)
      .filter(decides(basis, config))
      .sort()
      .map((name) => [name, config[name]]),
  ));
}

export interface Bases<R> {
  /** Equal for runs whose values rest on the same. */
  readonly of: (run: R) => string;
  /** Of these bases some runs did not record what they rest on; it was taken from their settings. */
  readonly assumed: readonly Basis[];
}

/**
 * Names what the values of runs rest on. Runs of earlier versions did not record it: they are taken to rest on what the other runs with
 * the same data settings recorded, or else all on the same text, unless their dataset says that it is another.
 */
export function basesOf<R extends Pick<SweepRun, 'config' | 'state' | 'environment'>>(
  runs: readonly R[],
  within: readonly Basis[],
): Bases<R> {
  const assumed = new Set<Basis>();
  const names = within.map((basis) => nameBy(runs, basis, () => assumed.add(basis)));
  const known = new Map(runs.map((run) => [run, names.map((name) => name(run)).join(' ')]));
  return { of: (run) => known.get(run) ?? names.map((name) => name(run)).join(' '), assumed: [...assumed] };
}

const recorded = (run: Pick<SweepRun, 'environment'>, name: string): string | undefined => {
  const value = run.environment?.[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

function nameBy<R extends Pick<SweepRun, 'config' | 'state' | 'environment'>>(
  runs: readonly R[],
  basis: Basis,
  onAssumed: () => void,
): (run: R) => string {
  let same: Map<string, R[]> | undefined;
  return (run) => {
    const own = recorded(run, RECORDED[basis]);
    if (own !== undefined) return own;
    same ??= Map.groupBy(
      runs.filter((each) => recorded(each, RECORDED[basis]) !== undefined),
      ({ config }) => settingsKey(basis, config),
    );
    const key = settingsKey(basis, run.config);
    const others = same.get(key) ?? [];
    const dataset = recorded(run, 'dataset');
    // A run that never began is no value, so that nothing is assumed about one.
    if (run.state === 'finished') onAssumed();
    const sameData = others.find((other) => dataset !== undefined && recorded(other, 'dataset') === dataset);
    if (sameData !== undefined) return recorded(sameData, RECORDED[basis])!;
    const names = new Set(others.map((other) => recorded(other, RECORDED[basis])));
    // With the same tokenizer the same text would have been the same dataset.
    const tokens = settingsKey('tokenizer', run.config);
    const contradicted =
      dataset !== undefined && others.some(({ config }) => settingsKey('tokenizer', config) === tokens);
    return names.size === 1 && !contradicted ? [...names][0]! : `settings ${key}`;
  };
}

/**
 * What tells groups of runs apart that rest on different things, by the settings that decide it: `data.corpus stories`. Where these are
 * the same (a file changed), by the recorded names.
 */
export function basisLabels(
  groups: readonly (readonly Pick<SweepRun, 'config' | 'environment'>[])[],
  within: readonly Basis[],
): Readonly<Record<string, string | number | boolean>>[] {
  const all = groups.flat();
  const differing = differingSettings(all).filter((name) =>
    all.some(({ config }) => within.some((basis) => decides(basis, config)(name))),
  );
  const labels = groups.map(([run]) => pick(run.config, differing));
  if (new Set(labels.map((label) => JSON.stringify(label))).size === groups.length) return labels;
  return groups.map(([run], i) => ({
    ...labels[i],
    ...Object.fromEntries(
      within.map((basis) => [BASIS_WORDS[basis], recorded(run, RECORDED[basis])?.slice(0, 8) ?? 'unknown']),
    ),
  }));
}
