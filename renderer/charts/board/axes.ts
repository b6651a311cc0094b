/** What a chart can have as x. */
import type { MetricCatalog } from '../../../preload/shared/metrics.ts';
import { SETTING } from '../../../preload/charts/board/chartSpec.ts';
import type { Board } from './useBoard.ts';

export const axisOptions = (
  { settings, metrics }: Board,
  { axes }: MetricCatalog,
): { value: string; label: string }[] => [
  { value: 'step', label: 'step' },
  ...axes.map(({ name, axis }) => ({ value: name, label: axis! })),
  { value: 'relative', label: 'seconds since start' },
  ...settings.value.map((name) => ({ value: `${SETTING}${name}`, label: `setting ${name}` })),
  ...metrics.value.map((name) => ({ value: name, label: `metric ${name}` })),
];
