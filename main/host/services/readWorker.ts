/**
 * The thread that reads series for charts: a chart of 500 runs takes tens of milliseconds, in which points of running trainings and
 * everybody's calls would wait. It has a reading connection of its own, which sees what is committed.
 */
import { workerData } from 'node:worker_threads';
import { buffersOf } from '../../../preload/contract/seriesTable.ts';
import type { SeriesTable } from '../../../preload/contract/seriesTable.ts';
import { openStore } from '../../store/index.ts';
import type { ManyQuery } from '../../store/index.ts';
import { answerWith, Handed } from './threadMain.ts';

export interface ReadWorkerData {
  readonly database: string;
}

/** Since the last question (ms), before anything is done that nobody has asked for. */
const QUIET_MS = 250;
/** So long (ms) a question may have to wait for that, and so long the processor is left to others between. */
const SLICE_MS = 10;
const PAUSE_MS = 5;
/** What nobody asks for any more is not kept longer (ms). */
const FORGET_MS = 600_000;

export type ReadQuestions = {
  /** Runs that do not exist are left out. */
  series: {
    ask: { runs: readonly string[]; metric: string; query: ManyQuery };
    answer: SeriesTable;
  };
};

const { database } = workerData as ReadWorkerData;
const store = openStore(database, { readOnly: true, mapped: true });

/** Charts of everything that were asked for, by their metric: a part of them is what will be asked for next. */
const charts = new Map<string, readonly string[]>();
let next: NodeJS.Timeout | undefined;

/** Prepares while nobody asks. */
function prepare(milliseconds: number): void {
  clearTimeout(next);
  next = setTimeout(() => {
    const [chart] = charts;
    if (chart === undefined) {
      next = setTimeout(() => store.forgetKept(), FORGET_MS).unref();
      return;
    }
    const [metric, runs] = chart;
    if (!store.keepMany(runs, metric, SLICE_MS)) charts.delete(metric);
    prepare(PAUSE_MS);
  }, milliseconds).unref();
}

answerWith<ReadQuestions>({
  series: ({ runs, metric, query }) => {
    const table = store.readTable(runs, metric, query);
    if (query.from === undefined && query.to === undefined && query.x === undefined) charts.set(metric, table.runs);
    prepare(QUIET_MS);
    return new Handed(table, buffersOf(table));
  },
});
