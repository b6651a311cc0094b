/** The table at the end of a sweep: each setting with mean ± sd over its seeds, the best one highlighted. */
import type { RunRecord, SweepRecord } from '../../preload/contract/runs.ts';
import { bestGroup, groupRuns, variedSettings } from '../lab/export/groups.ts';
import type { SettingGroup, Statistic } from '../lab/export/groups.ts';
import type { Store } from '../store/index.ts';
import { formatCount, formatNumber, formatSetting, plural } from './format.ts';
import type { Output } from './output.ts';
import { renderTable } from './table.ts';

export interface SweepResults {
  readonly varied: readonly string[];
  readonly groups: readonly SettingGroup[];
  /** What decides which setting is best. */
  readonly metric: string;
  readonly goal: 'minimize' | 'maximize';
  /** Index into `groups`. */
  readonly best: number | undefined;
  /** Exact entropy of the validation text, where it is known and the same for all runs. */
  readonly entropyFloor: number | undefined;
}

const SHOWN = ['val/bpb', 'val/loss'] as const;

/** @param names all settings in their order, for the columns */
export function sweepResults(store: Store, sweep: SweepRecord, names: readonly string[]): SweepResults {
  const runs = store.listRuns({ sweepId: sweep.id });
  const declared = (sweep.spec as { metric?: { name: string; goal?: 'minimize' | 'maximize' } } | null)?.metric;
  // Bits per byte compares models with different tokenizers; a loss per token does not.
  const metric = declared?.name ?? 'val/bpb';
  const goal = declared?.goal ?? 'minimize';
  const varied = variedSettings(runs, names);
  const groups = groupRuns(runs, [...new Set([metric, ...SHOWN])], varied);
  return { varied, groups, metric, goal, best: bestGroup(groups, metric, goal), entropyFloor: commonFloor(runs) };
}

function commonFloor(runs: readonly RunRecord[]): number | undefined {
  const floors = new Set(
    runs.filter(({ state }) => state === 'finished').map(({ environment }) => environment.entropyFloor),
  );
  const [floor] = floors;
  return floors.size === 1 && typeof floor === 'number' ? floor : undefined;
}

const meanAndSd = ({ n, mean, sd }: Statistic): string => {
  if (n === 0) return '–';
  return n === 1 ? formatNumber(mean) : `${formatNumber(mean)} ± ${formatNumber(sd)}`;
};

export function renderResults(results: SweepResults, output: Output): string {
  const { varied, groups, metric, goal, best, entropyFloor } = results;
  const metrics = [...new Set([metric, ...SHOWN])];
  const parameters = groups.some(({ runs }) => runs.some((run) => run.parameters !== null));
  const columns = [
    ...varied.map((title) => ({ title, align: 'right' as const })),
    ...(parameters ? [{ title: 'parameters', align: 'right' as const }] : []),
    { title: 'N', align: 'right' as const },
    ...metrics.map((title) => ({ title, align: 'right' as const })),
    { title: '' },
  ];
  const rows = groups.map(({ settings, runs, statistics }, i) => {
    const finished = statistics[metric].n;
    const state = finished === runs.length ? '' : describeRest(runs, finished);
    const count = runs.find((run) => run.parameters !== null)?.parameters;
    return [
      ...varied.map((name) => formatSetting(settings[name])),
      ...(parameters ? [count === undefined || count === null ? '' : formatCount(count)] : []),
      String(finished),
      ...metrics.map((name) => meanAndSd(statistics[name])),
      [i === best ? '← best' : '', state].filter(Boolean).join(' '),
    ];
  });
  const lines = [
    renderTable(output, columns, rows, best),
    '',
    `Mean ± sample standard deviation (n − 1) over N seeds; ${goal === 'minimize' ? 'lower' : 'higher'} ${metric} is better.`,
  ];
  if (entropyFloor !== undefined) {
    const own = best === undefined ? undefined : groups[best].statistics['val/bpb'];
    const gap =
      own === undefined || own.n === 0 ? '' : `; the best setting is ${formatNumber(own.mean - entropyFloor)} above it`;
    lines.push(
      `The entropy of this text is ${formatNumber(entropyFloor)} bits/byte, a floor for val/bpb that no model can beat${gap}.`,
    );
  }
  const close = best === undefined ? undefined : closeSecond(results);
  if (close !== undefined) lines.push(close);
  return lines.join('\n');
}

function describeRest(runs: readonly RunRecord[], finished: number): string {
  const failed = runs.filter(({ state }) => state === 'failed').length;
  const open = runs.length - finished - failed;
  return `(${[failed > 0 ? `${failed} failed` : '', open > 0 ? `${open} not done` : ''].filter(Boolean).join(', ')})`;
}

/** An honest word when the winner is within the noise between seeds: Welch's standard error of the difference. */
function closeSecond({ groups, metric, goal, best }: SweepResults): string | undefined {
  const first = groups[best!].statistics[metric];
  const sign = goal === 'minimize' ? 1 : -1;
  const others = groups.filter((_, i) => i !== best && groups[i].statistics[metric].n > 1);
  if (first.n < 2 || others.length === 0) return undefined;
  const within = others.filter(({ statistics }) => {
    const other = statistics[metric];
    const error = Math.sqrt(first.sd ** 2 / first.n + other.sd ** 2 / other.n);
    return sign * (other.mean - first.mean) < 2 * error;
  });
  if (within.length === 0) return undefined;
  return `${plural(within.length, 'other setting lies', 'other settings lie')} within 2 standard errors of the best: more seeds would tell them apart.`;
}

/** For `--json`. */
export function resultsJson({
  varied,
  groups,
  metric,
  goal,
  best,
  entropyFloor,
}: SweepResults): Record<string, unknown> {
  return {
    metric,
    goal,
    varied,
    best: best === undefined ? null : groups[best].settings,
    entropyFloor: entropyFloor ?? null,
    settings: groups.map(({ settingKey, settings, runs, statistics }) => ({
      settingKey,
      settings,
      runs: runs.map(({ id }) => id),
      statistics,
    })),
  };
}
