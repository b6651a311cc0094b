/** What a figure is asked for by name, checked against what the runs have. */
import type { RunRecord } from '../../../preload/contract/runs.ts';
import { SETTING } from '../../../preload/charts/board/chartSpec.ts';
import { PLACES } from '../../../preload/charts/board/placedCharts.ts';
import { nearestName } from '../../../preload/shared/settings/nearest.ts';
import type { Store } from '../../store/index.ts';
import { FigureError } from './errors.ts';

const LISTED = 24;

/** @throws FigureError naming what was asked for, what is there and what is nearest */
export function oneOf(what: string, name: string, allowed: readonly string[]): string {
  if (allowed.includes(name)) return name;
  const near = nearestName(name, allowed);
  const rest = allowed.length > LISTED ? ` and ${allowed.length - LISTED} more` : '';
  const there = allowed.length === 0 ? 'none, since the runs have none' : allowed.slice(0, LISTED).join(', ') + rest;
  throw new FigureError(
    `${what} is ${JSON.stringify(name)}; allowed: ${there}${near === undefined ? '' : `; nearest: ${near}`}`,
  );
}

/** What they have logged, and what they end with. */
export const metricsOf = (store: Pick<Store, 'metricNames'>, runs: readonly RunRecord[]): string[] =>
  [...new Set(runs.flatMap(({ id, summary }) => [...store.metricNames(id), ...Object.keys(summary)]))].sort();

export const settingsOf = (runs: readonly RunRecord[]): string[] =>
  [...new Set(runs.flatMap(({ config }) => Object.keys(config)))].sort();

/** `step`, `relative`, a metric, `places`, or a setting, with or without its mark. @throws FigureError */
export function xOf(name: string, metrics: readonly string[], settings: readonly string[]): string {
  if (name === 'step' || name === 'relative' || metrics.includes(name)) return name;
  if (name === 'places') return PLACES;
  const setting = name.startsWith(SETTING) ? name.slice(SETTING.length) : name;
  if (settings.includes(setting)) return `${SETTING}${setting}`;
  return oneOf('x', name, ['step', 'relative', 'places', ...metrics, ...settings]);
}
