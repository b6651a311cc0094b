/** `setup cuda` for pages: fetches cuBLASLt, shows its licence, and keeps it when that is accepted. One at a time, for all pages. */
import type { CudaSetup } from '../../../preload/contract/shapes.ts';
import { findDriver } from '../../engine/executors/cuda/find.ts';
import { fetchCublas, keptCublas, newestMajor, wheelFor } from '../../lab/libraries/cublas.ts';
import type { Fetched } from '../../lab/libraries/cublas.ts';
import type { Wheel } from '../../lab/libraries/wheels.ts';
import type { LabPaths } from '../paths.ts';

export interface CudaSetupOptions {
  readonly paths: Pick<LabPaths, 'home' | 'cache'>;
  readonly onState: (state: CudaSetup) => void;
  /** Which wheel this machine takes; another for tests. */
  readonly choose?: () => Promise<Wheel>;
  /** Another server than the index's, for tests. */
  readonly from?: string;
}

const IDLE: CudaSetup = { phase: 'idle', what: null, progress: null, licence: null, problem: null };

/** The newest that the driver here runs. @throws LibraryError */
async function choose(): Promise<Wheel> {
  const { found } = await findDriver();
  return wheelFor(newestMajor(found?.cuda));
}

export class CudaSetupService {
  readonly #options: CudaSetupOptions;
  #state: CudaSetup = IDLE;
  #fetched: Fetched | undefined;
  #cancel: AbortController | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(options: CudaSetupOptions) {
    this.#options = options;
  }

  get state(): CudaSetup {
    return this.#state;
  }

  /** Begins, or goes on with what has arrived before. Nothing where it is under way. */
  fetch(): CudaSetup {
    if (this.#state.phase === 'idle') {
      this.#set({ ...IDLE, phase: 'fetching' });
      this.#run((signal) => this.#fetch(signal));
    }
    return this.#state;
  }

  /** Accepts the licence that was shown. */
  accept(): CudaSetup {
    const fetched = this.#fetched;
    if (this.#state.phase === 'licence' && fetched !== undefined) {
      this.#set({ ...this.#state, phase: 'keeping', licence: null });
      this.#run(async () => {
        await fetched.keep({ onProgress: (progress) => this.#set({ ...this.#state, progress }) });
        this.#fetched = undefined;
        this.#set({ ...this.#state, phase: 'ready', progress: null });
      });
    }
    return this.#state;
  }

  /** Stops fetching, which keeps what has arrived; refuses the licence, which removes it. */
  cancel(): CudaSetup {
    const { phase } = this.#state;
    if (phase === 'fetching') this.#cancel?.abort();
    if (phase === 'licence') {
      const fetched = this.#fetched;
      this.#fetched = undefined;
      this.#set(IDLE);
      this.#run(async () => await fetched?.refuse());
    }
    if (phase === 'ready') this.#set(IDLE);
    return this.#state;
  }

  async close(): Promise<void> {
    this.#cancel?.abort();
    await this.#work;
  }

  async #fetch(signal: AbortSignal): Promise<void> {
    const { paths, from } = this.#options;
    const wheel = await (this.#options.choose ?? choose)();
    const { version, major, bytes } = wheel;
    this.#set({ ...this.#state, what: { version, major, bytes } });
    const where = { wheel, ...paths, ...(from === undefined ? {} : { from }) };
    if ((await keptCublas(where)) !== undefined) {
      this.#set({ ...this.#state, phase: 'ready' });
      return;
    }
    this.#fetched = await fetchCublas({
      ...where,
      signal,
      onProgress: (progress) => this.#set({ ...this.#state, progress }),
    });
    this.#set({ ...this.#state, phase: 'licence', progress: null, licence: this.#fetched.licence });
  }

  #run(work: (signal: AbortSignal) => Promise<void>): void {
    const cancel = new AbortController();
    this.#cancel = cancel;
    this.#work = this.#work
      .then(() => work(cancel.signal))
      .catch((error: unknown) => {
        this.#fetched = undefined;
        this.#set({ ...IDLE, problem: cancel.signal.aborted ? null : (error as Error).message });
      });
  }

  #set(state: CudaSetup): void {
    this.#state = state;
    this.#options.onState(state);
  }
}
