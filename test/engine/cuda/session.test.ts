import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { granules } from '../../../main/engine/executors/cuda/granules.ts';
import { useDataFolder } from '../../../main/engine/executors/dataFolder.ts';
import { Gauge } from '../../../main/engine/executors/cuda/gauge.ts';
import { overheadOf } from '../../../main/engine/executors/cuda/overhead.ts';
import { openDevice } from '../../../main/engine/executors/cuda/open.ts';
import { CudaSession } from '../../../main/engine/executors/cuda/session.ts';
import { OutOfMemoryError } from '../../../main/engine/executors/executor.ts';
import { newGraph } from '../../../main/engine/graph/operation.ts';
import { add, input, mul, norm, state } from '../../../main/engine/graph/ops/index.ts';
import { program } from '../../../main/engine/graph/program.ts';
import type { StateSpec } from '../../../main/engine/graph/program.ts';
import { random, SEED } from '../../oracles/random.ts';
import { emulatedCard, emulatedDevice, emulatorControls, heldReport } from './harness.ts';
import { whyNoEmulator } from './emulator/build.ts';

const why = whyNoEmulator();
const MIB = 2 ** 20;
const [ROWS, WIDTH] = [7, 13];
const SIZE = ROWS * WIDTH;

const spec = (name: string, shape: number[], dtype: StateSpec['dtype'] = 'f32'): StateSpec => ({
  name,
  shape,
  dtype,
  category: 'parameters',
  scope: '',
});
const STATES = [spec('s', [ROWS, WIDTH]), spec('gain', [WIDTH])];

/** Gives the norm of the state as it is, and makes the norm of x the state. */
function remembering() {
  const graph = newGraph();
  const gain = state(graph, 'gain', [WIDTH], 'f32');
  const shown = norm(state(graph, 's', [ROWS, WIDTH], 'f32'), gain, { kind: 'layer', eps: 1e-5 });
  const next = norm(input(graph, 'x', [ROWS, WIDTH], 'f32'), gain, { kind: 'layer', eps: 1e-5 });
  return program('remember', graph, { shown }, [{ state: 's', value: next }]);
}

/** Takes a larger arena. */
function larger() {
  const graph = newGraph();
  const [x, k] = [input(graph, 'x', [600, 1000], 'f32'), input(graph, 'k', [1000], 'f32')];
  return program('larger', graph, { shown: mul(add(x, k), x) }, []);
}

function normal(x: ArrayLike<number>): Float64Array {
  const y = Float64Array.from(x);
  for (let row = 0; row < ROWS; row++) {
    const own = y.subarray(row * WIDTH, (row + 1) * WIDTH);
    const mean = own.reduce((a, b) => a + b, 0) / WIDTH;
    const variance = own.reduce((a, b) => a + (b - mean) ** 2, 0) / WIDTH;
    own.forEach((value, i) => (own[i] = (value - mean) / Math.sqrt(variance + 1e-5)));
  }
  return y;
}

const close = (got: ArrayLike<number>, want: ArrayLike<number>, what: string) =>
  Array.from(want).forEach((value, i) => expect(Math.abs(got[i]! - value), `${what}, at ${i}`).toBeLessThan(1e-4));

describe.skipIf(why !== undefined)(`a session on the emulated GPU${why ? ` (SKIPPED: ${why})` : ''}`, () => {
  beforeAll(emulatedDevice);
  const opened = async (states: readonly StateSpec[] = STATES) =>
    new CudaSession(openDevice(await emulatedCard()), states);
  const begun = async () => {
    const session = await opened();
    session.write('gain', new Float32Array(WIDTH).fill(1));
    return { session, loaded: session.load(remembering()) };
  };
  const drawn = (r = random(SEED)) => Float32Array.from(r.normals(SIZE));

  // Would catch a slot of pinned memory that is used again too early, a result that is read too early, a graph that holds an old input, and
  // runs that overtake each other: the driver does everything as late as it may.
  test('runs queued runs in their order, first by launches and then by its graph', async () => {
    const before = await heldReport();
    const { session, loaded } = await begun();
    const r = random(SEED);
    const xs = Array.from({ length: 8 }, () => drawn(r));
    const { graphs } = emulatorControls().report();
    const results = await Promise.all(xs.map((x) => session.run(loaded, { x })));
    results.forEach(({ shown }, i) =>
      close(shown as Float32Array, normal(i === 0 ? new Float32Array(SIZE) : normal(xs[i - 1]!)), `run ${i}`),
    );
    close(await session.read('s'), normal(xs.at(-1)!), 'state');
    expect(emulatorControls().report().graphs - graphs).toBe(xs.length - 1);
    session.dispose();
    expect(await heldReport()).toEqual(before);
  });

  // Would catch an output that lies apart from the others because it is a state's new value too: another copy, and another wait for the bus.
  test('moves the inputs of a run by one copy and its outputs by another', async () => {
    const session = await opened();
    const graph = newGraph();
    const [x, s] = [input(graph, 'x', [ROWS, WIDTH], 'f32'), state(graph, 's', [ROWS, WIDTH], 'f32')];
    const k = input(graph, 'k', [WIDTH], 'f32');
    const [next, other] = [add(x, k), mul(s, k)];
    const loaded = session.load(program('both', graph, { next, other }, [{ state: 's', value: next }]));
    const xs = [drawn(), drawn(random(SEED + 1)), drawn(random(SEED + 2))];
    const ks = new Float32Array(WIDTH).fill(2);
    let before = new Float32Array(SIZE);
    for (const given of xs) {
      const { copies, graphs } = emulatorControls().report();
      const results = await session.run(loaded, { x: given, k: ks });
      const now = emulatorControls().report();
      expect(now.copies - copies).toBe(2);
      expect(now.graphs - graphs, 'graphs').toBe(given === xs[0] ? 0 : 1);
      const wanted = given.map((value) => value + 2);
      expect(results['next']).toEqual(wanted);
      expect(results['other']).toEqual(before.map((value) => value * 2));
      before = wanted;
    }
    expect(await session.read('s')).toEqual(before);
    session.dispose();
  });

  test('begins with zeros, and reads and writes parts of every type', async () => {
    const session = await opened([spec('a', [300_000]), spec('b', [5], 'bf16'), spec('c', [5], 'f16')]);
    const all = await session.read('a');
    expect(all.every((x) => x === 0)).toBe(true);
    const data = Float32Array.from(all, (_, i) => i);
    session.write('a', data);
    session.write('a', Float32Array.of(-1, -2), 3);
    data.set([-1, -2], 3);
    expect((await session.read('a')).every((x, i) => x === data[i])).toBe(true);
    expect([...(await session.read('a', 299_998))]).toEqual([299_998, 299_999]);
    for (const name of ['b', 'c']) {
      session.write(name, Float32Array.of(1, 2, 3, 4.5, -Infinity));
      session.write(name, Float32Array.of(1 + 2 ** -12), 1);
      expect([...(await session.read(name))]).toEqual([1, 1, 3, 4.5, -Infinity]);
      expect([...(await session.read(name, 2, new Float32Array(2)))]).toEqual([3, 4.5]);
    }
    session.dispose();
  });

  // Would catch anything that is allocated and not planned, or planned and not allocated.
  test('takes what it reports, to the byte', async () => {
    const before = await heldReport();
    const { session, loaded } = await begun();
    const { persistentBytes, peakTemporaryBytes, deviceBytes } = session.memory();
    expect(persistentBytes).toBe(512 + 256);
    expect(peakTemporaryBytes).toBe(loaded.plan.arenaBytes);
    expect(deviceBytes).toBe(granules(persistentBytes) + granules(peakTemporaryBytes));
    await session.run(loaded, { x: drawn() });
    await session.run(loaded, { x: drawn() });
    expect((await heldReport()).used - before.used).toBe(deviceBytes);
    session.dispose();
    expect(await heldReport()).toEqual(before);
  });

  test('says before it begins that a card is too small, with its numbers, and holds nothing then', async () => {
    const before = await heldReport();
    const controls = emulatorControls();
    onTestFinished(() => controls.memory(8 * 2 ** 30));
    controls.memory(before.used + 2 * MIB);
    await expect(opened([spec('s', [2 ** 20])])).rejects.toThrow(
      /^the parameters, their gradients and the optimizer state take 4.00.MiB, and 2.00.MiB of the .* of Emulated GPU are free$/u,
    );
    const session = await opened();
    session.write('gain', new Float32Array(WIDTH).fill(1));
    for (let i = 0; i < 2; i++)
      expect(() => session.load(remembering())).toThrow(
        /^the activations of a step take 2.00.MiB, and 0.B of .* \(this run holds state 2.00.MiB\)$/u,
      );
    controls.memory(before.used + 4 * MIB);
    const { shown } = await session.run(session.load(remembering()), { x: drawn() });
    close(shown as Float32Array, new Float32Array(SIZE), 'of zeros');
    session.dispose();
    expect(await heldReport()).toEqual(before);
  });

  // Would catch a figure that counts the plan or other programs too, and one that nobody ever measures.
  test('measures what it takes beside the plan once its programs are recorded, and keeps it for the fit check', async () => {
    const home = mkdtempSync(join(tmpdir(), 'sweeplab-overhead-'));
    onTestFinished(() => rmSync(home, { recursive: true, force: true }));
    useDataFolder(home);
    const on = { card: 'Emulated GPU', driver: '580.65' };
    let [beside, programs] = [0, 0];
    const read = async () => ({ freeBytes: 2 ** 40 - emulatorControls().report().used - beside, programs });
    const measuredWith = async (others: number, bytes: number) => {
      [beside, programs] = [0, 0];
      const gauge = new Gauge({ ...on, read }, await read());
      const session = new CudaSession(openDevice(await emulatedCard()), STATES, undefined, gauge);
      [beside, programs] = [bytes, 1 + others];
      const loaded = session.load(remembering());
      await session.run(loaded, { x: drawn() });
      expect(session.memory().overheadBytes, 'before it is recorded').toBeUndefined();
      await session.run(loaded, { x: drawn() });
      // Nobody waits for it: what it is told here it is told at once.
      await setImmediate();
      const { overheadBytes } = session.memory();
      session.dispose();
      return overheadBytes;
    };
    expect(await measuredWith(1, 300 * MIB), 'beside another program').toBeUndefined();
    expect(await measuredWith(0, 5 * 2 ** 30), 'beside one that is not seen').toBeUndefined();
    expect(overheadOf(on)).toBeUndefined();
    expect(await measuredWith(0, 300 * MIB)).toBe(300 * MIB);
    expect(overheadOf(on)).toMatchObject({ bytes: 300 * MIB, basis: 'measured' });
  });

  // Every call that a session makes, failing at its first and at later times: a clear ending, and nothing is left behind.
  test.each([
    ['cuInit', 999],
    ['cuDeviceGet', 101],
    ['cuDeviceGetAttribute', 1],
    ['cuDeviceGetName', 1],
    ['cuDeviceTotalMem_v2', 1],
    ['cuDriverGetVersion', 1],
    ['cuDevicePrimaryCtxRetain', 2],
    ['cuCtxSetCurrent', 201],
    ['cuStreamCreate', 2],
    ['cuMemAlloc_v2', 2],
    ['cuMemHostAlloc', 2],
    ['cuEventCreate', 2],
    ['cuMemGetInfo_v2', 100],
    ['cuMemsetD8Async', 700],
    ['cuModuleLoadData', 218],
    ['cuModuleGetFunction', 500],
    ['cuMemcpyHtoDAsync_v2', 700],
    ['cuMemcpyDtoHAsync_v2', 719],
    ['cuLaunchKernel', 2],
    ['cuLaunchKernel', 701],
    ['cuStreamBeginCapture_v2', 900],
    ['cuStreamEndCapture', 901],
    ['cuGraphInstantiateWithFlags', 2],
    ['cuGraphLaunch', 700],
    ['cuEventRecord', 400],
    ['cuEventQuery', 700],
    ['cuStreamSynchronize', 719],
    ['cuMemFree_v2', 719],
  ])('%s that fails with %i ends it clearly', async (call, code) => {
    const before = await heldReport();
    const controls = emulatorControls();
    let failed = 0;
    for (let n = 1; n <= 6; n++) {
      let session: CudaSession | undefined;
      let running = false;
      controls.fail(call, n, code);
      try {
        session = await opened();
        session.write('gain', new Float32Array(WIDTH).fill(1));
        const loaded = session.load(remembering());
        running = true;
        await session.run(loaded, { x: drawn() });
        await Promise.all([session.run(loaded, { x: drawn() }), session.run(loaded, { x: drawn() })]);
        await session.read('s');
        // Another program wants more memory: what there was is given back first.
        running = code !== 2;
        session.load(larger());
      } catch (error) {
        failed++;
        const { message } = error as Error;
        expect(message).toContain(code === 2 ? 'Emulated GPU' : call);
        if (code === 2) expect(error).toBeInstanceOf(OutOfMemoryError);
        // Whatever is given afterwards ends the same way.
        if (running) await expect(session!.read('s')).rejects.toThrow(message);
      } finally {
        session?.dispose();
        controls.fail('', 0, 0);
      }
      expect(await heldReport(), `the ${n}th ${call}`).toEqual(before);
    }
    expect(failed).toBeGreaterThan(0);
  });

  test('is over when it is disposed of, also with runs under way', async () => {
    const before = await heldReport();
    const { session, loaded } = await begun();
    const run = session.run(loaded, { x: drawn() });
    const run2 = session.run(loaded, { x: drawn() });
    session.dispose();
    await expect(run).rejects.toThrow('disposed of');
    await expect(run2).rejects.toThrow('disposed of');
    expect(() => session.load(remembering())).toThrow('disposed of');
    session.dispose();
    expect(await heldReport()).toEqual(before);
  });
});
