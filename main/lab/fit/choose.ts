/** The device that a setting or an option names. */
import { ordinalOf, parseDevice } from '../../engine/executors/cards.ts';
import { isExecutor, ON_A_GPU } from '../../engine/executors/index.ts';
import { whyNoCards } from '../../engine/executors/installed.ts';
import type { AskDriver } from '../../engine/executors/nvidia.ts';
import { selectExecutor } from '../../engine/executors/select.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { localDevice, namedGpu } from './devices.ts';
import type { FitDevice } from './devices.ts';
import { precisionOf } from '../../engine/nn/precision.ts';

export interface DeviceChoice {
  /** A card by name, for a what-if; wins over `device`. */
  readonly gpu?: string;
  /** As the setting `device`; default: the configuration's own. */
  readonly device?: string;
}

/** There is no such device here. The message is for the user. */
export class NoDeviceError extends Error {
  override readonly name = 'NoDeviceError';
}

/** Opens the executor that a choice like `auto` means and says its name. Replaced in tests. */
export type Resolve = (device: string, policy: string) => Promise<string>;

const resolve: Resolve = async (device, policy) => (await selectExecutor(device, policy)).executor.device.executor;

/**
 * The device to check against. `auto` and `tfjs` are what training would take here.
 *
 * @throws UnknownGpuError, NoDeviceError, ExecutorUnavailableError
 */
export async function deviceFor(
  config: Config,
  choice: DeviceChoice = {},
  open: Resolve = resolve,
  ask?: AskDriver,
): Promise<FitDevice> {
  if (choice.gpu !== undefined) return namedGpu(choice.gpu, ON_A_GPU, ask);
  const wanted = choice.device ?? (config.device as string);
  const { name, card } = parseDevice(wanted);
  // Says which cards there are.
  if (card !== undefined) await ordinalOf(wanted, card, ask);
  const kind = isExecutor(name) ? name : await open(wanted, precisionOf(config));
  if (!isExecutor(kind)) throw new NoDeviceError(`device is ${kind}, which the fit check does not know`);
  const device = await localDevice(kind, card, ask);
  if (device !== undefined) return device;
  throw new NoDeviceError(
    `device is ${kind}, but ${await whyNoCards(ask)}; sweeplab fit --gpu "RTX 4090" asks what would be on a card`,
  );
}
