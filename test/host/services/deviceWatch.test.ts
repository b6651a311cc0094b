import { afterEach, describe, expect, it, vi } from 'vitest';
import { EXECUTORS } from '../../../main/engine/executors/index.ts';
import type { Probe } from '../../../main/engine/executors/select.ts';
import { DeviceWatch } from '../../../main/host/services/deviceWatch.ts';
import type { DeviceSources } from '../../../main/host/services/deviceWatch.ts';
import { fakeSmi, RTX_4090 } from '../../engine/cuda/fakeSmi.ts';
import type { FakeCard } from '../../engine/cuda/fakeSmi.ts';

const MIB = 2 ** 20;
const RTX_3060: FakeCard = { ...RTX_4090, name: 'NVIDIA GeForce RTX 3060', 'memory.total': 12_288, compute_cap: '8.6' };
const T4: FakeCard = { ...RTX_4090, name: 'Tesla T4', 'memory.total': 15_360, compute_cap: '7.5' };

/** Executors of which those named can be used; `auto` takes the first. */
function sources(...usable: readonly string[]): DeviceSources {
  const probe = (kind: (typeof EXECUTORS)[number]): Probe => {
    const available = usable.includes(kind.name);
    return { kind, available, detail: available ? `on ${kind.name}` : `${kind.name}: not here` };
  };
  return { probe: async () => EXECUTORS.map(probe), chosen: async () => usable[0] };
}

afterEach(() => vi.unstubAllEnvs());

async function devicesWith(cards: readonly FakeCard[], ...usable: readonly string[]) {
  using smi = fakeSmi(cards);
  vi.stubEnv('PATH', smi.path);
  const watch = new DeviceWatch(() => undefined, sources(...usable));
  const devices = await watch.list();
  return { devices, byId: new Map(devices.map((device) => [device.id, device])), watch };
}

describe.skipIf(process.platform === 'win32')('the list of devices', () => {
  it('has every card with its own numbers (would catch the readings of one card shown for another)', async () => {
    const busy = { ...RTX_4090, 'memory.used': 20_000, 'utilization.gpu': 99, 'temperature.gpu': 71 };
    const { devices, byId } = await devicesWith([RTX_4090, RTX_3060, busy], 'cuda', 'cpu');
    expect(devices.filter(({ kind }) => kind === 'cuda').map(({ id }) => id)).toEqual(['cuda:0', 'cuda:1', 'cuda:2']);
    expect(byId.get('cuda:0')).toMatchObject({ card: 0, available: true, isDefault: true });
    // auto takes those like the largest.
    expect(byId.get('cuda:1')).toMatchObject({ name: 'NVIDIA GeForce RTX 3060', available: true, isDefault: false });
    expect(byId.get('cuda:1')!.reading.memoryTotalBytes).toBe(12_288 * MIB);
    expect(byId.get('cuda:2')).toMatchObject({
      isDefault: true,
      reading: { memoryUsedBytes: 20_000 * MIB, utilization: 0.99, temperatureC: 71, powerW: 212.4 },
    });
    expect(byId.get('cpu')).toMatchObject({ card: null, isDefault: false });
  });

  it('calls a card by the executor alone where there is one', async () => {
    const { byId } = await devicesWith([RTX_4090], 'cuda');
    expect(byId.get('cuda')).toMatchObject({ name: 'NVIDIA GeForce RTX 4090', card: 0, isDefault: true });
  });

  it('says of a card why it cannot be used, also where the executor could (would catch a T4 offered for training)', async () => {
    const { byId } = await devicesWith([T4, { ...RTX_4090, driver_version: '460.1' }], 'cuda');
    expect(byId.get('cuda:0')).toMatchObject({ available: false, policies: [] });
    expect(byId.get('cuda:0')!.reason).toContain('compute capability 7.5; needed is 8.0');
    expect(byId.get('cuda:1')!.reason).toContain('release 470');
    const { byId: without } = await devicesWith([RTX_4090], 'cpu');
    expect(without.get('cuda')).toMatchObject({ available: false, reason: 'cuda: not here', card: 0 });
    expect(without.get('cuda')!.reading.memoryUsedBytes).toBe(1024 * MIB);
  });

  it('shows the cards that CUDA_VISIBLE_DEVICES leaves, by their numbers', async () => {
    vi.stubEnv('CUDA_VISIBLE_DEVICES', '2,1');
    const { devices } = await devicesWith([RTX_4090, RTX_3060, RTX_4090], 'cuda');
    expect(devices.filter(({ card }) => card !== null).map(({ id }) => id)).toEqual(['cuda:2', 'cuda:1']);
  });

  it('has no cards without a driver', async () => {
    vi.stubEnv('PATH', '/nowhere');
    const devices = await new DeviceWatch(() => undefined, sources('cpu')).list();
    expect(devices.map(({ id, card }) => [id, card])).toEqual(EXECUTORS.map(({ name }) => [name, null]));
  });
});
