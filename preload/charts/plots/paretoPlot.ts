/** The Pareto front of a sweep with what must be said of it, and its numbers. */
import { csvTable } from '../../shared/csv.ts';
import { formatSetting } from '../../shared/format.ts';
import { labelOf } from '../../shared/results/groups.ts';
import type { Ranking } from '../../shared/results/rank.ts';
import { absentNote } from '../../shared/results/words.ts';
import type { Plot } from '../draw/plot.ts';
import { paretoScript } from '../draw/script.ts';
import type { Look } from '../sweep/look.ts';
import { paretoOption } from '../sweep/paretoOption.ts';
import type { Cost } from '../sweep/paretoOption.ts';

export function paretoPlot(ranking: Ranking, cost: Cost, look: Look): Plot {
  const title = `${ranking.metric} against ${cost.label}`;
  const notes = [
    [
      `Means over the seeds that finished, bars: ± sd (n − 1). The dashed front joins the settings that no other beats in both ${cost.label} and ${ranking.metric}; hollow points have fewer seeds and beat nobody.`,
      absentNote(ranking.rows),
    ]
      .filter(Boolean)
      .join(' '),
  ];
  return {
    title,
    theme: look.theme,
    panels: [{ title: '', option: ({ width }) => paretoOption(ranking, cost, look, width) }],
    legend: [],
    notes,
    csv: () =>
      csvTable(
        ['setting', cost.label, 'sd (n-1)', ranking.metric, 'sd (n-1)', 'N', 'seeds'],
        ranking.rows.map((row) => [
          labelOf(row.values, formatSetting),
          cost.of(row),
          cost.spread?.(row) ?? '',
          row.metric.mean,
          row.metric.sd,
          row.metric.n,
          row.runs.length,
        ]),
      ),
    script: () => paretoScript({ title, notes }, ranking.goal === 'maximize'),
  };
}
