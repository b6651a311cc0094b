/**
 * How one of several cards is named: `cuda:1` is the card that `nvidia-smi` calls 1, everywhere and always. CUDA counts the cards that a
 * process sees, so an engine that is shown one card alone finds it as its first.
 */
import { formatMemory } from '../../../preload/shared/format.ts';
import { ExecutorUnavailableError } from './executor.ts';
import { whyUnusable } from './cuda/requirements.ts';
import type { CardFacts } from './cuda/requirements.ts';
import { installedGpus, whyNoCards } from './installed.ts';
import type { AskDriver, InstalledGpu } from './nvidia.ts';

export interface NamedDevice {
  /** As the setting without the number: an executor, a group or `auto`. */
  readonly name: string;
  readonly card?: number;
}

export function parseDevice(device: string): NamedDevice {
  const found = /^(.+):(\d+)$/u.exec(device);
  return found === null ? { name: device } : { name: found[1], card: Number(found[2]) };
}

/** Runs are given to cards under these names, whatever executor trains them. */
export const cardName = (index: number): string => `cuda:${index}`;

const describeCard = ({ index, name, totalBytes }: InstalledGpu): string =>
  `${cardName(index)} (${name}, ${formatMemory(totalBytes)})`;

/**
 * Where CUDA finds a card among those that this process sees. @throws ExecutorUnavailableError naming the cards that there are
 */
export async function ordinalOf(device: string, card: number, ask?: AskDriver): Promise<number> {
  const cards = await installedGpus(ask);
  const ordinal = cards.findIndex(({ index }) => index === card);
  if (ordinal >= 0) return ordinal;
  const list = cards.length === 0 ? await whyNoCards(ask) : `the cards are ${cards.map(describeCard).join(', ')}`;
  throw new ExecutorUnavailableError(`device is ${device}, but ${list}`);
}

/** What is looked at to choose a card. */
export type CardLike = Pick<InstalledGpu, 'name' | 'totalBytes'> & Partial<CardFacts>;

/**
 * The cards for runs that ask for no certain one: those like the largest of which nothing is known that keeps them from being used. On others they
 * would be slower, or not fit, and who compares runs does not want to compare cards. The others are taken by their names.
 */
export function alike<G extends CardLike>(cards: readonly G[]): readonly G[] {
  if (cards.length === 0) return [];
  const usable = cards.filter((card) => whyUnusable({ capability: null, ...card }) === undefined);
  const candidates = usable.length > 0 ? usable : cards;
  const largest = candidates.reduce((a, b) => (b.totalBytes > a.totalBytes ? b : a));
  return candidates.filter(({ name }) => name === largest.name);
}
