/** The draft as the contract has it. */
export type { Draft, DraftParameter } from '../../../preload/contract/shapes.ts';
