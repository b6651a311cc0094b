/** Curves over the connection. */
import type { Series } from '../../../preload/contract/metrics.ts';
import { unpackSeries } from '../../../preload/contract/seriesTable.ts';
import type { ReadSeries } from '../data/reader.ts';
import { PLACES } from '../../../preload/charts/board/placedCharts.ts';
import { curveOfPlaces } from '../../../preload/charts/data/places.ts';
import { useClient } from '../../stores/client.ts';

export const readSeries: ReadSeries = async (
  { runs, metric, x, from, to, maxPoints, loggedUpTo, envelopes },
  signal,
) => {
  if (x === PLACES) return await readPlaces(runs, metric, signal);
  // A part lies within a whole curve, which has the ends.
  const part = from === undefined ? {} : { from, to, wholeBuckets: true };
  const answer = await useClient().call(
    'series.read',
    { runs: [...runs], metric, x, ...part, maxPoints, loggedUpTo, envelopes },
    { signal },
  );
  return new Map<string, Series>(unpackSeries(answer.series).map((each) => [each.runId, each]));
};

/** The latest value is all that is drawn of a place. */
const FEWEST = 3;

async function readPlaces(runs: readonly string[], metric: string, signal: AbortSignal): Promise<Map<string, Series>> {
  const client = useClient();
  const read = async (run: string): Promise<readonly [string, Series]> => [
    run,
    curveOfPlaces(await client.call('series.places', { run, metric, maxPoints: FEWEST }, { signal })),
  ];
  return new Map(await Promise.all(runs.map(read)));
}
