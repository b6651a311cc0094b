/** Whether prepared data may be deleted. */
import type { RunRecord } from '../../../preload/contract/runs.ts';

/** A run that may be reading a dataset: it trains on it, or has only begun and not told yet what it reads. Without a dataset: the latter alone. */
export const readerOf = (
  runs: readonly Pick<RunRecord, 'id' | 'name' | 'state' | 'origin' | 'environment'>[],
  contentHash: string | undefined,
) =>
  runs.find(
    ({ state, origin, environment: { dataset } }) =>
      state === 'running' && origin === 'sweeplab' && (dataset === undefined || dataset === contentHash),
  );
