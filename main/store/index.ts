/** The run database: the only door to it. See README.md for what it promises. */

export { openStore } from './open.ts';
export type { OpenOptions } from './open.ts';
export type { ManyQuery } from './series/reader.ts';
export type { Store } from './store.ts';
export { StoreError } from './errors.ts';
export type { StoreErrorCode } from './errors.ts';
export { canFollow } from './states.ts';
export { programSource } from './programSource.ts';
export { LOCAL } from './queue.ts';
export type { RunLine } from './runs.ts';
