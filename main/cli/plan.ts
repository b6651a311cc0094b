/** The plan of a sweep, for review: what would run, what was dropped and why. */
import type { Draft } from '../../preload/contract/draft.ts';
import type { Dropped, SweepPlan } from '../lab/sweeps/index.ts';
import { briefSetting, digitsApart } from '../../preload/shared/format.ts';
import { formatInteger, formatSetting, plural } from './format.ts';
import type { Output } from './output.ts';
import { renderTable } from './table.ts';

const SHOWN = 40;

/** `words`: whose sweep it is. */
export function printPlan(output: Output, plan: SweepPlan, words?: string): void {
  const { settings, seeds, runs, dropped, duplicates, warnings } = plan;
  output.note(
    `${output.style('bold', plural(runs.length, 'run'))}: ${plural(settings.length, 'setting')} × ${plural(seeds.length, 'seed')} (${seedList(seeds)})`,
  );
  if (words !== undefined) output.note(words);
  const names = [...new Set(settings.flatMap(({ values }) => Object.keys(values)))];
  if (names.length > 0) {
    const shownSettings = settings.slice(0, SHOWN);
    const digits = new Map(names.map((name) => [name, digitsApart(shownSettings.map(({ values }) => values[name]))]));
    // Drawn numbers have sixteen digits; all of them are in the JSON.
    const text = (name: string, value: unknown): string =>
      typeof value === 'number' ? briefSetting(value, digits.get(name)) : formatSetting(value);
    const rows = shownSettings.map(({ values }) =>
      names.map((name) => (name in values ? text(name, values[name]) : '·')),
    );
    output.note(
      renderTable(
        output,
        names.map((title) => ({ title, align: 'right' as const })),
        rows,
      ),
    );
    if (settings.length > SHOWN) output.note(`… and ${formatInteger(settings.length - SHOWN)} more`);
  }
  if (dropped.length > 0) {
    output.note(`${plural(dropped.length, 'combination')} dropped:`);
    for (const { label, problem } of shown(dropped)) output.note(`  ${label}: ${problem.message}`);
    if (dropped.length > SHOWN) output.note(`  … and ${formatInteger(dropped.length - SHOWN)} more`);
  }
  if (duplicates > 0) output.note(`${plural(duplicates, 'combination')} left out as the same run as another one`);
  for (const warning of warnings) output.said(warning);
}

const shown = (dropped: readonly Dropped[]): readonly Dropped[] => dropped.slice(0, SHOWN);

const seedList = (seeds: readonly number[]): string =>
  seeds.length > 8 ? `${seeds.slice(0, 8).join(', ')}, …` : seeds.join(', ');

export function planJson(plan: SweepPlan, spec: Draft): Record<string, unknown> {
  const { settings, seeds, runs, dropped, duplicates, combinations, warnings } = plan;
  return {
    runs: runs.map(({ name, seed, settingKey, config }) => ({ name, seed, settingKey, settings: config })),
    settings: settings.map(({ key, values, label }) => ({ settingKey: key, values, label })),
    seeds,
    dropped,
    duplicates,
    combinations,
    warnings,
    spec,
  };
}
