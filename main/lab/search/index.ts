/** The search methods, in the order in which they are offered. */
import type { Family } from '../../engine/kind.ts';
import { grid } from './grid.ts';
import { random } from './random.ts';
import type { SearchKind } from './search.ts';

export const searchFamily: Family<SearchKind> = {
  name: 'search',
  setting: 'method',
  shared: [],
  kinds: [grid, random],
};

/** Methods that W&B's schema has and that do not run here: files may name them, and are read and kept. */
export const WANDB_METHODS: readonly string[] = ['bayes', 'custom'];

/** What a file may name, with `more` methods of plug-ins. */
export const methodNames = (methods: readonly SearchKind[] = searchFamily.kinds): readonly string[] => [
  ...new Set([...methods.map(({ name }) => name), ...WANDB_METHODS]),
];
