/** How many runs train at once when nobody says. */

/** As many as the cores carry, each with the threads that it uses, and no more than there are runs. */
export function defaultPlaces(runs: number, cores: number, threadsPerRun = 1): number {
  return Math.max(1, Math.min(Math.floor(cores / Math.max(1, threadsPerRun)), runs));
}
