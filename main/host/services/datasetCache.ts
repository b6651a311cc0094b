/** Prepared data for the routes and for launches: made in a process of its own, looked at in a thread of its own. */
import type { Config } from '../../../preload/contract/settings.ts';
import type { DataProgress } from '../../../preload/contract/shapes.ts';
import { datasetKey } from '../../lab/datasets/datasets.ts';
import type { Reach } from '../../lab/datasets/datasets.ts';
import type { DataQuestions, DataWorkerData } from './dataWorker.ts';
import { runJob } from './jobs.ts';
import type { PrepareJob } from './jobs.ts';
import { Thread } from './thread.ts';

const REPORT_EVERY_MS = 200;

export class Datasets {
  readonly #cacheDir: string;
  readonly #plugins: readonly string[];
  readonly #assertThere: () => void;
  readonly #report: (config: Config, progress: DataProgress | null) => void;
  /** Started by the first who looks at data. */
  readonly #thread: Thread<DataQuestions>;
  /** Those that are known to lie in the cache since this process began, by settings and files as they were. */
  readonly #ready = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();

  readonly #reachFor: (config: Config) => Reach | undefined;

  /**
   * @param plugins files whose corpora and tokenizers are known too
   * @param assertThere throws where the data folder was removed or replaced: it is not made again
   * @param reachFor what reading for a configuration may not leave
   */
  constructor(
    cacheDir: string,
    plugins: readonly string[],
    assertThere: () => void,
    reachFor: (config: Config) => Reach | undefined,
    report: (config: Config, progress: DataProgress | null) => void,
  ) {
    this.#cacheDir = cacheDir;
    this.#plugins = plugins;
    this.#assertThere = assertThere;
    this.#reachFor = reachFor;
    this.#report = report;
    this.#thread = new Thread({
      file: new URL('./dataWorker.ts', import.meta.url),
      data: { cache: cacheDir, plugins } satisfies DataWorkerData,
      name: 'Reading data',
    });
  }

  /** Asks about the data of a configuration, which is prepared when need be. @throws LabError */
  async ask<W extends keyof DataQuestions & string>(
    what: W,
    ask: DataQuestions[W]['ask'],
    signal: AbortSignal,
  ): Promise<DataQuestions[W]['answer']> {
    const [key] = await this.ready([ask.config], signal);
    try {
      return await this.#thread.ask(what, { ...ask, reach: this.#reachFor(ask.config) }, signal);
    } catch (error) {
      // The cache may have been emptied meanwhile: the next call prepares again.
      if (!signal.aborted) this.#ready.delete(key!);
      throw error;
    }
  }

  /** Something was deleted from the cache: who asks next looks again. */
  forget(): void {
    this.#ready.clear();
  }

  close(): Promise<void> {
    return this.#thread.close();
  }

  /**
   * Makes sure that the cache on disk has what the configurations need, of files as they are now. One preparation at a time.
   * @returns what names each dataset @throws LabError
   */
  async ready(configs: readonly Config[], signal: AbortSignal): Promise<readonly string[]> {
    const keys: string[] = [];
    for (const config of new Map(configs.map((each) => [datasetKey(each), each])).values()) {
      const key = await this.#thread.ask('key', { config, reach: this.#reachFor(config) }, signal);
      keys.push(key);
      if (this.#ready.has(key)) continue;
      const turn = this.#last.then(() => this.#prepare(key, config, signal));
      this.#last = turn.catch(() => undefined);
      await turn;
    }
    return keys;
  }

  async #prepare(key: string, config: Config, signal: AbortSignal): Promise<void> {
    // Another call may have prepared it while this one waited.
    if (this.#ready.has(key)) return;
    this.#assertThere();
    let reported = 0;
    try {
      const job: PrepareJob = {
        kind: 'prepare',
        cache: this.#cacheDir,
        plugins: this.#plugins,
        configs: [config],
        reach: this.#reachFor(config),
      };
      await runJob(job, signal, (progress) => {
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
