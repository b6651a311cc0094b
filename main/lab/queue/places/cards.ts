/** Which cards a run may train on. */
import type { RunRecord } from '../../../../preload/contract/runs.ts';
import type { Config } from '../../../../preload/contract/settings.ts';
import { alike, cardName, parseDevice } from '../../../engine/executors/cards.ts';
import type { CardLike } from '../../../engine/executors/cards.ts';
import { ON_A_GPU } from '../../../engine/executors/index.ts';
import { installedGpus } from '../../../engine/executors/installed.ts';
import type { InstalledGpu } from '../../../engine/executors/nvidia.ts';
import { meant, selectExecutor } from '../../../engine/executors/select.ts';
import { precisionOf } from '../../../engine/nn/precision.ts';

export interface Cards {
  readonly all: readonly (Pick<InstalledGpu, 'index'> & CardLike)[];
  /** Whether the executor that `auto` prefers can be used on them. */
  readonly usable: boolean;
}

export const NO_CARDS: Cards = { all: [], usable: false };

/** The cards of this machine, and whether runs that leave the choice go to them. */
export async function findCards(): Promise<Cards> {
  const all = await installedGpus();
  if (all.length === 0) return NO_CARDS;
  const usable = await selectExecutor(ON_A_GPU).then(
    () => true,
    () => false,
  );
  return { all, usable };
}

/** The devices that a run may be given; null where there is no choice between cards. A program takes any: nobody knows what it asks for. */
export function devicesOf(
  { origin, config }: Pick<RunRecord, 'origin' | 'config'>,
  cards: Cards,
): readonly (string | null)[] {
  if (origin === 'program' && cards.all.length > 0) return cards.all.map(({ index }) => cardName(index));
  const { name, card } = parseDevice(String(config.device));
  if (card !== undefined) return [cardName(card)];
  const precision = precisionOf(config);
  const [first] = meant(name).filter(
    (kind) => kind.policies.includes(precision) && (cards.usable || name === ON_A_GPU || kind.name !== ON_A_GPU),
  );
  if (first?.memory !== 'gpu' || cards.all.length === 0) return [null];
  return alike(cards.all).map(({ index }) => cardName(index));
}

/** How many runs with these settings can train at a time with a card for each; undefined where none of them goes to a card. */
export function cardsFor(configs: readonly Config[], cards: Cards): number | undefined {
  const devices = new Set(configs.flatMap((config) => devicesOf({ origin: 'sweeplab', config }, cards)));
  devices.delete(null);
  return devices.size === 0 ? undefined : devices.size;
}
