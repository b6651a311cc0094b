/** Times of what a device does, by its own clock. */
import type { CudaDevice } from '../../main/engine/executors/cuda/device.ts';
import type { Handle } from '../../main/engine/executors/cuda/driver.ts';

export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** Milliseconds of `work` on the device's stream: the median of several times, after one that warms up. */
export function milliseconds(device: CudaDevice, work: () => void, times = 7): number {
  const [begin, end] = [0, 1].map(() => device.out<Handle>('createEvent', (slot) => [slot, 0])) as [Handle, Handle];
  const measured: number[] = [];
  for (let i = 0; i <= times; i++) {
    device.call('recordEvent', begin, device.stream);
    work();
    device.call('recordEvent', end, device.stream);
    device.call('waitEvent', end);
    const took = device.out<number>('elapsed', (slot) => [slot, begin, end]);
    if (i > 0) measured.push(took);
  }
  device.call('destroyEvent', begin);
  device.call('destroyEvent', end);
  return median(measured);
}
