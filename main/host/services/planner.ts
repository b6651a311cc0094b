/** Asks the planning thread, and knows the devices that it plans for. */
import type { Config } from '../../../preload/contract/settings.ts';
import type { Draft } from '../../../preload/contract/draft.ts';
import { deviceFor } from '../../lab/fit/index.ts';
import type { DeviceChoice, FitDevice } from '../../lab/fit/index.ts';
import type { Lab } from '../lab.ts';
import type { PlanQuestions, PlanWorkerData } from './planWorker.ts';
import { Thread } from './thread.ts';

/** A device's free memory is asked again after this many milliseconds. */
const DEVICE_AGE = 2000;

export class Planner {
  readonly #thread: Thread<PlanQuestions>;
  readonly #devices = new Map<string, { readonly at: number; readonly device: Promise<FitDevice> }>();

  constructor({ paths, plugins }: Pick<Lab, 'paths' | 'plugins'>) {
    const data: PlanWorkerData = {
      home: paths.home,
      database: paths.database,
      plugins: plugins.map(({ file }) => file),
    };
    this.#thread = new Thread({
      file: new URL('./planWorker.ts', import.meta.url),
      data,
      name: 'Planning',
    });
  }

  /**
   * Starts the thread before it is needed and has it plan something small: loading and compiling what plans takes most of a second,
   * which would fall to whoever asks first.
   */
  async warm(draft: Draft, config: Config): Promise<void> {
    this.#thread.warm();
    const [, device] = await Promise.all([this.#thread.ask('draft', { draft }), this.device(config, {})]);
    await this.#thread.ask('sweep', { draft, device, prices: {}, budget: undefined });
  }

  /** Earlier runs tell speeds: called when one has ended. */
  forgetSpeeds(): void {
    this.#thread.tell('forget');
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
  ask<W extends keyof PlanQuestions & string>(
    what: W,
    ask: PlanQuestions[W]['ask'],
    signal: AbortSignal,
  ): Promise<PlanQuestions[W]['answer']> {
    return this.#thread.ask(what, ask, signal);
  }

  close(): Promise<void> {
    return this.#thread.close();
  }
}
