/** Asks the planning thread. Starts it when first needed, and again should it die. */
import { Worker } from 'node:worker_threads';
import { LabError } from '../../../preload/contract/rpc.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { deviceFor } from '../../lab/fit/index.ts';
import type { DeviceChoice, FitDevice } from '../../lab/fit/index.ts';
import type { Lab } from '../lab.ts';
import type { FromPlanner, PlanQuestion, PlanQuestions, PlanWorkerData, ToPlanner } from './planWorker.ts';

/** A device's free memory is asked again after this many milliseconds. */
const DEVICE_AGE = 2000;

interface Open {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

export class Planner {
  readonly #data: PlanWorkerData;
  readonly #open = new Map<number, Open>();
  readonly #devices = new Map<string, { readonly at: number; readonly device: Promise<FitDevice> }>();
  #worker: Worker | undefined;
  #next = 1;

  constructor({ paths, plugins }: Pick<Lab, 'paths' | 'plugins'>) {
    this.#data = { home: paths.home, database: paths.database, plugins: plugins.map(({ file }) => file) };
  }

  /** Starts the thread before it is needed. */
  warm(): void {
    this.#started();
  }

  /** Earlier runs tell speeds: called when one has ended. */
  forgetSpeeds(): void {
    this.#tell({ type: 'forget' });
  }

  /** The device of a configuration, or the one chosen. @throws UnknownGpuError, NoDeviceError, ExecutorUnavailableError */
  device(config: Config, choice: DeviceChoice): Promise<FitDevice> {
    const key = JSON.stringify([choice.gpu, choice.device ?? config.device, config['precision.policy']]);
    const known = this.#devices.get(key);
    if (known !== undefined && performance.now() - known.at < DEVICE_AGE) return known.device;
    const device = deviceFor(config, choice);
    this.#devices.set(key, { at: performance.now(), device });
    // Handled by whoever waits for it; the next question asks anew.
    device.catch(() => this.#devices.delete(key));
    return device;
  }

  /** @throws LabError `cancelled` at once when the signal aborts; the thread stops at its next slice */
  async ask<Q extends PlanQuestion>(
    what: Q,
    ask: PlanQuestions[Q]['ask'],
    signal: AbortSignal,
  ): Promise<PlanQuestions[Q]['answer']> {
    const cancelled = (): LabError => new LabError('cancelled', 'The call was cancelled.');
    if (signal.aborted) throw cancelled();
    this.#started();
    const id = this.#next++;
    const abort = (): void => {
      this.#tell({ type: 'cancel', id });
      this.#open.get(id)?.reject(cancelled());
    };
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await new Promise<PlanQuestions[Q]['answer']>((resolve, reject) => {
        this.#open.set(id, { resolve: resolve as (answer: never) => void, reject });
        this.#tell({ type: 'ask', id, what, ask });
      });
    } finally {
      this.#open.delete(id);
      signal.removeEventListener('abort', abort);
    }
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
    this.#fail('The lab is closing.');
  }

  #tell(message: ToPlanner): void {
    this.#worker?.postMessage(message);
  }

  #started(): void {
    if (this.#worker !== undefined) return;
    const worker = new Worker(new URL('./planWorker.ts', import.meta.url), {
      workerData: this.#data,
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    this.#worker = worker;
    // Planning alone keeps no process alive.
    worker.unref();
    worker.on('message', (message: FromPlanner) => {
      const open = this.#open.get(message.id);
      if ('code' in message) open?.reject(new LabError(message.code, message.message));
      else open?.resolve(message.answer as never);
    });
    worker.on('error', ({ message }) => this.#ended(worker, message));
    worker.on('exit', () => this.#ended(worker, 'it ended'));
  }

  #ended(worker: Worker, why: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#fail(`Planning failed: ${why}`);
  }

  #fail(message: string): void {
    for (const { reject } of this.#open.values()) reject(new LabError('internal', message));
    this.#open.clear();
  }
}
