/** The ranking as a table for CSV: a row per setting, whatever it is ranked among. */
import { labelOf } from '../../../preload/shared/results/groups.ts';
import type { Rankings } from '../../../preload/shared/results/rank.ts';
import { reasonsOf, unfinishedWords, verdictWords } from '../../../preload/shared/results/words.ts';
import type { Cell } from '../../../preload/shared/csv.ts';

export function rankTable({ groups, metric }: Rankings): [string[], Cell[][]] {
  const { columns } = groups[0];
  const several = groups.length > 1;
  const header = [
    ...(several ? ['ranked among'] : []),
    'rank',
    ...columns,
    `${metric} mean`,
    'sd (n-1)',
    'N',
    'seeds',
    'min',
    'max',
    'verdict',
    'difference from the best',
    'half of its interval',
    'level of the interval',
    'p',
    'p corrected (Holm)',
    'not counted',
    'reasons',
    'mean seconds',
  ];
  const rows = groups.flatMap((ranking) =>
    ranking.rows.map((row): Cell[] => {
      const { difference: d, metric: m } = row;
      return [
        ...(several ? [labelOf(ranking.basis)] : []),
        row.rank ?? '',
        ...columns.map((name) => row.values[name] ?? ''),
        m.mean,
        m.sd,
        m.n,
        row.runs.length,
        m.min,
        m.max,
        verdictWords(row, ranking),
        ...(d === undefined ? ['', '', '', '', ''] : [d.mean, d.half, d.level, d.p, d.adjusted]),
        unfinishedWords(row),
        reasonsOf(row).join(' | '),
        row.seconds.mean,
      ];
    }),
  );
  return [header, rows];
}
