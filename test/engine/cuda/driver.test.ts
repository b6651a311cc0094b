import { describe, expect, test } from 'vitest';
import { CudaError, NOT_READY, OUT_OF_MEMORY } from '../../../main/engine/executors/cuda/device.ts';
import { viewOfMemory } from '../../../main/engine/executors/cuda/driver.ts';
import type { Handle } from '../../../main/engine/executors/cuda/driver.ts';
import { emulatedDevice, emulatorControls } from './harness.ts';
import { whyNoEmulator } from './emulator/build.ts';

const why = whyNoEmulator();
const MIB = 2 ** 20;

describe.skipIf(why !== undefined)(`the fake driver${why ? ` (SKIPPED: ${why})` : ''}`, () => {
  const pinned = async (bytes: number) => {
    const device = await emulatedDevice();
    const address = Number(device.out<number | bigint>('allocateHost', (slot) => [slot, bytes, 0]));
    return { address, view: new Float32Array(viewOfMemory(address, bytes)) };
  };

  test('shows a result only to who waits for it', async () => {
    const device = await emulatedDevice();
    const memory = device.allocate(64);
    const { address, view } = await pinned(64);
    const event = device.out<Handle>('createEvent', (slot) => [slot, 2]);
    device.write(memory, new Float32Array(16).fill(3));
    device.call('toHostAt', address, memory, 64, device.stream);
    device.call('recordEvent', event, device.stream);
    expect(view[0], 'read too early').toBeNaN();
    let asked = 0;
    while (device.driver.queryEvent(event) === NOT_READY) asked++;
    expect(asked).toBeGreaterThan(0);
    expect([...view]).toEqual(Array.from({ length: 16 }, () => 3));
    device.free(memory);
    device.call('freeHost', address);
  });

  test('reads pinned memory when the copy runs, not when it is queued', async () => {
    const device = await emulatedDevice();
    const memory = device.allocate(64);
    const { address, view } = await pinned(64);
    view.fill(1);
    device.call('toDeviceFrom', memory, address, 64, device.stream);
    view.fill(2); // a slot that is used again too early
    const got = new Float32Array(16);
    device.read(memory, got);
    expect(got[0]).toBe(2);
    device.free(memory);
    device.call('freeHost', address);
  });

  test('counts memory in granules of 2 MiB, refuses what does not fit, and is whole again when all is freed', async () => {
    const device = await emulatedDevice();
    const controls = emulatorControls();
    const before = controls.report();
    controls.memory(before.used + 6 * MIB);
    const held = [device.allocate(1), device.allocate(2 * MIB + 1)];
    expect(controls.report().used - before.used).toBe(6 * MIB);
    expect(() => device.allocate(1)).toThrow(new CudaError('cuMemAlloc_v2', OUT_OF_MEMORY, 'out of memory'));
    for (const address of held) device.free(address);
    expect(controls.report().used).toBe(before.used);
    controls.memory(8 * 2 ** 30);
  });

  test('refuses what a captured stream must not do', async () => {
    const device = await emulatedDevice();
    device.call('beginCapture', device.stream, 0);
    try {
      expect(() => device.allocate(64)).toThrow(/900/);
      expect(() => device.synchronize()).toThrow(/900/);
    } finally {
      device.out<Handle>('endCapture', (slot) => [device.stream, slot]);
    }
  });

  test('replays a captured copy with what its source holds then', async () => {
    const device = await emulatedDevice();
    const memory = device.allocate(64);
    const { address, view } = await pinned(64);
    device.call('beginCapture', device.stream, 0);
    device.call('toDeviceFrom', memory, address, 64, device.stream);
    const graph = device.out<Handle>('endCapture', (slot) => [device.stream, slot]);
    const executable = device.out<Handle>('instantiate', (slot) => [slot, graph, 0]);
    const got = new Float32Array(16);
    for (const value of [5, 6]) {
      view.fill(value);
      device.call('launchGraph', executable, device.stream);
      device.read(memory, got);
      expect(got[7]).toBe(value);
    }
    device.call('destroyExecutable', executable);
    device.call('destroyGraph', graph);
    device.free(memory);
    device.call('freeHost', address);
  });

  test('fails the call that a test names, once, and the device for good where it is the device that failed', async () => {
    const device = await emulatedDevice();
    const controls = emulatorControls();
    controls.fail('cuMemAlloc_v2', 2, 2);
    const first = device.allocate(64);
    expect(() => device.allocate(64)).toThrow(/cuMemAlloc_v2: CUDA error 2 \(out of memory\)/);
    device.free(first);
    controls.fail('cuStreamSynchronize', 1, 700);
    expect(() => device.synchronize()).toThrow(/illegal memory access/);
    expect(() => device.memory()).toThrow(/700/);
    controls.fail('', 0, 0);
    expect(device.memory().total).toBe(8 * 2 ** 30);
  });
});
