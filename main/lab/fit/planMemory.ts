/**
 * Plans of many configurations, remembered. The work is done in slices, between which cancelled questions are noticed and others get
 * their turn. Lives in the worker of planWorker.ts.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Config } from '../../../preload/contract/settings.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import { fitPlan, samplesFrom, suggest } from './index.ts';
import type { FindSamples, FitDevice, FitPlan, SpeedOf, Suggestion, TimeEstimate } from './index.ts';
import { estimateDataset } from './budget.ts';
import { planBasis } from './devices.ts';
import { Memo } from '../../engine/memo.ts';
import { runUse } from './plan.ts';
import { estimateTime } from './time.ts';
import type { PlanOptions } from './plan.ts';

export interface Planned {
  readonly config: Config;
  readonly plan: FitPlan;
  readonly time: TimeEstimate;
}

/** Milliseconds of work in one go: less than a frame of a display. */
const SLICE = 12;
const REMEMBERED = 8192;

export class PlanMemory {
  readonly catalog: PlanOptions['catalog'];
  readonly #runs: () => readonly RunRecord[];
  readonly #speedOf: SpeedOf | undefined;
  readonly #plans = new Memo<Planned>(REMEMBERED);
  readonly #suggestions = new Memo<readonly Suggestion[]>(256);
  #samples: FindSamples | undefined;

  /** @param runs earlier runs, which tell speeds @param speedOf how fast one was; default: by what it logged last */
  constructor(catalog: PlanOptions['catalog'], runs: () => readonly RunRecord[], speedOf?: SpeedOf) {
    this.catalog = catalog;
    this.#runs = runs;
    this.#speedOf = speedOf;
  }

  /** Called when a run has ended. */
  forgetSpeeds(): void {
    if (this.#samples === undefined) return;
    this.#samples = undefined;
    this.#plans.clear();
  }

  /** Speeds of earlier runs. */
  get samples(): FindSamples {
    return (this.#samples ??= samplesFrom(this.#runs, this.#speedOf, this.catalog));
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
    // The text of a file may have become another since.
    const size = estimateDataset(config, this.catalog);
    const key = JSON.stringify([planBasis(device), device.name, { ...config, seed: 0 }, size]);
    return this.#plans.get(key, () => {
      const options = { ...planBasis(device), catalog: this.catalog };
      const plan = fitPlan(config, options);
      const time = estimateTime(config, plan, runUse(config, options), device, this.samples(config, device));
      return { config, plan, time };
    });
  }

  /** What would make it fit; empty when it does. */
  suggestions(config: Config, device: FitDevice): readonly Suggestion[] {
    const free = Math.round(device.availableBytes / 2 ** 26);
    const key = JSON.stringify([planBasis(device), device.name, free, { ...config, seed: 0 }]);
    return this.#suggestions.get(key, () => suggest(config, device, { ...planBasis(device), catalog: this.catalog }));
  }
}
