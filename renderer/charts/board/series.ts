/** Curves over the connection. */
import type { Series } from '../../../preload/contract/metrics.ts';
import { unpackSeries } from '../../../preload/contract/seriesTable.ts';
import type { ReadSeries } from '../data/reader.ts';
import { useClient } from '../../stores/client.ts';

export const readSeries: ReadSeries = async (
  { runs, metric, x, from, to, maxPoints, loggedUpTo, envelopes },
  signal,
) => {
  // A part lies within a whole curve, which has the ends.
  const part = from === undefined ? {} : { from, to, wholeBuckets: true };
  const answer = await useClient().call(
    'series.read',
    { runs: [...runs], metric, x, ...part, maxPoints, loggedUpTo, envelopes },
    { signal },
  );
  return new Map<string, Series>(unpackSeries(answer.series).map((each) => [each.runId, each]));
};
