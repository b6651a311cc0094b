/**
 * Asks the planning threads, and knows the devices that they plan for. What somebody waits for with a finger on the button (a launch) has a
 * thread of its own, and a form whose plan takes long leaves the next form another one: nobody waits for somebody else's large plan.
 */
import { LIMITS } from '../../../preload/contract/limits.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import type { Draft } from '../../../preload/contract/draft.ts';
import { deviceFor } from '../../lab/fit/index.ts';
import type { DeviceChoice, FitDevice } from '../../lab/fit/index.ts';
import type { Reach } from '../../lab/datasets/datasets.ts';
import type { Lab } from '../lab.ts';
import type { PlanQuestions, PlanWorkerData } from './planWorker.ts';
import { Thread, Threads } from './thread.ts';
import { precisionOf } from '../../engine/nn/precision.ts';

/** A device's free memory is asked again after this many milliseconds. */
const DEVICE_AGE = 2000;
/** Each is started when the ones before it are busy. */
const FORMS = 2;
/** Questions of a launch. */
const LAUNCHING: ReadonlySet<keyof PlanQuestions> = new Set(['runs', 'launch']);

export class Planner {
  readonly #forms: Threads<PlanQuestions>;
  readonly #launches: Thread<PlanQuestions>;
  readonly #devices = new Map<string, { readonly at: number; readonly device: Promise<FitDevice> }>();

  readonly #reachFor: (config: Config) => Reach | undefined;

  /** @param reachFor what reading for a configuration may not leave */
  constructor({ paths, plugins }: Pick<Lab, 'paths' | 'plugins'>, reachFor: (config: Config) => Reach | undefined) {
    this.#reachFor = reachFor;
    const data: PlanWorkerData = {
      home: paths.home,
      database: paths.database,
      plugins: plugins.map(({ file }) => file),
    };
    const options = { file: new URL('./planWorker.ts', import.meta.url), data, name: 'Planning', preempt: true };
    // Who launches has said that it is to be done, however large; what a form asks at a keystroke is given up.
    this.#forms = new Threads(FORMS, { ...options, deadline: LIMITS.planMs });
    this.#launches = new Thread(options);
  }

  /**
   * Starts the thread before it is needed and has it plan something small: loading and compiling what plans takes most of a second,
   * which would fall to whoever asks first.
   */
  async warm(draft: Draft, config: Config): Promise<void> {
    const chosen = undefined;
    const [, device] = await Promise.all([this.#forms.ask('draft', { draft, chosen }), this.device(config, {})]);
    await this.#forms.ask('sweep', { draft, device, chosen, prices: {}, budget: undefined });
  }

  /** Earlier runs tell speeds: called when one has ended. */
  forgetSpeeds(): void {
    this.#forms.tell('forget');
    this.#launches.tell('forget');
  }

  /** The device of a configuration, or the one chosen. @throws UnknownGpuError, NoDeviceError, ExecutorUnavailableError */
  device(config: Config, choice: DeviceChoice): Promise<FitDevice> {
    const key = JSON.stringify([choice.gpu, choice.device ?? config.device, precisionOf(config)]);
    const known = this.#devices.get(key);
    if (known !== undefined && performance.now() - known.at < DEVICE_AGE) return known.device;
    const device = deviceFor(config, choice);
    this.#devices.set(key, { at: performance.now(), device });
    // Handled by whoever waits for it; the next question asks anew.
    device.catch(() => this.#devices.delete(key));
    return device;
  }

  /** The device that somebody chose instead of the one of the configurations; undefined where nobody did, or it is not there. */
  async chosen(choice: DeviceChoice): Promise<FitDevice | undefined> {
    if (choice.gpu === undefined && choice.device === undefined) return undefined;
    return await this.device({}, choice).catch(() => undefined);
  }

  /** @throws LabError `cancelled` at once when the signal aborts; the thread stops at its next slice */
  ask<W extends keyof PlanQuestions & string>(
    what: W,
    ask: PlanQuestions[W]['ask'],
    signal: AbortSignal,
  ): Promise<PlanQuestions[W]['answer']> {
    const reach = textsNamed(ask)
      .map((config) => this.#reachFor(config))
      .find((each) => each !== undefined);
    return (LAUNCHING.has(what) ? this.#launches : this.#forms).ask(what, { ...ask, reach }, signal);
  }

  async close(): Promise<void> {
    await Promise.all([this.#forms.close(), this.#launches.close()]);
  }
}

/** The settings of a question as far as they name texts, each different one once. */
function textsNamed(ask: PlanQuestions[keyof PlanQuestions]['ask']): Config[] {
  const { config, configs, draft } = ask as { config?: Config; configs?: readonly Config[]; draft?: Draft };
  const varied = Object.entries(draft?.parameters ?? {}).flatMap(([name, { value, values = [] }]) =>
    name.startsWith('data.')
      ? [value, ...values].flatMap((each) => (each === undefined ? [] : [{ ...draft!.settings, [name]: each }]))
      : [],
  );
  const all: Config[] = [config ?? draft?.settings ?? {}, ...(configs ?? []), ...varied];
  return [
    ...new Map(all.map((each) => [JSON.stringify([each['data.corpus'], each['data.validation_path']]), each])).values(),
  ];
}
