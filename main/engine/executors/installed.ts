/** NVIDIA GPUs of this machine, as the driver's tool tells of them, or else its library. */
import { findDriver } from './cuda/find.ts';
import { driverGpus, isDriverMissing } from './nvidia.ts';
import type { AskDriver, InstalledGpu } from './nvidia.ts';

/**
 * As {@link driverGpus}; where the tool does not answer, or knows none of them by its name, those that the driver's library sees. None without a
 * driver, or with one that fails.
 *
 * @param ask stands for the whole machine where it is given
 */
export async function installedGpus(ask?: AskDriver): Promise<InstalledGpu[]> {
  const told = await driverGpus(ask).catch(() => []);
  return told.length > 0 || ask !== undefined ? told : await libraryGpus();
}

/** Small containers have the library without the tool, and the tool does not list parts of cards (MIG). */
async function libraryGpus(): Promise<InstalledGpu[]> {
  const { found, why } = await findDriver();
  if (found === undefined || why !== undefined) return [];
  return found.cards.flatMap(({ name, capability, totalBytes }, ordinal): InstalledGpu[] => {
    const index = numberOf(ordinal);
    if (index === undefined) return [];
    return [{ index, uuid: '', name, totalBytes, freeBytes: totalBytes, freeAssumed: true, driver: '', capability }];
  });
}

/** The number of a card that CUDA counts as `ordinal`; undefined where CUDA_VISIBLE_DEVICES names several by something else. */
export function numberOf(
  ordinal: number,
  variable: string | undefined = process.env.CUDA_VISIBLE_DEVICES,
): number | undefined {
  if (variable === undefined) return ordinal;
  const entries = variable.split(',').map((each) => each.trim());
  if (/^\d+$/u.test(entries[ordinal] ?? '')) return Number(entries[ordinal]);
  return entries.length === 1 ? ordinal : undefined;
}

/** Why there is no card, for people. */
export async function whyNoCards(ask?: AskDriver): Promise<string> {
  try {
    await driverGpus(ask);
    const hidden = process.env.CUDA_VISIBLE_DEVICES;
    return hidden === undefined
      ? 'no card can be used'
      : `CUDA_VISIBLE_DEVICES is ${JSON.stringify(hidden)}, which leaves no card`;
  } catch (error) {
    return isDriverMissing(error) ? 'no NVIDIA driver is found (no nvidia-smi)' : 'nvidia-smi fails';
  }
}
