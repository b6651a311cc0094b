/**
 * What training costs here, as somebody said in the settings. Kept by the lab, so that every window shows the same. Nothing is
 * assumed: without a price no cost is shown.
 */
import { defineStore } from 'pinia';
import { computed, ref } from 'vue';
import { useClient } from './client.ts';
import type { Prices, Range } from './contract.ts';
import { formatValue } from '../../preload/shared/format.ts';
import { useToasts } from './toasts.ts';

export interface PriceEntries {
  /** `EUR`, `$` …: as it is shown. */
  readonly currency: string;
  /** Of a GPU-hour or machine-hour. */
  readonly perHour: number | null;
  /** Drawn while training. */
  readonly watts: number | null;
  /** Of a kilowatt-hour. */
  readonly tariff: number | null;
}

export const NO_PRICES: PriceEntries = { currency: 'EUR', perHour: null, watts: null, tariff: null };
const KEY = 'prices';

/** What is stored, perhaps by another version: what is no price is none. */
export function readPrices(stored: unknown): PriceEntries {
  const given = (typeof stored === 'object' && stored !== null ? stored : {}) as Record<string, unknown>;
  const price = (value: unknown): number | null =>
    typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
  const currency = typeof given.currency === 'string' ? given.currency.trim().slice(0, 8) : '';
  return {
    currency: currency || NO_PRICES.currency,
    perHour: price(given.perHour),
    watts: price(given.watts),
    tariff: price(given.tariff),
  };
}

/** As the fit check takes them; undefined where nothing can be reckoned: power needs its tariff, and a tariff the power. */
export function pricesOf({ perHour, watts, tariff }: PriceEntries): Prices | undefined {
  const power = watts !== null && tariff !== null;
  if (perHour === null && !power) return undefined;
  return {
    ...(perHour === null ? {} : { pricePerHour: perHour }),
    ...(power ? { kilowatts: watts / 1000, tariff } : {}),
  };
}

export interface CostWords {
  /** `0.12–0.4 EUR` */
  readonly text: string;
  /** `2.5 EUR per hour + 350 W × 0.3 EUR per kWh` */
  readonly how: string;
}

/** The cost of a time; null without prices or time. */
export function costWords(seconds: Range | null | undefined, entries: PriceEntries): CostWords | null {
  const prices = pricesOf(entries);
  if (prices === undefined || seconds === null || seconds === undefined) return null;
  const { currency, watts, tariff } = entries;
  const perHour = (prices.pricePerHour ?? 0) + (prices.kilowatts ?? 0) * (prices.tariff ?? 0);
  const [low, high] = [seconds.low, seconds.high].map((each) => (each / 3600) * perHour);
  const money = (value: number): string => (value < 10 ? value.toFixed(2) : formatValue(value, 2));
  const parts = [
    ...(prices.pricePerHour === undefined ? [] : [`${prices.pricePerHour} ${currency} per hour`]),
    ...(prices.kilowatts === undefined ? [] : [`${watts} W × ${tariff} ${currency} per kWh`]),
  ];
  const range = money(low) === money(high) ? money(low) : `${money(low)} – ${money(high)}`;
  const text = perHour === 0 ? '0' : high < 0.01 ? 'under 0.01' : low < 0.01 ? `up to ${money(high)}` : range;
  return { text: `${text}\u00A0${currency}`, how: parts.join(' + ') };
}

export const usePrices = defineStore('prices', () => {
  const entries = ref<PriceEntries>(NO_PRICES);
  const known = computed(() => pricesOf(entries.value) !== undefined);

  async function load(): Promise<void> {
    entries.value = readPrices((await useClient().call('views.get', { key: KEY })).value);
  }
  async function set(change: Partial<PriceEntries>): Promise<void> {
    const before = entries.value;
    entries.value = { ...before, ...change };
    try {
      await useClient().call('views.set', { key: KEY, value: { ...entries.value } });
    } catch (error) {
      entries.value = before;
      useToasts().fail('Could not keep the price', error);
    }
  }
  return {
    entries,
    known,
    load,
    start: () => undefined,
    set,
    cost: (seconds: Range | null | undefined) => costWords(seconds, entries.value),
  };
});
