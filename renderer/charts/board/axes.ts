/** What a chart can have as x. */
import type { Board } from './useBoard.ts';

const AXES = ['step', 'tokens', 'epoch', 'seconds', 'relative'] as const;
const LABELS: Readonly<Record<string, string>> = { relative: 'seconds since start' };

export const axisOptions = ({ settings, metrics }: Board): { value: string; label: string }[] => [
  ...AXES.map((value) => ({ value: value as string, label: LABELS[value] ?? value })),
  ...settings.value.map((name) => ({ value: `setting:${name}`, label: `setting ${name}` })),
  ...metrics.value.map((name) => ({ value: name, label: `metric ${name}` })),
];
