/**
 * The fit check of many configurations without holding the process up: plans are remembered, the work is done in slices between which
 * the process serves others, and a newer question ends an older one (its call is cancelled).
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Config } from '../../../preload/contract/settings.ts';
import { deviceFor, fitPlan, samplesFrom, suggest } from '../../lab/fit/index.ts';
import type { DeviceChoice, FindSamples, FitDevice, FitPlan, Suggestion, TimeEstimate } from '../../lab/fit/index.ts';
import { Memo } from '../../lab/fit/memo.ts';
import { runUse } from '../../lab/fit/plan.ts';
import { estimateTime } from '../../lab/fit/time.ts';
import type { Lab } from '../lab.ts';

export interface Planned {
  readonly config: Config;
  readonly plan: FitPlan;
  readonly time: TimeEstimate;
}

/** Models of plug-ins, which plans need. */
export const modelsOf = (lab: Lab) => lab.plugins.flatMap((plugin) => Object.values(plugin.models));

/** Milliseconds of work in one go: less than a frame of a display. */
const SLICE = 12;
/** A device's free memory is asked again after this many milliseconds. */
const DEVICE_AGE = 2000;
const REMEMBERED = 8192;

export class Planner {
  readonly #lab: Lab;
  readonly #plans = new Memo<Planned>(REMEMBERED);
  readonly #suggestions = new Memo<readonly Suggestion[]>(256);
  readonly #devices = new Map<string, { readonly at: number; readonly device: Promise<FitDevice> }>();
  #samples: FindSamples | undefined;

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  /** Earlier runs tell speeds: called when one has ended. */
  forgetSpeeds(): void {
    if (this.#samples === undefined) return;
    this.#samples = undefined;
    this.#plans.clear();
  }

  /** Speeds of runs that were recorded here. */
  get samples(): FindSamples {
    return (this.#samples ??= samplesFrom(() =>
      this.#lab.store.listRuns({ state: ['finished', 'stopped', 'running'] }),
    ));
  }

  /** The device of a configuration, or the one chosen. @throws UnknownGpuError, NoDeviceError, ExecutorUnavailableError */
  device(config: Config, choice: DeviceChoice): Promise<FitDevice> {
    const key = JSON.stringify([choice.gpu, choice.device ?? config.device, config['precision.policy']]);
    const known = this.#devices.get(key);
    if (known !== undefined && performance.now() - known.at < DEVICE_AGE) return known.device;
    const device = deviceFor(config, choice);
    this.#devices.set(key, { at: performance.now(), device });
    return device;
  }

  /**
   * Plans the configurations in order. With a budget (in ms) it stops when that is spent, at the earliest after the first.
   * @returns one entry for each that was planned
   * @throws the reason of the signal
   */
  async all(
    configs: readonly Config[],
    device: FitDevice,
    { signal, budget = Infinity }: { readonly signal?: AbortSignal; readonly budget?: number | undefined } = {},
  ): Promise<Planned[]> {
    const started = performance.now();
    let slice = started;
    const planned: Planned[] = [];
    for (const config of configs) {
      const now = performance.now();
      if (planned.length > 0 && now - started > budget) break;
      if (now - slice > SLICE) {
        await nextTurn();
        signal?.throwIfAborted();
        slice = performance.now();
      }
      planned.push(this.one(config, device));
    }
    return planned;
  }

  one(config: Config, device: FitDevice): Planned {
    const key = JSON.stringify([device.kind, device.name, { ...config, seed: 0 }]);
    return this.#plans.get(key, () => {
      const options = { kind: device.kind, models: modelsOf(this.#lab) };
      const plan = fitPlan(config, options);
      const time = estimateTime(config, plan, runUse(config, options), device, this.samples(config, device));
      return { config, plan, time };
    });
  }

  /** What would make it fit; empty when it does. */
  suggestions(config: Config, device: FitDevice): readonly Suggestion[] {
    const free = Math.round(device.availableBytes / 2 ** 26);
    const key = JSON.stringify([device.kind, device.name, free, { ...config, seed: 0 }]);
    return this.#suggestions.get(key, () =>
      suggest(config, device, { kind: device.kind, models: modelsOf(this.#lab) }),
    );
  }
}
