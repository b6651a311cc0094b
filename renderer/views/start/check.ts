/** What the fit check says of a recipe on this machine. */
import type { Fit } from '../../stores/contract.ts';

export interface Check {
  readonly fit: Fit;
  readonly sentence: string;
  readonly neededBytes: number;
  readonly availableBytes: number;
  readonly parameters: number;
  /** Seconds, low to high. */
  readonly time: readonly [number, number] | null;
  readonly measured: boolean;
  /** What a click trains. */
  readonly runs: number;
  readonly settings: number;
  readonly seeds: number;
}
