/** NVIDIA's libraries on this machine. */
import { isAbsolute } from 'node:path';
import { REINSTALL } from '../../installation.ts';
import type { Driver } from './driver.ts';
import { firstThatLoads, cublasLooks, driverLooks } from './libraries.ts';
import type { Found, Look } from './libraries.ts';
import { wantsLibrary } from './products.ts';
import { capabilityOf } from './requirements.ts';
import { thisMachine } from './surroundings.ts';

export interface DriverFound {
  readonly path: string;
  /** As cuDriverGetVersion gives it: 13000 for CUDA 13.0. */
  readonly cuda: number;
  readonly cards: readonly CardSeen[];
}

/** A card as the driver's library tells of it. */
export interface CardSeen {
  readonly name: string;
  /** `9.0` */
  readonly capability: string;
  readonly totalBytes: number;
}

/** What opens libraries; where its own native part does not load, the reason of that stands beside each library. */
async function loader(): Promise<(path: string) => Driver> {
  try {
    return (await import('./driver.ts')).loadDriver;
  } catch (error) {
    const why = (error as Error).message.split('\n')[0];
    return () => {
      throw new Error(`koffi, which opens libraries, does not load (${REINSTALL}): ${why}`, { cause: error });
    };
  }
}

const CAPABILITY_MAJOR = 75;
const CAPABILITY_MINOR = 76;
/** Results of cuInit that say why there is nothing to use. */
const NO_DEVICE = 100;

/**
 * The driver's library and what it says of the cards, which costs none of their memory. `why`: what keeps it from being used, though it is
 * there.
 */
export async function findDriver(): Promise<{ found?: DriverFound; why?: string; looks: readonly Look[] }> {
  // The library reads it once in the life of a process: cards are counted as nvidia-smi does.
  process.env.CUDA_DEVICE_ORDER = 'PCI_BUS_ID';
  const { library: driver, look, looks } = await firstThatLoads(driverLooks(thisMachine()), await loader());
  if (driver === undefined) return { looks };
  const number = [0];
  const version = driver.driverVersion(number) === 0 ? number[0]! : 0;
  const begun = driver.init(0);
  if (begun !== 0) {
    const text: [string | null] = [null];
    const words = driver.errorString(begun, text) === 0 ? text[0] : null;
    const why = begun === NO_DEVICE ? 'the driver sees no card' : `cuInit fails: ${words ?? `error ${begun}`}`;
    return { found: { path: look!.path, cuda: version, cards: [] }, why, looks };
  }
  const count = driver.deviceCount(number) === 0 ? number[0]! : 0;
  const cards = Array.from({ length: count }, (_, ordinal) => {
    const device = [0];
    driver.device(device, ordinal);
    const attribute = (which: number): number => (driver.deviceAttribute(number, which, device[0]), number[0]!);
    const name = Buffer.alloc(256);
    driver.deviceName(name, name.length, device[0]);
    const bytes = [0];
    return {
      name: name.toString('utf8', 0, name.indexOf(0)),
      capability: `${attribute(CAPABILITY_MAJOR)}.${attribute(CAPABILITY_MINOR)}`,
      totalBytes: driver.deviceMemory(bytes, device[0]) === 0 ? Number(bytes[0]) : 0,
    };
  });
  return { found: { path: look!.path, cuda: version, cards }, looks };
}

/** Whether the system's loader finds a library by its name; asked once, because one of half a gigabyte may come. */
const byName = new Map<string, string | undefined>();

/**
 * cuBLASLt for a driver. A file is taken at its word; a bare name says nothing until it is tried.
 */
export async function findCublas(cuda: number): Promise<Found<unknown>> {
  const { default: koffi } = await import('koffi');
  return firstThatLoads(cublasLooks(thisMachine(), Math.floor(cuda / 1000)), (path) => {
    if (isAbsolute(path)) return;
    if (!byName.has(path))
      byName.set(
        path,
        whyNotByName(() => koffi.load(path).unload()),
      );
    const why = byName.get(path);
    if (why !== undefined) throw new Error(why);
  });
}

function whyNotByName(load: () => void): string | undefined {
  try {
    load();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The cuBLASLt that a card multiplies with; undefined where it does not, or there is none. @param capability `9.0` @param cuda of the driver */
export async function libraryHere(capability: string, cuda: number | undefined): Promise<string | undefined> {
  if (cuda === undefined || !wantsLibrary(capabilityOf(capability))) return undefined;
  return (await findCublas(cuda)).look?.path;
}
