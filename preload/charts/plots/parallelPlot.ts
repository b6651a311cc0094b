/** Parallel coordinates of a sweep with what must be said of them, and their numbers. */
import { csvTable } from '../../shared/csv.ts';
import type { Ranking } from '../../shared/results/rank.ts';
import { absentNote } from '../../shared/results/words.ts';
import type { Plot } from '../draw/plot.ts';
import { parallelScript } from '../draw/script.ts';
import type { Look } from '../sweep/look.ts';
import { parallelOption } from '../sweep/parallelOption.ts';

export function parallelPlot(ranking: Ranking, look: Look): Plot {
  const title = `${ranking.metric} of each setting`;
  const notes = [
    [
      'One line per setting (mean over its seeds), strong where it is near the best, dashed where it has fewer seeds than the best.',
      absentNote(ranking.rows),
    ]
      .filter(Boolean)
      .join(' '),
  ];
  return {
    title,
    theme: look.theme,
    panels: [{ title: '', option: () => parallelOption(ranking, look) }],
    legend: [],
    notes,
    csv: () =>
      csvTable(
        [...ranking.columns, ranking.metric, 'N', 'seeds'],
        ranking.rows.map((row) => [
          ...ranking.columns.map((name) => row.values[name] ?? ''),
          row.metric.mean,
          row.metric.n,
          row.runs.length,
        ]),
      ),
    script: () => parallelScript({ title, notes }, ranking.goal === 'maximize'),
  };
}
