/** Configurations and devices for tests of the fit check. */
import type { Config, SettingValue } from '../../../preload/contract/settings.ts';
import type { FitDevice } from '../../../main/lab/fit/index.ts';
import { builtInRegistry, resolveConfig } from '../../../main/lab/settings/index.ts';

const registry = builtInRegistry();

/** A complete, checked configuration: defaults with these values. */
export function configOf(values: Readonly<Record<string, SettingValue>> = {}): Config {
  const { config, problems } = resolveConfig({ registry, overrides: values });
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'));
  return config;
}

/** A small transformer whose numbers differ from one another, so that a mixed-up dimension shows. */
export const SMALL = {
  'model.depth': 3,
  'model.width': 48,
  'model.heads': 4,
  'model.context': 32,
  'batch.sequences': 24,
} as const;

/** A device with so much memory and known speeds. */
export function deviceWith(availableBytes: number, kind = 'cuda'): FitDevice {
  return {
    kind,
    name: 'test device',
    basis: 'table',
    verified: true,
    totalBytes: availableBytes,
    availableBytes,
    compute: { fp32: 1e13, bf16: 1e14, fp16: 1e14, bytesPerSecond: 1e12, basis: 'test' },
    notes: [],
  };
}

export const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);
