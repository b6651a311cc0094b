/** The thread that reads the files of one import: parsing gigabytes takes minutes in which nobody else shall wait. Writes nothing. */
import { workerData } from 'node:worker_threads';
import { confinedTo } from '../../engine/data/reading/confine.ts';
import type { Reach } from '../../engine/data/reading/confine.ts';
import type { Place } from '../../lab/imports/files.ts';
import { importFamily } from '../../lab/imports/index.ts';
import { ImportReading } from '../../lab/imports/reading.ts';
import type { ReadingOptions, SourceParcel, Surveyed } from '../../lab/imports/reading.ts';
import { loadPlugins, registryWithPlugins } from '../../lab/settings/plugins.ts';
import { answerWith, Handed } from './threadMain.ts';

export interface ImportWorkerData {
  /** Files of plug-ins, whose formats are known here too. */
  readonly plugins: readonly string[];
  /** Two numbers, of which all sides see the newest: bytes read, and all that will be. */
  readonly progress: SharedArrayBuffer;
}

export type ImportQuestions = {
  /** Reads everything once; what was read before is forgotten. */
  survey: {
    ask: Pick<ReadingOptions, 'only' | 'roles'> & { readonly places: readonly Place[]; readonly reach: Reach };
    answer: Surveyed;
  };
  /** From the beginning. */
  begin: { ask: null; answer: null };
  /** Null after the last. */
  next: { ask: null; answer: SourceParcel | null };
};

const { plugins, progress } = workerData as ImportWorkerData;
const shown = new Float64Array(progress);
const kinds = loadPlugins(plugins).then((loaded) => registryWithPlugins(loaded).catalog.all(importFamily));
let reading: ImportReading | undefined;
let reach: Reach | undefined;
let parcels: AsyncGenerator<SourceParcel> | undefined;

async function forget(): Promise<void> {
  await parcels?.return(undefined);
  parcels = undefined;
}

answerWith<ImportQuestions>({
  survey: async ({ places, only, roles, reach: allowed }, signal) => {
    await forget();
    await reading?.[Symbol.asyncDispose]();
    reading = undefined;
    reach = allowed;
    shown.fill(0);
    const options: ReadingOptions = {
      kinds: await kinds,
      signal,
      onProgress: (done, total) => shown.set([done, total]),
      ...(only === undefined ? {} : { only }),
      ...(roles === undefined ? {} : { roles }),
    };
    return await confinedTo(allowed, async () => {
      reading = await ImportReading.open(places, options);
      return await reading.survey();
    });
  },
  begin: async () => {
    await forget();
    parcels = reading!.parcels();
    return null;
  },
  next: async () => {
    const { done, value } = await confinedTo(reach, () => parcels!.next());
    if (done === true) return null;
    return new Handed(
      value,
      value.columns.flatMap(({ steps, values }) => [steps.buffer, values.buffer] as ArrayBuffer[]),
    );
  },
});
