/** What a card and its driver must be for the kernels to run on it. */

export interface CardFacts {
  /** As the driver names it. */
  readonly name: string;
  /** Compute capability, `8.9`; null where the driver does not say. */
  readonly capability: string | null;
  /** Version of the driver as `nvidia-smi` says it, `550.54.14`. */
  readonly driver?: string;
  /** The newest CUDA that the driver runs, as `cuDriverGetVersion` says it: 13000 for 13.0. */
  readonly cuda?: number;
}

/** `9.0` as 90. */
export function capabilityOf(text: string): number {
  const [major = 0, minor = 0] = text.split('.').map(Number);
  return 10 * major + minor;
}

const LEAST_CAPABILITY = '8.0';

/** The first driver for cards from a capability on, the newest cards first, and the CUDA that it runs. The kernels themselves need the last. */
const DRIVERS: readonly {
  readonly from: number;
  readonly release: number;
  readonly cuda: number;
  readonly cards: string;
}[] = [
  { from: 10, release: 570, cuda: 12_080, cards: 'Blackwell cards' },
  { from: 9, release: 520, cuda: 11_080, cards: 'Hopper cards' },
  { from: 8, release: 470, cuda: 11_040, cards: 'cards of its kind' },
];

/** `13.0` */
export const cudaVersion = (cuda: number): string => `${Math.floor(cuda / 1000)}.${Math.floor((cuda % 1000) / 10)}`;

/** Why a card cannot be used, for people; undefined where nothing speaks against it. What is not known is not held against it. */
export function whyUnusable({ name, capability, driver, cuda }: CardFacts): string | undefined {
  const major = capability === null ? 8 : Number.parseInt(capability, 10);
  if (major < 8)
    return `${name} has compute capability ${capability}; needed is ${LEAST_CAPABILITY} or more (cards of 2020 and later: Ampere, Ada, Hopper, Blackwell)`;
  const needed = DRIVERS.find(({ from }) => major >= from)!;
  const has =
    driver !== undefined && Number.parseInt(driver, 10) < needed.release
      ? driver
      : cuda !== undefined && cuda < needed.cuda
        ? `for CUDA ${cudaVersion(cuda)}`
        : undefined;
  if (has === undefined) return undefined;
  return `${name} has a driver ${has}; ${needed.cards} need release ${needed.release} (CUDA ${cudaVersion(needed.cuda)}) or later: update the NVIDIA driver`;
}
