/** Trains a BPE in a worker thread. Started by `trainBpeInWorker`. */
import { parentPort, workerData } from 'node:worker_threads';
import { trainBpe } from './bpeTrain.ts';

const { bytes, offsets, vocabularySize } = workerData as {
  bytes: Uint8Array;
  offsets: Float64Array;
  vocabularySize: number;
};
const port = parentPort;
if (port === null) throw new Error('bpeWorker runs in a worker thread only');
const { merges, pieces } = trainBpe(bytes, offsets, vocabularySize, (fraction) => port.postMessage({ fraction }));
port.postMessage({ merges, pieces });
