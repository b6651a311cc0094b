/** How long all that is queued will still take: an estimate that runs down as a clock does, instead of jumping with every report. */

export interface Underway {
  /** Seconds until this run ends; null while it does not know. */
  readonly eta: number | null;
  /** 0 … 1 of the run; null while it does not know. */
  readonly fraction: number | null;
}

export interface Work {
  /** What trains now. */
  readonly running: readonly Underway[];
  readonly waiting: number;
  /** How many train at once. */
  readonly lanes: number;
  /** Seconds that runs of the same sweep took; empty before the first has ended. */
  readonly took: readonly number[];
}

/** A run must be this far before its own pace says how long the ones after it take. */
const FAR = 0.05;

const middle = (values: readonly number[]): number | null => {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  if (sorted.length === 0) return null;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

/**
 * Seconds until everything is done; null when nothing says so. A waiting run takes what the ended runs of the sweep took (their
 * median), else what the running ones will take at their present pace.
 */
export function remainingOf({ running, waiting, lanes, took }: Work): number | null {
  const whole = running.flatMap(({ eta, fraction }) =>
    eta !== null && fraction !== null && fraction >= FAR && fraction < 1 ? [eta / (1 - fraction)] : [],
  );
  const typical = middle(took) ?? middle(whole);
  const rests = running.map(({ eta }) => eta ?? typical);
  if (running.length + waiting === 0 || rests.includes(null)) return null;
  if (waiting > 0 && typical === null) return null;
  const known = rests as number[];
  const sum = known.reduce((a, b) => a + b, 0) + waiting * (typical ?? 0);
  return Math.max(...known, sum / Math.max(1, lanes));
}

/** Reports pull the expected end towards theirs over about this long (seconds), or over a tenth of what remains. */
const CALM_SECONDS = 8;
const CALM_SHARE = 0.1;

/** A first estimate is taken as it is, and so is one after more work has come. */
export class SteadyEnd {
  #end: number | null = null;
  #at = 0;
  #amount = 0;

  /**
   * @param now seconds of any clock
   * @param remaining seconds, as just reported; null when there is nothing new, or nothing says so (between two runs)
   * @param amount runs that wait or train: more of them than before are new work, and the estimate begins again
   * @returns seconds until the end; null when nothing has said so yet
   */
  update(now: number, remaining: number | null, amount: number): number | null {
    if (amount === 0) {
      this.#end = null;
      this.#amount = 0;
      return null;
    }
    const grown = amount > this.#amount;
    this.#amount = amount;
    if (remaining !== null) {
      const says = now + remaining;
      if (this.#end === null || grown) this.#end = says;
      else {
        const calm = Math.max(CALM_SECONDS, CALM_SHARE * remaining);
        this.#end += (says - this.#end) * (1 - Math.exp(-Math.max(0, now - this.#at) / calm));
      }
      this.#at = now;
    } else if (grown) this.#end = null;
    return this.#end === null ? null : Math.max(0, this.#end - now);
  }
}
