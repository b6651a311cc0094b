import type { DataProgress } from '../../../preload/contract/shapes.ts';

export type OnProgress = (progress: DataProgress) => void;

/** Reports one phase at most ten times a second, with the time left estimated from the mean speed so far. */
export class PhaseMeter {
  readonly #phase: DataProgress['phase'];
  readonly #onProgress: OnProgress | undefined;
  readonly #started = performance.now();
  #first: number | null = null;
  #reported = -Infinity;

  constructor(phase: DataProgress['phase'], onProgress: OnProgress | undefined) {
    this.#phase = phase;
    this.#onProgress = onProgress;
  }

  /** `done` and `total` in any unit (bytes when `detail.bytes` is wanted); total 0 = unknown. */
  update(done: number, total: number, detail?: string, inBytes = false): void {
    if (this.#onProgress === undefined) return;
    const now = performance.now();
    const finished = total > 0 && done >= total;
    if (!finished && now - this.#reported < 100) return;
    this.#reported = now;
    // A resumed transfer starts above zero: only what was done since counts for the speed.
    this.#first ??= done;
    const seconds = (now - this.#started) / 1000;
    const speed = seconds > 0 ? (done - this.#first) / seconds : 0;
    this.#onProgress({
      phase: this.#phase,
      fraction: total > 0 ? Math.min(1, done / total) : null,
      etaSeconds: finished ? 0 : total > 0 && speed > 0 ? (total - done) / speed : null,
      detail,
      ...(inBytes ? { bytes: done, totalBytes: total > 0 ? total : undefined, bytesPerSecond: speed } : {}),
    });
  }
}
