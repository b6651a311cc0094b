/** Imports of pages: what they send, what the thread that reads it says, and the one who writes. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { LIMITS } from '../../../preload/contract/limits.ts';
import type { ImportPreview, ImportProgress, ImportResult } from '../../../preload/contract/imports.ts';
import { LabError } from '../../../preload/contract/rpc.ts';
import type { Parsed } from '../../../preload/contract/api.ts';
import type { Reach } from '../../engine/data/reading/confine.ts';
import type { SourceParcel, Surveyed } from '../../lab/imports/reading.ts';
import { writeImport } from '../../lab/outside/importing.ts';
import { planImport, previewOf } from '../../lab/outside/importPlan.ts';
import type { PlanOptions } from '../../lab/outside/importPlan.ts';
import type { Lab } from '../lab.ts';
import type { ImportQuestions, ImportWorkerData } from './importWorker.ts';
import { Thread } from './thread.ts';
import { Upload } from './uploads.ts';

export interface ImportsOptions {
  readonly lab: Lab;
  /** What reading may not leave. */
  readonly reach: () => Reach;
  readonly onProgress: (progress: ImportProgress) => void;
  /** Runs and sweeps that are there now, or are others than before. */
  readonly onWritten: (result: ImportResult) => void;
}

const PROGRESS_MS = 250;
/** What a thread has read is wanted until the import is closed. */
const NEVER_MS = 2 ** 31 - 1;

interface Open {
  readonly id: string;
  readonly upload: Upload;
  readonly thread: Thread<ImportQuestions>;
  /** Bytes read, and all that will be. */
  readonly read: Float64Array;
  shown: { readonly surveyed: Surveyed; readonly options: PlanOptions } | undefined;
  /** One question at a time. */
  busy: boolean;
  /** When the last question has been answered, or taken back. */
  ended: Promise<void>;
  timer: NodeJS.Timeout | undefined;
}

export class Imports {
  readonly #options: ImportsOptions;
  readonly #open = new Map<string, Open>();

  constructor(options: ImportsOptions) {
    this.#options = options;
  }

  /** @throws LabError `busy` for one too many */
  open(): string {
    if (this.#open.size >= LIMITS.imports)
      throw new LabError('busy', `${LIMITS.imports} imports are open; allowed: at most so many at once. Close one.`);
    const { paths, plugins, store } = this.#options.lab;
    const id = randomBytes(8).toString('hex');
    const progress = new SharedArrayBuffer(2 * Float64Array.BYTES_PER_ELEMENT);
    const open: Open = {
      id,
      upload: new Upload(join(paths.imports, id), store.assertThere),
      thread: new Thread({
        file: new URL('./importWorker.ts', import.meta.url),
        data: { plugins: plugins.map(({ file }) => file), progress } satisfies ImportWorkerData,
        name: 'Reading the files',
        restMs: NEVER_MS,
      }),
      read: new Float64Array(progress),
      shown: undefined,
      busy: false,
      ended: Promise.resolve(),
      timer: undefined,
    };
    this.#open.set(id, open);
    this.#touch(open);
    return id;
  }

  upload(id: string): Upload {
    const open = this.#find(id);
    this.#touch(open);
    return open.upload;
  }

  async preview(
    { id, paths = [], format, roles, sweep, asNew }: Parsed<'import.preview'>,
    signal: AbortSignal,
  ): Promise<ImportPreview> {
    return await this.#working(id, 'reading', async (open, tell) => {
      open.shown = undefined;
      const places = [...(await open.upload.places()), ...paths.map((path) => ({ path }))];
      if (places.length === 0) throw new LabError('invalid', 'There is nothing to import: send files, or name a path.');
      const watch = setInterval(() => tell(open.read[0]!, open.read[1]!), PROGRESS_MS);
      try {
        const surveyed = await open.thread.ask(
          'survey',
          {
            places,
            reach: this.#options.reach(),
            ...(format === undefined ? {} : { only: format }),
            ...(roles === undefined ? {} : { roles }),
          },
          signal,
        );
        const options: PlanOptions = {
          ...(asNew === undefined ? {} : { asNew }),
          ...(sweep === undefined ? {} : { sweep }),
        };
        const { store } = this.#options.lab;
        const preview = previewOf(store, planImport(store, surveyed, options));
        open.shown = { surveyed, options };
        return preview;
      } finally {
        clearInterval(watch);
      }
    });
  }

  async write(id: string, signal: AbortSignal): Promise<ImportResult> {
    return await this.#working(id, 'writing', async (open, tell) => {
      if (open.shown === undefined)
        throw new LabError('state', 'An import is written as it was shown: ask for its preview first.');
      const { store } = this.#options.lab;
      // As the lab is now.
      const plan = planImport(store, open.shown.surveyed, open.shown.options);
      const { points } = previewOf(store, plan);
      let told = 0;
      const result = await writeImport(store, plan, parcelsOf(open.thread, signal), {
        signal,
        onPoints: (done) => {
          if (performance.now() - told < PROGRESS_MS) return;
          told = performance.now();
          tell(done, points);
        },
      });
      this.#options.onWritten(result);
      return result;
    });
  }

  async close(id: string): Promise<boolean> {
    const open = this.#open.get(id);
    if (open === undefined) return false;
    this.#open.delete(id);
    clearTimeout(open.timer);
    await open.thread.close();
    // Whoever has closed an import finds nothing of it: what was being written is taken back first.
    await open.ended;
    await open.upload.remove();
    return true;
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((id) => this.close(id)));
  }

  async #working<T>(
    id: string,
    phase: ImportProgress['phase'],
    work: (open: Open, tell: (done: number, total: number) => void) => Promise<T>,
  ): Promise<T> {
    const open = this.#find(id);
    if (open.busy) throw new LabError('state', 'This import is being read or written; wait for it, or cancel it.');
    open.busy = true;
    clearTimeout(open.timer);
    const { promise, resolve } = Promise.withResolvers<void>();
    open.ended = promise;
    try {
      return await work(open, (done, total) => this.#options.onProgress({ id, phase, done, total }));
    } finally {
      open.busy = false;
      resolve();
      if (this.#open.has(id)) this.#touch(open);
    }
  }

  #find(id: string): Open {
    const open = this.#open.get(id);
    if (open === undefined) throw new LabError('not-found', 'This import is not open any more; begin it again.');
    return open;
  }

  /** One that nobody goes on with is forgotten. */
  #touch(open: Open): void {
    clearTimeout(open.timer);
    if (!open.busy) open.timer = setTimeout(() => void this.close(open.id), LIMITS.importKeptMs).unref();
  }
}

async function* parcelsOf(thread: Thread<ImportQuestions>, signal: AbortSignal): AsyncGenerator<SourceParcel> {
  await thread.ask('begin', null, signal);
  for (;;) {
    const parcel = await thread.ask('next', null, signal);
    if (parcel === null) return;
    yield parcel;
  }
}
