/** Datasets in memory for the data views: the last few, so that a keystroke does not load one again. */
import type { Config } from '../../../preload/contract/settings.ts';
import type { DataProgress } from '../../../preload/contract/shapes.ts';
import { datasetKey, prepareDatasets } from '../../lab/datasets/datasets.ts';
import type { Dataset } from '../../lab/datasets/datasets.ts';

const KEPT = 2;
const REPORT_EVERY_MS = 200;

export class Datasets {
  readonly #cacheDir: string;
  readonly #report: (config: Config, progress: DataProgress | null) => void;
  /** In the order of their use. */
  readonly #kept = new Map<string, Promise<Dataset>>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(cacheDir: string, report: (config: Config, progress: DataProgress | null) => void) {
    this.#cacheDir = cacheDir;
    this.#report = report;
  }

  /** Prepares the dataset of a configuration, or takes it from memory. One at a time. @throws DataError */
  get(config: Config): Promise<Dataset> {
    const key = datasetKey(config);
    const known = this.#kept.get(key) ?? this.#queued(() => this.#prepare([config]));
    this.#kept.delete(key);
    this.#kept.set(key, known);
    known.catch(() => this.#kept.get(key) === known && this.#kept.delete(key));
    while (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value!);
    return known;
  }

  /** Makes sure that the cache on disk has what the configurations need. @throws DataError, cancelled by the signal */
  async ready(configs: readonly Config[], signal: AbortSignal): Promise<void> {
    await this.#queued(() => this.#prepare(configs, signal));
  }

  #queued<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work, work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #prepare(configs: readonly Config[], signal?: AbortSignal): Promise<Dataset> {
    const [config] = configs;
    let reported = 0;
    try {
      return await prepareDatasets(configs, {
        cacheDir: this.#cacheDir,
        ...(signal === undefined ? {} : { signal }),
        onProgress: (progress) => {
          const now = performance.now();
          if (now - reported < REPORT_EVERY_MS) return;
          reported = now;
          this.#report(config!, progress);
        },
      });
    } finally {
      if (reported > 0) this.#report(config!, null);
    }
  }
}
