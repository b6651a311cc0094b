/** What a tab of a sweep is. Adding one: a folder here with an `index.ts`, and a line in `index.ts` beside this file. */
import type { Component } from 'vue';
import type { RunRecord } from '../../../../preload/contract/runs.ts';
import type { Ranking } from '../../../../preload/shared/results/rank.ts';

/** What every tab is given. */
export interface TabProps {
  /** Of the metric that it names. */
  readonly ranking: Ranking<RunRecord>;
  /** One per seed of each setting: a rerun is no further sample. */
  readonly runs: readonly RunRecord[];
}

export interface SweepTab {
  /** In the address. */
  readonly id: string;
  readonly label: string;
  /** What is missing for it, in a title and a sentence; undefined when it can be shown. */
  needs(ranking: Ranking): { readonly title: string; readonly text: string } | undefined;
  /** Takes {@link TabProps}. */
  readonly component: Component<TabProps>;
}

export const defineTab = (tab: SweepTab): SweepTab => tab;

/** For `needs`: some setting has a number. */
export const hasNumbers = ({ rows }: Ranking): boolean => rows.some((row) => row.metric.n > 0);
