/** Runs the launches of a program: one by one the first time, which loads its kernels, and from then on as one recorded graph. */
import type { CudaDevice } from './device.ts';
import type { Handle } from './driver.ts';
import type { Piece } from './translate.ts';

/** What other threads do is not forbidden while a program is recorded. */
const THREAD_LOCAL = 1;

/** Called before the launches of a piece are given to the device, and after the last with none. */
export type Watch = (piece: Piece | undefined) => void;

export class Replay {
  readonly #device: CudaDevice;
  readonly #pieces: readonly Piece[];
  readonly #watch: Watch | undefined;
  #begun = false;
  #executable: Handle | undefined;

  constructor(device: CudaDevice, pieces: readonly Piece[], watch?: Watch) {
    this.#device = device;
    this.#pieces = pieces.filter(({ launches }) => launches.length > 0);
    this.#watch = watch;
  }

  /** Whether it is a graph by now. */
  get recorded(): boolean {
    return this.#executable !== undefined;
  }

  /** Queues the program once. Same kernels, same order, same bits, whichever way. */
  run(): void {
    if (this.#pieces.length === 0) return;
    if (this.#begun) this.#executable ??= this.#record();
    if (this.#executable === undefined) this.#launchAll();
    else this.#device.call('launchGraph', this.#executable, this.#device.stream);
    this.#begun = true;
  }

  dispose(): void {
    if (this.#executable !== undefined) this.#device.driver.destroyExecutable(this.#executable);
    this.#executable = undefined;
  }

  #launchAll(): void {
    for (const piece of this.#pieces) {
      this.#watch?.(piece);
      for (const { launch, args } of piece.launches) this.#device.launchEncoded(launch, args);
    }
    this.#watch?.(undefined);
  }

  #record(): Handle {
    const device = this.#device;
    device.call('beginCapture', device.stream, THREAD_LOCAL);
    const graph: [Handle | null] = [null];
    let code: number;
    try {
      this.#launchAll();
    } finally {
      // Also where a launch fails: a stream that records runs nothing.
      code = device.driver.endCapture(device.stream, graph);
    }
    try {
      if (code !== 0) throw device.error('endCapture', code);
      return device.out<Handle>('instantiate', (slot) => [slot, graph[0], 0]);
    } finally {
      if (graph[0] !== null) device.driver.destroyGraph(graph[0]);
    }
  }
}
