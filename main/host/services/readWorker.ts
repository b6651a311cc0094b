/**
 * The thread that reads series for charts: a chart of 500 runs takes tens of milliseconds, in which points of running trainings and
 * everybody's calls would wait. It has a reading connection of its own, which sees what is committed.
 */
import { workerData } from 'node:worker_threads';
import type { Series } from '../../../preload/contract/metrics.ts';
import { openStore } from '../../store/index.ts';
import type { ManyQuery } from '../../store/index.ts';
import { answerWith, Handed } from './threadMain.ts';

export interface ReadWorkerData {
  readonly database: string;
}

export type ReadSeries = Series & { readonly runId: string };

export type ReadQuestions = {
  /** Runs that do not exist are left out. */
  series: {
    ask: { runs: readonly string[]; metric: string; query: ManyQuery };
    answer: readonly ReadSeries[];
  };
};

const { database } = workerData as ReadWorkerData;
const store = openStore(database, { readOnly: true });

answerWith<ReadQuestions>({
  series: ({ runs, metric, query }) => {
    const known = runs.filter((id) => store.hasRun(id));
    const series = store.readMany(known, metric, query).map((each, i): ReadSeries => ({ ...each, runId: known[i]! }));
    return packed(series);
  },
});

/** All columns in one buffer, which changes hands in no time. Runs of a sweep are cut at the same steps: those are there once. */
function packed(series: readonly ReadSeries[]): Handed<readonly ReadSeries[]> {
  const numbers = series.reduce((sum, { step, x }) => sum + step.length * (x === undefined ? 4 : 5), 0);
  const counts = series.reduce((sum, { nonFinite }) => sum + nonFinite.length, 0);
  const buffer = new ArrayBuffer(8 * numbers + 4 * counts);
  let at = 0;
  const place = (column: Float64Array): Float64Array => {
    const copy = new Float64Array(buffer, at, column.length);
    copy.set(column);
    at += column.byteLength;
    return copy;
  };
  const shared = sharing(place);
  const placed = series.map((each) => ({
    ...each,
    step: shared(each.step),
    value: place(each.value),
    // Points as logged have no envelope of their own.
    ...(each.bucket === 1 ? {} : { min: place(each.min), max: place(each.max) }),
    ...(each.x === undefined ? {} : { x: shared(each.x) }),
  }));
  const none = new Map<number, Uint32Array>();
  const whole = placed.map((each): ReadSeries => {
    const { nonFinite } = each;
    let own: Uint32Array;
    if (nonFinite.every((count) => count === 0)) {
      own = none.get(nonFinite.length) ?? new Uint32Array(buffer, at, nonFinite.length);
      if (!none.has(nonFinite.length)) {
        none.set(nonFinite.length, own);
        at += own.byteLength;
      }
    } else {
      own = new Uint32Array(buffer, at, nonFinite.length);
      own.set(nonFinite);
      at += own.byteLength;
    }
    return each.bucket === 1
      ? { ...each, min: each.value, max: each.value, nonFinite: own }
      : { ...each, nonFinite: own };
  });
  return new Handed(whole, [buffer]);
}

/** Columns that equal the one before are not placed again. */
function sharing(place: (column: Float64Array) => Float64Array): (column: Float64Array) => Float64Array {
  let last: Float64Array | undefined;
  return (column) => {
    if (last === undefined || last.length !== column.length || !last.every((v, i) => Object.is(v, column[i])))
      last = place(column);
    return last;
  };
}
