/** The card of a session, looked at without taking memory of it. */
import { counted } from '../../../../preload/shared/format.ts';
import { ExecutorUnavailableError } from '../executor.ts';
import { findDriver, libraryHere } from './find.ts';
import type { CardSeen } from './find.ts';
import { beginGauge } from './gauge.ts';
import type { Gauge } from './gauge.ts';
import { manifest } from './manifest.ts';
import { whyUnusable } from './requirements.ts';
import type { CardFacts } from './requirements.ts';

export interface Card {
  /** Path or name of the driver's library. */
  readonly library: string;
  /** As CUDA counts the cards that this process sees; the first unless given. */
  readonly ordinal?: number;
  /** As the driver names it. */
  readonly name: string;
  /** Path or name of the cuBLASLt that multiplies; none unless given. */
  readonly cublas?: string | undefined;
  /** What measures memory beside the plan. */
  readonly gauge?: Gauge | undefined;
}

/** @param asked as CUDA counts cards; else one that runs without a number go to @throws ExecutorUnavailableError saying what is missing */
export async function usableCard(asked?: number): Promise<Card> {
  // Before anything is opened: what is damaged leaves runs to the next executor.
  manifest();
  const refuse = (reason: string): never => {
    throw new ExecutorUnavailableError(`cuda: ${reason}`);
  };
  const { found, why } = await findDriver();
  if (found === undefined) return refuse('no NVIDIA driver is found');
  if (why !== undefined) return refuse(why);
  const known = found.cards.map((each) => ({ ...each, cuda: found.cuda }));
  const ordinal = asked ?? best(known);
  const card = known[ordinal];
  if (card === undefined)
    return refuse(`there is no card ${ordinal}; the driver sees ${counted(found.cards.length, 'card')}`);
  const unusable = whyUnusable(card);
  if (unusable !== undefined) return refuse(unusable);
  const cublas = await libraryHere(card.capability, found.cuda);
  return { library: found.path, ordinal, name: card.name, cublas, gauge: await beginGauge(ordinal) };
}

/** The largest card that can be used; the first where none can. */
function best(cards: readonly (CardSeen & CardFacts)[]): number {
  const usable = cards.filter((card) => whyUnusable(card) === undefined);
  const most = Math.max(...usable.map(({ totalBytes }) => totalBytes));
  return Math.max(0, cards.indexOf(usable.find(({ totalBytes }) => totalBytes === most)!));
}
