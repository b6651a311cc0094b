/**
 * The thread that reads series for charts: a chart of 500 runs takes tens of milliseconds, in which points of running trainings and
 * everybody's calls would wait. It has a reading connection of its own, which sees what is committed.
 */
import { workerData } from 'node:worker_threads';
import { buffersOf, packSeries } from '../../../preload/contract/seriesTable.ts';
import type { SeriesTable } from '../../../preload/contract/seriesTable.ts';
import { openStore } from '../../store/index.ts';
import type { ManyQuery } from '../../store/index.ts';
import { answerWith, Handed } from './threadMain.ts';

export interface ReadWorkerData {
  readonly database: string;
}

export type ReadQuestions = {
  /** Runs that do not exist are left out. */
  series: {
    ask: { runs: readonly string[]; metric: string; query: ManyQuery };
    answer: SeriesTable;
  };
};

const { database } = workerData as ReadWorkerData;
const store = openStore(database, { readOnly: true, mapped: true });

answerWith<ReadQuestions>({
  series: ({ runs, metric, query }) => {
    const known = store.existing(runs);
    const series = store.readMany(known, metric, query).map((each, i) => ({ ...each, runId: known[i]! }));
    // Of a part envelopes are only looked at: the whole curve has the exact ones.
    const table = packSeries(series, query.wholeBuckets);
    return new Handed(table, buffersOf(table));
  },
});
