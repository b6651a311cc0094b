import { describe, expect, it } from 'vitest';
import { costOf } from '../../../main/lab/fit/time.ts';
import { costWords, NO_PRICES, pricesOf, readPrices, usePrices } from '../../../renderer/stores/prices.ts';
import { useToasts } from '../../../renderer/stores/toasts.ts';
import { testLab } from './support.ts';

const hours = { low: 3600, high: 7200 };

describe('prices', () => {
  it('unset give no cost (would catch a made-up price)', () => {
    expect(pricesOf(NO_PRICES)).toBeUndefined();
    expect(costWords(hours, NO_PRICES)).toBeNull();
    expect(costWords(null, { ...NO_PRICES, perHour: 2 })).toBeNull();
  });
  it('of electricity count only with the power, and add to those of the hour', () => {
    expect(pricesOf({ ...NO_PRICES, watts: 350 })).toBeUndefined();
    expect(pricesOf({ ...NO_PRICES, tariff: 0.3 })).toBeUndefined();
    const entries = { currency: '$', perHour: 2, watts: 500, tariff: 0.4 };
    expect(pricesOf(entries)).toEqual({ pricePerHour: 2, kilowatts: 0.5, tariff: 0.4 });
    const { text, how } = costWords(hours, entries)!;
    // The same arithmetic as the command line's.
    const cost = costOf(hours, pricesOf(entries)!)!;
    expect([cost.low, cost.high]).toEqual([2.2, 4.4]);
    expect(text).toBe('2.20 – 4.40\u00A0$');
    expect(costWords({ low: 0.1, high: 0.2 }, entries)!.text).toBe('under 0.01\u00A0$');
    expect(how).toBe('2 $ per hour + 500 W × 0.4 $ per kWh');
  });
  it('that are stored damaged are none', () => {
    expect(readPrices(null)).toEqual(NO_PRICES);
    expect(readPrices({ currency: ' CHF ', perHour: -1, watts: '9', tariff: 0 })).toEqual({
      currency: 'CHF',
      perHour: null,
      watts: null,
      tariff: 0,
    });
  });
  it('go back when the lab cannot keep them, and say so', async () => {
    testLab({
      'views.get': () => ({ value: { perHour: 2 } }),
      'views.set': () => {
        throw new Error('disk full');
      },
    });
    const prices = usePrices();
    await prices.load();
    expect(prices.cost(hours)?.text).toBe('2.00 – 4.00\u00A0EUR');
    await prices.set({ perHour: 3 });
    expect(prices.entries.perHour).toBe(2);
    expect(useToasts().toasts[0].message).toContain('price');
  });
});
