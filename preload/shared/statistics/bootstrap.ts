/**
 * Standard errors of statistics that have no formula, from the spread over seeds: the wild bootstrap (Wu 1986; Liu 1988; Davison and
 * Hinkley 1997, section 6.2). The settings stay as they are; each value is taken as the mean of its setting plus or minus its own residual,
 * with signs drawn anew for every resample, so that settings may differ in their spread. A residual is divided by √(1 − 1/n) for the n
 * seeds of its setting: the standard error of a mean then is exactly s/√n. A setting of one seed has no residual of its own and takes the
 * pooled standard deviation of the others.
 */
import { meanOf, sdOf } from './describe.ts';

export interface Bootstrap {
  /** One per number that the statistic gives; NaN where no setting has two seeds, or too few resamples gave a finite number. */
  readonly errors: number[];
  readonly resamples: number;
}

/** What each value may move by, either way; undefined when no setting tells of a spread. */
function movesOf(values: readonly number[], settings: readonly (string | number)[]): [number[], number[]] | undefined {
  const members = Map.groupBy(values.keys(), (i) => settings[i]);
  const means = [...values];
  const moves = values.map(() => Number.NaN);
  let [squares, freedom] = [0, 0];
  for (const group of members.values()) {
    const n = group.length;
    const mean = group.reduce((sum, i) => sum + values[i], 0) / n;
    if (n > 1) freedom += n - 1;
    for (const i of group) {
      means[i] = mean;
      if (n < 2) continue;
      squares += (values[i] - mean) ** 2;
      moves[i] = (values[i] - mean) / Math.sqrt(1 - 1 / n);
    }
  }
  if (freedom === 0) return undefined;
  const pooled = Math.sqrt(squares / freedom);
  return [means, moves.map((move) => (Number.isNaN(move) ? pooled : move))];
}

/**
 * @param values finite, one per run
 * @param settings which setting each belongs to
 * @param statistic gives the same numbers, in the same order, for any values of these runs
 * @param random uniform in [0, 1)
 */
export function wildBootstrap(
  values: readonly number[],
  settings: readonly (string | number)[],
  statistic: (values: readonly number[]) => readonly number[],
  { resamples, random }: { readonly resamples: number; readonly random: () => number },
): Bootstrap {
  const found = movesOf(values, settings);
  if (found === undefined) return { errors: statistic(values).map(() => Number.NaN), resamples: 0 };
  const [means, moves] = found;
  const drawn = Array.from({ length: resamples }, () =>
    statistic(means.map((mean, i) => (random() < 0.5 ? mean - moves[i] : mean + moves[i]))),
  );
  return { errors: (drawn[0] ?? []).map((_, k) => spread(drawn.map((each) => each[k]))), resamples };
}

/** Standard deviation (n − 1) of the finite ones; NaN of fewer than two, or where they are less than half. */
function spread(all: readonly number[]): number {
  const values = all.filter(Number.isFinite);
  if (values.length < 2 || values.length < all.length / 2) return Number.NaN;
  return sdOf(values, meanOf(values));
}
