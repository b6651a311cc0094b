/** Pinned memory through which inputs and outputs of runs pass: a few slots in turn, so that the next run is given while one is computed. */
import { NOT_READY } from './device.ts';
import type { CudaDevice } from './device.ts';
import { viewOfMemory } from './driver.ts';
import type { Handle } from './driver.ts';
import { setImmediate, setTimeout } from 'node:timers/promises';

/** Runs whose inputs or outputs are on their way at once. */
const SLOTS = 3;
/** A result that comes within so many milliseconds is not worth a timer. */
const SOON_MS = 1;

export interface Slot {
  /** Of the pinned memory, for the driver. */
  readonly address: number;
  readonly memory: ArrayBuffer;
  /** Recorded behind the run. */
  readonly event: Handle;
}

interface Held extends Slot {
  /** Settles when the slot is free. */
  free: Promise<void>;
}

export class Slots {
  readonly #device: CudaDevice;
  #slots: Held[] = [];
  #bytes = 0;
  #next = 0;

  constructor(device: CudaDevice) {
    this.#device = device;
  }

  /** Makes each slot at least this large. None may be in use. */
  reserve(bytes: number): void {
    if (bytes <= this.#bytes && this.#slots.length > 0) return;
    this.dispose();
    this.#bytes = bytes;
    for (let i = 0; i < SLOTS; i++) {
      const address = Number(
        this.#device.out<number | bigint>('allocateHost', (slot) => [slot, Math.max(1, bytes), 0]),
      );
      let event: Handle;
      try {
        event = this.#device.out<Handle>('createEvent', (slot) => [slot, 2]);
      } catch (error) {
        this.#device.driver.freeHost(address);
        throw error;
      }
      const memory = viewOfMemory(address, Math.max(1, bytes));
      this.#slots.push({ address, memory, event, free: Promise.resolve() });
    }
  }

  /** The next slot as soon as it is free, and how to give it back. */
  async take(): Promise<{ slot: Slot; release: () => void }> {
    const slot = this.#slots[this.#next]!;
    this.#next = (this.#next + 1) % this.#slots.length;
    await slot.free;
    let release!: () => void;
    slot.free = new Promise((resolve) => (release = resolve));
    return { slot, release };
  }

  dispose(): void {
    for (const { address, event } of this.#slots) {
      this.#device.driver.destroyEvent(event);
      this.#device.driver.freeHost(address);
    }
    this.#slots = [];
    this.#next = 0;
    this.#bytes = 0;
  }
}

/**
 * Waits until the device has passed an event, without a thread of its own: koffi's threads have no context. @param open false ends the wait
 * @throws CudaError where the device reports one
 */
export async function passed(device: CudaDevice, event: Handle, open: () => boolean): Promise<void> {
  const begin = performance.now();
  while (open()) {
    const code = device.driver.queryEvent(event);
    if (code === 0) return;
    if (code !== NOT_READY) throw device.error('queryEvent', code);
    if (performance.now() - begin < SOON_MS) await setImmediate();
    else await setTimeout(1);
  }
}
