import type { Handle } from '../../../main/engine/executors/cuda/driver.ts';
import type { Stage } from '../stage.ts';
import { milliseconds } from '../timing.ts';

/** What the card can do at most: products, multiply-adds, a copy, and the time between kernels of a graph. */
export const ceilings: Stage = {
  name: 'ceilings',
  seconds: 20,
  run: async ({ device: open, quick, row }) => {
    const device = open();
    const [copied, repeats, launches] = quick ? [2 ** 16, 2, 10] : [512 * 2 ** 20, 4096, 1000];
    const blocks = device.facts.multiprocessors * 4;
    const y = device.allocate(blocks * 256 * 4);
    const peaks = [
      { fn: 'peak_products', flops: 8 * 2 * 16 * 8 * 16 * 8 * blocks }, // 8 warps, 8 chains
      { fn: 'peak_multiply_adds', flops: 256 * 2 * 8 * blocks },
    ];
    for (const { fn, flops } of peaks) {
      const ms = milliseconds(device, () => device.launch({ fn, grid: [blocks, 1, 1], args: { y, repeats } }));
      row({ what: fn, ms, tflops: (flops * repeats) / ms / 1e9 });
    }
    const [from, to] = [device.allocate(copied), device.allocate(copied)];
    const args = { x: from, y: to, vectors: copied / 16 };
    const copy = milliseconds(device, () => device.launch({ fn: 'peak_copy', grid: [blocks * 2, 1, 1], args }));
    row({ what: 'copy', ms: copy, gbytes: (2 * copied) / copy / 1e6 });
    device.call('beginCapture', device.stream, 0);
    for (let i = 0; i < launches; i++) device.launch({ fn: 'peak_nothing', grid: [1, 1, 1], args: { y, repeats: 0 } });
    const graph = device.out<Handle>('endCapture', (slot) => [device.stream, slot]);
    const executable = device.out<Handle>('instantiate', (slot) => [slot, graph, 0]);
    const ms = milliseconds(device, () => device.call('launchGraph', executable, device.stream));
    row({ what: 'kernels of a graph', us: (ms * 1e3) / launches });
    device.call('destroyExecutable', executable);
    device.call('destroyGraph', graph);
    for (const address of [y, from, to]) device.free(address);
  },
};
