/**
 * Which settings matter for a metric. Three views, because each alone misleads:
 *
 * - `importance`: permutation importance of a random forest on rows that each tree did not see: how much the squared error grows
 *   when the setting's column is shuffled, as a share of all settings. Sees interactions; needs some dozen runs.
 * - `mainEffect`: the share of the metric's variance between the setting's values (η², one-way ANOVA). Exact in a full grid.
 * - `correlation`: Spearman's ρ for numeric settings: the direction. Zero for a U-shaped effect, however strong.
 *
 * Deterministic: the forest has a fixed seed.
 */
import { counted } from '../../shared/format.ts';
import type { SettingValue } from '../../contract/settings.ts';
import { growForest, predict } from './forest.ts';
import { seededRandom } from './random.ts';
import { wildBootstrap } from '../../shared/statistics/bootstrap.ts';
import { spearman } from '../../shared/statistics/spearman.ts';

export interface ImportanceRow {
  readonly setting: string;
  /** 0 … 1; all settings add up to 1, or all are 0 when nothing could be learned. */
  readonly importance: number;
  /** 0 … 1. */
  readonly mainEffect: number;
  /** −1 … 1; NaN for settings that are not numbers. */
  readonly correlation: number;
  readonly levels: number;
}

export interface Importance {
  readonly rows: readonly ImportanceRow[];
  /** Runs that were used. */
  readonly n: number;
  /** Share of the variance that the forest explains of rows it did not see; negative when it explains nothing. */
  readonly explained: number;
  readonly warning: string | undefined;
}

/** Runs per setting below which the ranking is mostly noise. */
const FEW_PER_SETTING = 8;

/** The settings by their main effect alone, the strongest first: cheap, and enough to choose what to look at. */
export function mainEffects(
  rows: readonly Readonly<Record<string, SettingValue>>[],
  metric: readonly number[],
  settings: readonly string[],
): string[] {
  const kept = rows.map((_, i) => i).filter((i) => Number.isFinite(metric[i]));
  const target = kept.map((i) => metric[i]);
  const variance = varianceOf(target);
  const effect = (setting: string): number => {
    const found = mainEffect(
      kept.map((i) => rows[i][setting]),
      target,
      variance,
    );
    return Number.isFinite(found) ? found : 0;
  };
  const effects = new Map(settings.map((setting) => [setting, effect(setting)]));
  return [...settings].sort((a, b) => effects.get(b)! - effects.get(a)!);
}

export function importanceOf(
  rows: readonly Readonly<Record<string, SettingValue>>[],
  metric: readonly number[],
  settings: readonly string[],
): Importance {
  const kept = rows.map((_, i) => i).filter((i) => Number.isFinite(metric[i]));
  const target = kept.map((i) => metric[i]);
  const values = settings.map((setting) => kept.map((i) => rows[i][setting]));
  const { views, forest } = viewsOf(values, target);
  const result = settings.map((setting, f) => ({ setting, ...views[f], levels: new Set(values[f]).size }));
  const order = [...result].sort((a, b) => b.importance - a.importance || b.mainEffect - a.mainEffect);
  return {
    rows: order,
    n: kept.length,
    explained: forest.explained,
    warning: warn(kept.length, settings.length, forest),
  };
}

/** The three views of each setting, in the order of the columns. */
function viewsOf(values: readonly (readonly SettingValue[])[], target: readonly number[], trees?: number) {
  const columns = values.map((column) => encode(column, target));
  const variance = varianceOf(target);
  const forest = forestImportance(columns, target, trees);
  const sum = forest.increase.reduce((a, b) => a + b, 0);
  const views = values.map((column, f) => ({
    importance: sum > 0 ? forest.increase[f] / sum : 0,
    mainEffect: mainEffect(column, target, variance),
    correlation: column.every((v) => typeof v === 'number') ? spearman(column, target) : Number.NaN,
  }));
  return { views, forest };
}

/** Standard errors of the three views of a setting; NaN where none is known. */
export type ImportanceErrors = Pick<ImportanceRow, 'importance' | 'mainEffect' | 'correlation'>;

/** Trees of a resample's forest: fewer, because the spread over resamples is asked for and not the value. */
const RESAMPLED_TREES = 50;
const MOST_RESAMPLES = 100;
const FEWEST_RESAMPLES = 20;
/** Runs times resamples: some seconds of work. */
const WORK = 10_000;

/**
 * How sure each view is, given the spread over seeds: standard errors by the wild bootstrap (preload/shared/statistics/bootstrap.ts) over
 * the runs of `importanceOf`. Takes seconds: see importanceWorker.ts. Deterministic.
 *
 * @returns in the order of `settings`, with how many resamples were drawn; none when no setting has two seeds
 */
export function importanceErrors(
  rows: readonly Readonly<Record<string, SettingValue>>[],
  metric: readonly number[],
  settings: readonly string[],
): { readonly errors: readonly ImportanceErrors[]; readonly resamples: number } {
  const kept = rows.map((_, i) => i).filter((i) => Number.isFinite(metric[i]));
  const values = settings.map((setting) => kept.map((i) => rows[i][setting]));
  const { errors, resamples } = wildBootstrap(
    kept.map((i) => metric[i]),
    kept.map((i) => JSON.stringify(settings.map((setting) => rows[i][setting]))),
    (target) =>
      viewsOf(values, target, RESAMPLED_TREES).views.flatMap((view) => [
        view.importance,
        view.mainEffect,
        view.correlation,
      ]),
    {
      resamples: Math.max(FEWEST_RESAMPLES, Math.min(MOST_RESAMPLES, Math.round(WORK / Math.max(1, kept.length)))),
      random: seededRandom(3),
    },
  );
  return {
    errors: settings.map((_, f) => ({
      importance: errors[3 * f],
      mainEffect: errors[3 * f + 1],
      correlation: errors[3 * f + 2],
    })),
    resamples,
  };
}

function warn(n: number, settings: number, forest: { readonly explained: number }): string | undefined {
  if (settings === 0) return 'No setting differs between these runs.';
  if (n < FEW_PER_SETTING * settings)
    return `${counted(n, 'run')} for ${counted(settings, 'setting')}: read the order as a hint. About ${FEW_PER_SETTING * settings} runs make it dependable.`;
  if (!(forest.explained > 0.3))
    return 'The settings explain little of the differences between these runs; the order is mostly noise.';
  return undefined;
}

/** Numbers as they are; other values in the order of their mean target, so that one split can part them well. */
function encode(column: readonly SettingValue[], target: readonly number[]): number[] {
  if (column.every((value) => typeof value === 'number')) return column as number[];
  const sums = new Map<SettingValue, { sum: number; n: number }>();
  for (const [i, value] of column.entries()) {
    const entry = sums.get(value) ?? { sum: 0, n: 0 };
    entry.sum += target[i];
    entry.n++;
    sums.set(value, entry);
  }
  const order = [...sums].sort(([, a], [, b]) => a.sum / a.n - b.sum / b.n).map(([value]) => value);
  return column.map((value) => order.indexOf(value));
}

function varianceOf(target: readonly number[]): number {
  const mean = target.reduce((a, b) => a + b, 0) / target.length;
  return target.reduce((a, b) => a + (b - mean) ** 2, 0) / target.length;
}

function mainEffect(column: readonly SettingValue[], target: readonly number[], variance: number): number {
  if (!(variance > 0)) return 0;
  const mean = target.reduce((a, b) => a + b, 0) / target.length;
  const groups = new Map<SettingValue, number[]>();
  for (const [i, value] of column.entries()) {
    const group = groups.get(value);
    if (group === undefined) groups.set(value, [target[i]]);
    else group.push(target[i]);
  }
  let between = 0;
  for (const group of groups.values())
    between += group.length * (group.reduce((a, b) => a + b, 0) / group.length - mean) ** 2;
  return between / (variance * target.length);
}

const REPEATS = 5;

function forestImportance(
  columns: readonly (readonly number[])[],
  target: readonly number[],
  grown?: number,
): { readonly increase: number[]; readonly explained: number } {
  const increase = columns.map(() => 0);
  const variance = varianceOf(target);
  if (target.length < 4 || !(variance > 0)) return { increase, explained: Number.NaN };
  const { trees } = growForest(columns, target, { trees: grown });
  const random = seededRandom(2);
  const votes = target.map(() => ({ sum: 0, n: 0 }));
  for (const { root, outOfBag } of trees) {
    if (outOfBag.length < 2) continue;
    let error = 0;
    for (const row of outOfBag) {
      const answer = predict(root, columns, row);
      votes[row].sum += answer;
      votes[row].n++;
      error += (answer - target[row]) ** 2;
    }
    for (const feature of columns.keys()) {
      for (let repeat = 0; repeat < REPEATS; repeat++) {
        const shuffled = [...outOfBag];
        for (let i = shuffled.length - 1; i > 0; i--) {
          const j = Math.floor(random() * (i + 1));
          [shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]];
        }
        let permuted = 0;
        for (const [i, row] of outOfBag.entries())
          permuted += (predict(root, columns, row, { feature, from: shuffled[i] }) - target[row]) ** 2;
        increase[feature] += (permuted - error) / outOfBag.length / REPEATS / trees.length;
      }
    }
  }
  let squares = 0;
  let seen = 0;
  for (const [i, { sum, n }] of votes.entries()) {
    if (n === 0) continue;
    squares += (sum / n - target[i]) ** 2;
    seen++;
  }
  // A useless setting comes out slightly negative by chance.
  return { increase: increase.map((v) => Math.max(0, v)), explained: 1 - squares / seen / variance };
}
