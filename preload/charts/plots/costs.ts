/** What a setting costs, over the runs of which its metric is the mean: what a failed run cost until then is no cost of its result. */
import { formatCount, formatDuration } from '../../shared/format.ts';
import type { RankedSetting } from '../../shared/results/rank.ts';
import type { SweepRun } from '../../shared/results/samples.ts';
import { describe } from '../../shared/statistics/describe.ts';
import type { Cost } from '../sweep/paretoOption.ts';

const mean =
  (of: (run: SweepRun) => number | null | undefined) =>
  ({ counted }: RankedSetting): number =>
    describe(counted.map((run) => of(run) ?? Number.NaN)).mean;

export const COSTS: readonly Cost[] = [
  {
    value: 'time',
    label: 'training time',
    of: (row) => row.seconds.mean,
    spread: (row) => row.seconds.sd,
    format: formatDuration,
    unit: 's',
  },
  { value: 'parameters', label: 'parameters', of: mean((run) => run.parameters), format: formatCount },
  { value: 'flops', label: 'training FLOPs', of: mean((run) => run.summary['flops']), format: formatCount },
  { value: 'tokens', label: 'tokens', of: mean((run) => run.tokens), format: formatCount },
];
