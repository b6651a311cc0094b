/** What `doctor` says of NVIDIA's cards, their driver, and the libraries that are used where they are found. */
import type { Finding } from '../../preload/contract/shapes.ts';
import { counted, formatMemory } from '../../preload/shared/format.ts';
import { findCublas, findDriver } from '../engine/executors/cuda/find.ts';
import type { CardSeen, DriverFound } from '../engine/executors/cuda/find.ts';
import { CUBLAS_SWITCH } from '../engine/executors/cuda/libraries.ts';
import type { Look } from '../engine/executors/cuda/libraries.ts';
import { manifest } from '../engine/executors/cuda/manifest.ts';
import { wantsLibrary } from '../engine/executors/cuda/products.ts';
import { capabilityOf, cudaVersion, whyUnusable } from '../engine/executors/cuda/requirements.ts';
import { UNVERIFIED } from '../engine/executors/cuda/verified.ts';
import { COMMAND_LINE, hereOrPackaged } from '../engine/installation.ts';
import { cardName } from '../engine/executors/cards.ts';
import { newestMajor, wheelFor } from '../lab/libraries/cublas.ts';
import { numberOf } from '../engine/executors/installed.ts';
import { driverGpus, isDriverMissing } from '../engine/executors/nvidia.ts';

export async function cudaFindings(): Promise<Finding[]> {
  const { found: driver, why, looks } = await findDriver();
  return [
    ...(await cards(driver)),
    driverFinding(driver, why, looks),
    await cublasFinding(driver),
    kernels(driver !== undefined && usableOf(driver).length > 0),
  ];
}

/** Cards that the kernels run on. */
const usableOf = ({ cards: all, cuda }: DriverFound): readonly CardSeen[] =>
  all.filter((card) => whyUnusable({ ...card, cuda }) === undefined);

async function cards(driver: DriverFound | undefined): Promise<Finding[]> {
  const seen = driver === undefined ? [] : seenOnly(driver);
  try {
    const gpus = await driverGpus();
    if (gpus.length > 0)
      return gpus.map((gpu): Finding => {
        const { index, name, totalBytes, freeBytes, capability } = gpu;
        const facts = [
          `${formatMemory(totalBytes)}, ${formatMemory(freeBytes)} free`,
          ...(capability === null ? [] : [`compute capability ${capability}`]),
          `driver ${gpu.driver}`,
        ];
        const wrong = whyUnusable(gpu);
        return {
          name: `GPU ${cardName(index)}`,
          state: wrong === undefined ? 'ok' : 'missing',
          detail: `${name}, ${facts.join(', ')}`,
          ...(wrong === undefined ? {} : { advice: `it cannot be used: ${wrong}` }),
        };
      });
    // The tool does not list parts of cards.
    if (seen.length > 0) return seen;
    const hidden = process.env.CUDA_VISIBLE_DEVICES;
    if (hidden !== undefined)
      return [
        {
          name: 'NVIDIA GPUs',
          state: 'missing',
          detail: `none: CUDA_VISIBLE_DEVICES is ${JSON.stringify(hidden)}, which leaves none that nvidia-smi knows by number or uuid`,
          advice: 'unset CUDA_VISIBLE_DEVICES, or give it numbers of nvidia-smi',
        },
      ];
    return [{ name: 'NVIDIA GPUs', state: 'missing', detail: 'nvidia-smi knows none' }];
  } catch (error) {
    const absent = isDriverMissing(error);
    // Small containers have the library without the tool.
    if (seen.length > 0) {
      const advice = absent
        ? 'put nvidia-smi into PATH: free memory and load are asked of it'
        : 'nvidia-smi fails: free memory and load are asked of it';
      return seen.map((each) => ({ advice, ...each }));
    }
    return [
      {
        name: 'NVIDIA GPUs',
        state: 'missing',
        detail: absent ? 'none found (no nvidia-smi)' : `nvidia-smi failed: ${(error as Error).message.split('\n')[0]}`,
        ...(absent ? {} : { advice: 'check the driver: nvidia-smi must answer in a terminal' }),
      },
    ];
  }
}

/** Cards of which the driver's library alone tells. */
const seenOnly = ({ cards: all, cuda }: DriverFound): Finding[] =>
  all.map((card, ordinal): Finding => {
    const { name, capability, totalBytes } = card;
    const wrong = whyUnusable({ ...card, cuda });
    return {
      name: `GPU ${cardName(numberOf(ordinal) ?? ordinal)}`,
      state: wrong === undefined ? 'ok' : 'missing',
      detail: `${name}, ${formatMemory(totalBytes)}, compute capability ${capability}; what is free of it is not known`,
      ...(wrong === undefined ? {} : { advice: `it cannot be used: ${wrong}` }),
    };
  });

function driverFinding(driver: DriverFound | undefined, why: string | undefined, looks: readonly Look[]): Finding {
  const name = 'CUDA driver';
  const { tried, places } = told(looks);
  if (driver === undefined)
    return {
      name,
      state: 'missing',
      detail:
        looks.length === 0
          ? `CUDA does not exist on ${process.platform}`
          : `not found: ${(tried[0] ?? places).replace('passed over ', '')}`,
      ...(looks.length === 0 ? {} : { advice: 'for an NVIDIA GPU: install its driver; nothing else is needed' }),
      ...(tried.length > 1 ? { more: tried.slice(1) } : {}),
    };
  const detail = `${driver.path}, runs programs up to CUDA ${cudaVersion(driver.cuda)}`;
  if (why !== undefined)
    return {
      name,
      state: 'missing',
      detail: `${detail}; ${why}`,
      advice: 'check the driver: nvidia-smi must list the card',
    };
  return { name, state: 'ok', detail, ...(tried.length > 0 ? { more: tried } : {}) };
}

async function cublasFinding(driver: DriverFound | undefined): Promise<Finding> {
  const name = 'cuBLASLt';
  if (driver === undefined) return { name, state: 'missing', detail: 'not looked for: there is no driver' };
  // Half a gigabyte is fetched for nobody who has no use for it.
  const usable = usableOf(driver);
  if (usable.length === 0) return { name, state: 'missing', detail: 'not looked for: there is no card to multiply on' };
  const idle = usable.filter(({ capability }) => !wantsLibrary(capabilityOf(capability)));
  if (idle.length === usable.length)
    return { name, state: 'ok', detail: `not needed: our own kernels multiply as fast on ${idle[0]!.name}` };
  const { look, looks } = await findCublas(driver.cuda);
  const [first] = looks;
  if (first?.from === CUBLAS_SWITCH && looks.length === 1)
    return { name, state: 'ok', detail: `not used: ${CUBLAS_SWITCH} is off; products run on kernels of our own` };
  const { tried, places } = told(looks);
  const more = [...tried, ...(places === '' ? [] : [places])];
  if (look !== undefined)
    return {
      name,
      state: 'ok',
      detail: `${look.path} (CUDA ${look.major}, by ${look.from})`,
      ...(more.length > 0 ? { more } : {}),
    };
  return {
    name,
    state: 'missing',
    detail: 'not found; products run on kernels of our own, slower on H100, H200 and B200',
    ...(canFetch(driver.cuda)
      ? {
          advice: `${COMMAND_LINE} setup cuda fetches it from NVIDIA; or install PyTorch or the CUDA toolkit`,
          action: 'setup-cuda' as const,
        }
      : { advice: 'install PyTorch or the CUDA toolkit' }),
    more,
  };
}

/** Whether there is a library of NVIDIA's to fetch for this driver and machine. */
function canFetch(cuda: number): boolean {
  try {
    return wheelFor(newestMajor(cuda)) !== undefined;
  } catch {
    return false;
  }
}

/** What was passed over with the reasons, a line each, and how many places had nothing. */
function told(looks: readonly Look[]): { readonly tried: string[]; readonly places: string } {
  const tried = looks
    .filter(({ state }) => state === 'skipped')
    .map(({ path, from, why }) => `passed over ${path} (${from}): ${why}`);
  const absent = looks.filter(({ state }) => state === 'absent').map(({ path }) => path);
  const places = absent.length === 0 ? '' : `nothing in ${counted(absent.length, 'other place')}: ${absent.join(', ')}`;
  return { tried, places };
}

function kernels(usable: boolean): Finding {
  const name = 'CUDA kernels';
  try {
    return { name, ...compiled(usable) };
  } catch (error) {
    return { name, state: usable ? 'problem' : 'missing', detail: (error as Error).message };
  }
}

function compiled(usable: boolean): Omit<Finding, 'name'> {
  const families = Object.values(manifest());
  const count = families.reduce((sum, { kernels: each }) => sum + Object.keys(each).length, 0);
  const detail = `${counted(count, 'kernel')} in ${counted(families.length, 'family', 'families')}, for compute capability 8.0 and later`;
  return {
    state: 'ok',
    detail: UNVERIFIED === undefined ? detail : `${detail}; ${UNVERIFIED}`,
    ...(UNVERIFIED !== undefined && usable
      ? {
          advice: `${hereOrPackaged('npm run test:gpu', 'npm run test:gpu, in the sources of Sweeplab,')} compares them on this card with the other executors`,
        }
      : {}),
  };
}
