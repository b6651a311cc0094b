/** Sweeps as the database has them: a draft, or in older databases what a sweep was before it was one. */
import { type Draft, draft } from '../../../preload/contract/draft.ts';
import type { Distribution } from '../../../preload/shared/sweeps/distributions.ts';
import { parameterOf } from '../../../preload/shared/sweeps/parameters.ts';

/** Version 0.1 up to its first half: parameters as a list, W&B's own keys apart, what was not said left out. */
interface Older {
  readonly description?: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly distribution: Distribution;
    readonly when?: string;
  }[];
  readonly wandb?: { readonly image_uri?: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

const isOlder = (stored: unknown): stored is Older =>
  typeof stored === 'object' && stored !== null && Array.isArray((stored as Older).parameters);

function fromOlder({ description, parameters, wandb = {}, ...same }: Older): unknown {
  const { image_uri: imageUri, ...kept } = wandb;
  return {
    ...same,
    ...kept,
    ...(imageUri === undefined ? {} : { imageUri }),
    ...(description === undefined ? {} : { notes: description }),
    parameters: Object.fromEntries(
      parameters.map(({ name, distribution, when }) => [
        name,
        { ...parameterOf(distribution), ...(when === undefined ? {} : { when }) },
      ]),
    ),
  };
}

/** The sweep that a stored definition says; null where it cannot be read. */
export function storedSweep(stored: unknown): Draft | null {
  try {
    return draft.safeParse(isOlder(stored) ? fromOlder(stored) : stored).data ?? null;
  } catch {
    // Damaged in a way that no version wrote.
    return null;
  }
}
