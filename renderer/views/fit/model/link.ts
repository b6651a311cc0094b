/** What is looked at on the fit page, in the address: the device, the setting of a sweep, the what-ifs. A reload or a link shows the same. */
import type { SettingValue } from '../../../../preload/contract/settings.ts';
import type { DeviceChoice } from '../../../stores/lab.ts';

export type Overrides = Readonly<Record<string, SettingValue>>;

/** Empty for none. */
export const overridesText = (overrides: Overrides): string =>
  Object.keys(overrides).length === 0 ? '' : JSON.stringify(overrides);

/** Anything that was typed or was linked by another version → what of it are values of settings. */
export function overridesFrom(text: string): Overrides {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return {};
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read)) return {};
  const isValue = (value: unknown): value is SettingValue => ['number', 'string', 'boolean'].includes(typeof value);
  return Object.fromEntries(Object.entries(read).filter(([name, value]) => /^\w+\.\w+$/u.test(name) && isValue(value)));
}

export interface Linked {
  readonly gpu?: string;
  readonly device?: string;
}

export const choiceFrom = ({ gpu, device }: Linked): DeviceChoice =>
  gpu !== undefined && gpu !== '' ? { gpu } : device !== undefined && device !== '' ? { device } : {};
