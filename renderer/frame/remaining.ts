/** How long all that is queued will still take: an estimate that runs down as a clock does, instead of jumping with every report. */

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
