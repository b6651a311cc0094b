/** Shapes that the stores and the frame's views read from the contract's routes. */
import type { Config, SettingValue } from '../../preload/contract/settings.ts';
import type { RunFilter, RunRecord, SweepRecord } from '../../preload/contract/runs.ts';

export type { Config, RunFilter, RunRecord, SettingValue, SweepRecord };

export interface AppInfo {
  readonly version: string;
  readonly dataDir: string;
  readonly node?: string;
  readonly platform?: string;
}

/** Live numbers of a device; what is not known is absent or null. */
export interface DeviceReading {
  readonly memoryUsedBytes?: number | null;
  readonly memoryTotalBytes?: number | null;
  /** 0..1. */
  readonly utilization?: number | null;
  readonly temperatureC?: number | null;
  readonly powerW?: number | null;
}

export interface Device {
  readonly id: string;
  readonly name: string;
  /** `cpu`, `cuda`, `tfjs-wasm` … */
  readonly kind: string;
  readonly available: boolean;
  readonly reason?: string | null;
  readonly isDefault?: boolean;
  readonly reading?: DeviceReading;
}

export type Fit = 'fits' | 'tight' | 'does not fit';

export interface RecipeCard {
  readonly name: string;
  readonly title: string;
  readonly teaches: string;
  readonly about: { readonly size: string; readonly data: string; readonly minutes: number; readonly machine: string };
  readonly download?: boolean;
  readonly fit?: {
    readonly fit: Fit;
    readonly neededBytes: number;
    readonly availableBytes: number;
    readonly sentence: string;
  } | null;
  readonly time?: { readonly low: number; readonly high: number; readonly measured: boolean } | null;
  readonly parameters?: number | null;
}

export interface Progress {
  readonly runId: string;
  readonly step: number;
  readonly plannedSteps: number | null;
  readonly tokens: number;
  /** 0..1. */
  readonly fraction: number | null;
  /** Seconds. */
  readonly eta: number | null;
  readonly phase: string;
  readonly tokensPerSecond?: number | null;
}

export interface QueueState {
  readonly paused: boolean;
  readonly concurrency: number;
  readonly running: readonly string[];
  readonly waiting: readonly string[];
}

export interface Notice {
  readonly level: 'info' | 'good' | 'warn' | 'bad';
  readonly message: string;
  readonly details?: string;
  readonly path?: string;
}

/** Until the contract names them, routes are strings here and views state what they read. */
// oxlint-disable-next-line typescript/no-explicit-any
type Loose = any;
export type RouteName = string;
export type EventTopic = string;
export type CallInput<R extends RouteName> = R extends never ? never : Loose;
export type CallOutput<R extends RouteName> = R extends never ? never : Loose;
export type EventData<T extends EventTopic> = T extends never ? never : Loose;
