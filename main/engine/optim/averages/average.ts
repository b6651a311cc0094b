/** What an average of the weights is: a kind that says which share the newest weights have in it after each update. */
import type { Config } from '../../../../preload/contract/settings.ts';
import { definer } from '../../kind.ts';
import type { Kind } from '../../kind.ts';

export interface AverageKind extends Kind {
  /** Share of the weights after update t, from 1, in their average; 1 at the first. Without one nothing is kept. */
  share?(c: Config, t: number): number;
}

export const defineAverage = definer<AverageKind>('average', []);

/** The setting that chooses it, and its value for none. */
export const AVERAGE = 'optimizer.average';
export const NONE = 'none';

/** Whether a run keeps an average of its weights beside them. */
export const averages = (config: Config): boolean => config[AVERAGE] !== NONE;

/** State that holds the average of a parameter. */
export const averageName = (parameter: string): string => `${parameter}:average`;

/** Input of the update program: the share of the newest weights. */
export const AVERAGE_SHARE = 'average.share';
