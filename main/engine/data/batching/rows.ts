/** How many rows make an epoch, without making one of them. */
import { DocumentRows } from './layout.ts';
import type { BatchingMode } from './modes.ts';
import { PackedRows } from './packing.ts';

/** Windows of a stream of so many tokens: `random` draws them anywhere, so that an epoch need not be whole. */
export function windowsOfEpoch(mode: 'random' | 'shuffled', tokens: number, context: number): number {
  const width = Math.min(context, tokens);
  return mode === 'shuffled' ? Math.floor(tokens / width) : tokens / width;
}

/** @param offsets where documents begin and end, in tokens; null where nobody knows: then rows are taken to be full */
export function rowsOfEpoch(
  mode: BatchingMode,
  context: number,
  { tokens, offsets }: { readonly tokens: number; readonly offsets: Float64Array | null },
): number {
  if (mode === 'random' || mode === 'shuffled') return windowsOfEpoch(mode, tokens, context);
  if (offsets === null) return tokens / context;
  return (mode === 'packed' ? new PackedRows({ offsets }, context) : new DocumentRows({ offsets }, context)).count;
}
