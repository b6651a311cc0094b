/** A thread of the browser: a hundred forests would hold up the page. Answers each question in its turn. */
import type { SettingValue } from '../../../preload/contract/settings.ts';
import { importanceErrors } from '../../../preload/charts/stats/importance.ts';

export interface Question {
  readonly id: number;
  readonly rows: readonly Readonly<Record<string, SettingValue>>[];
  readonly metric: readonly number[];
  readonly settings: readonly string[];
}

export type Answer = ReturnType<typeof importanceErrors> & { readonly id: number };

addEventListener('message', ({ data }: MessageEvent<Question>) => {
  const { id, rows, metric, settings } = data;
  postMessage({ id, ...importanceErrors(rows, metric, settings) } satisfies Answer);
});
