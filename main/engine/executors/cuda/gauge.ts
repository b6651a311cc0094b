/**
 * Measures what a process takes of a card beside its plan: what was free before its context, less what is free now and what it holds by plan. Both
 * are asked of the driver's tool, whose figures the fit check takes for free as well.
 */
import { cardUse } from '../nvidia.ts';
import { keepOverhead } from './overhead.ts';

export interface Reading {
  readonly freeBytes: number;
  /** How many programs use the card; null where the driver does not say. */
  readonly programs: number | null;
}

export interface GaugedCard {
  /** As the driver names it. */
  readonly card: string;
  readonly driver: string;
  /** Undefined where nothing can be read. */
  read(): Promise<Reading | undefined>;
}

/** What is more is not a context and kernels, but somebody else who came meanwhile. */
const MOST = 4 * 2 ** 30;

export class Gauge {
  readonly #card: GaugedCard;
  readonly #before: Reading;

  /** @param before what was read before the process had a context on the card */
  constructor(card: GaugedCard, before: Reading) {
    this.#card = card;
    this.#before = before;
  }

  /** Measures, and keeps it for the next fit checks. @param ownBytes that the plan holds now @param libraries what else decides, for people */
  async measure(ownBytes: number, libraries: readonly string[]): Promise<number | undefined> {
    const now = await this.#card.read();
    if (now === undefined) return undefined;
    const joined = (now.programs ?? 0) - (this.#before.programs ?? 0);
    const bytes = this.#before.freeBytes - now.freeBytes - ownBytes;
    if (joined > 1 || bytes <= 0 || bytes > MOST) return undefined;
    const { card, driver } = this.#card;
    keepOverhead({ card, driver, libraries, bytes });
    return bytes;
  }
}

/** For the card that CUDA counts as `ordinal`; undefined where the driver's tool does not tell. */
export async function beginGauge(ordinal: number): Promise<Gauge | undefined> {
  const first = await cardUse(ordinal);
  return first && new Gauge({ card: first.name, driver: first.driver, read: () => cardUse(ordinal) }, first);
}
