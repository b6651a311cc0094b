/** Finds the device of every run, and whether it has the memory, before anything is created. */
import type { Config } from '../../preload/contract/settings.ts';
import { selectExecutor } from '../engine/executors/select.ts';
import { checkLaunch } from '../lab/fit/index.ts';
import type { Context } from './context.ts';
import { InputError } from './errors.ts';

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

/**
 * Checks that every run fits into the memory of its device, and how many fit side by side.
 *
 * @returns at most `concurrency`
 * @throws InputError saying what is needed, what there is and what would fit, unless `force`
 */
export async function checkMemory(
  { workshop, output }: Context,
  configs: readonly Config[],
  { concurrency = 1, force = false }: { readonly concurrency?: number; readonly force?: boolean } = {},
): Promise<number> {
  const { catalog } = workshop.registry;
  const check = await checkLaunch(configs, { catalog, concurrency, force });
  for (const warning of check.warnings) output.warn(warning);
  if (check.refusals.length > 0) {
    const messages = check.refusals.map(({ message }) => message);
    throw new InputError(`${messages.join('\n')}\nStart all the same with --force.`, messages);
  }
  return check.concurrency;
}
