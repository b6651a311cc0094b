/** Prepared data for the routes and for launches: made in a process of its own, read here, the last few kept in memory. */
import type { Config } from '../../../preload/contract/settings.ts';
import type { DataProgress } from '../../../preload/contract/shapes.ts';
import { datasetKey, prepareDatasets } from '../../lab/datasets/datasets.ts';
import type { Dataset } from '../../lab/datasets/datasets.ts';
import { Memo } from '../../lab/fit/memo.ts';
import { runJob } from './jobs.ts';

/** Each holds its tokens. */
const KEPT = 2;
const REPORT_EVERY_MS = 200;

export class Datasets {
  readonly #cacheDir: string;
  readonly #report: (config: Config, progress: DataProgress | null) => void;
  readonly #loaded = new Memo<Promise<Dataset>>(KEPT);
  /** Those that are known to lie in the cache, since this process began. */
  readonly #ready = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(cacheDir: string, report: (config: Config, progress: DataProgress | null) => void) {
    this.#cacheDir = cacheDir;
    this.#report = report;
  }

  /** The dataset of a configuration, prepared when need be. @throws LabError */
  async get(config: Config, signal: AbortSignal): Promise<Dataset> {
    await this.ready([config], signal);
    const key = datasetKey(config);
    try {
      return await this.#loaded.get(key, () => prepareDatasets([config], { cacheDir: this.#cacheDir }));
    } catch (error) {
      // The cache may have been emptied meanwhile: the next call prepares again.
      this.#ready.delete(key);
      this.#loaded.clear();
      throw error;
    }
  }

  /** Makes sure that the cache on disk has what the configurations need. One preparation at a time. @throws LabError */
  async ready(configs: readonly Config[], signal: AbortSignal): Promise<void> {
    for (const [key, config] of new Map(configs.map((each) => [datasetKey(each), each]))) {
      if (this.#ready.has(key)) continue;
      const turn = this.#last.then(() => this.#prepare(key, config, signal));
      this.#last = turn.catch(() => undefined);
      await turn;
    }
  }

  async #prepare(key: string, config: Config, signal: AbortSignal): Promise<void> {
    // Another call may have prepared it while this one waited.
    if (this.#ready.has(key)) return;
    let reported = 0;
    try {
      await runJob({ kind: 'prepare', cache: this.#cacheDir, configs: [config] }, signal, (progress) => {
        const now = performance.now();
        if (now - reported < REPORT_EVERY_MS) return;
        reported = now;
        this.#report(config, progress);
      });
    } finally {
      if (reported > 0) this.#report(config, null);
    }
    this.#ready.add(key);
  }
}
