/** Finds the device of every run before anything is created. */
import type { Config } from '../../preload/contract/settings.ts';
import { selectExecutor } from '../engine/executors/select.ts';

/**
 * @returns the most threads that one of the runs uses
 * @throws ExecutorUnavailableError naming the setting and what could be chosen instead
 */
export async function checkDevices(configs: readonly Config[]): Promise<number> {
  let threads = 1;
  const wanted = new Map(configs.map((config) => [`${config.device} ${config['precision.policy']}`, config]));
  for (const config of wanted.values()) {
    const { executor } = await selectExecutor(config.device as string, config['precision.policy'] as string);
    threads = Math.max(threads, executor.device.threads);
  }
  return threads;
}
