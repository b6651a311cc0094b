/** The card of a session, looked at without taking memory of it. */
import { counted } from '../../../../preload/shared/format.ts';
import { ExecutorUnavailableError } from '../executor.ts';
import type { Driver } from './driver.ts';
import { driverLooks, firstThatLoads } from './libraries.ts';
import { thisMachine } from './surroundings.ts';

export interface Card {
  /** Path or name of the driver's library. */
  readonly library: string;
  /** As CUDA counts the cards that this process sees; the first unless given. */
  readonly ordinal?: number;
  /** As the driver names it. */
  readonly name: string;
}

const CAPABILITY_MAJOR = 75;
const CAPABILITY_MINOR = 76;
/** Compute capability that the kernels need at least: cards of 2020 and later. */
const LEAST_MAJOR = 8;

function refuse(reason: string): never {
  throw new ExecutorUnavailableError(`cuda: ${reason}`);
}

/** @throws ExecutorUnavailableError saying what is missing */
export async function usableCard(ordinal: number): Promise<Card> {
  // Cards are counted as nvidia-smi counts them.
  process.env.CUDA_DEVICE_ORDER = 'PCI_BUS_ID';
  const { loadDriver } = await import('./driver.ts').catch((error: Error) =>
    refuse(`koffi, which opens the driver, does not load: ${error.message.split('\n')[0]}`),
  );
  const { library: driver, look } = await firstThatLoads(driverLooks(thisMachine()), loadDriver);
  if (driver === undefined || look === undefined) return refuse('no NVIDIA driver is found');
  const begun = driver.init(0);
  if (begun !== 0) return refuse(`the driver finds no card that it can use (cuInit: error ${begun})`);
  const count = number(driver, 'deviceCount');
  if (ordinal >= count) return refuse(`there is no card ${ordinal}; the driver sees ${counted(count, 'card')}`);
  const device = number(driver, 'device', ordinal);
  const text = Buffer.alloc(256);
  driver.deviceName(text, text.length, device);
  const name = text.toString('utf8', 0, text.indexOf(0));
  const major = number(driver, 'deviceAttribute', CAPABILITY_MAJOR, device);
  const minor = number(driver, 'deviceAttribute', CAPABILITY_MINOR, device);
  if (major < LEAST_MAJOR)
    return refuse(`${name} has compute capability ${major}.${minor}; needed is ${LEAST_MAJOR}.0 or more`);
  return { library: look.path, ordinal, name };
}

/** What the driver writes into its first argument; 0 where it does not. */
function number(
  driver: Driver,
  call: 'deviceCount' | 'device' | 'deviceAttribute',
  ...args: readonly number[]
): number {
  const slot = [0];
  return driver[call](slot, ...args) === 0 ? slot[0]! : 0;
}
