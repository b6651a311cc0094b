import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import { useClient } from './client.ts';
import type { Device, DeviceReading } from './contract.ts';

/** Readings kept for the sparklines: two minutes at one per 2 s. */
const KEPT = 60;

export const useDevices = defineStore('devices', () => {
  const devices = ref<Device[]>([]);
  const loaded = ref(false);
  const history = shallowRef<ReadonlyMap<string, readonly number[]>>(new Map());
  /** The device that `auto` selects; the first of several cards that are alike. */
  const chosen = computed(
    () => devices.value.find((device) => device.isDefault) ?? devices.value.find((device) => device.available) ?? null,
  );

  /** What trains: every card that can, else the chosen device. */
  const training = computed<readonly Device[]>(() => {
    const cards = devices.value.filter(({ available, card }) => available && card !== null);
    if (cards.length > 0) return cards;
    return chosen.value === null ? [] : [chosen.value];
  });

  function remember(readings: readonly { id: string; reading: DeviceReading }[]): void {
    const next = new Map(history.value);
    for (const { id, reading } of readings) {
      if (typeof reading.utilization !== 'number') continue;
      next.set(id, [...(next.get(id) ?? []), reading.utilization].slice(-KEPT));
    }
    history.value = next;
  }

  async function load(): Promise<void> {
    const answer = await useClient().call('devices.list', {});
    devices.value = answer.devices;
    remember(answer.devices);
    loaded.value = true;
  }

  function start(): void {
    useClient().subscribe(
      'devices',
      ({ devices: news }: { devices: readonly (Partial<Device> & { id: string })[] }) => {
        devices.value = devices.value.map((device) => ({ ...device, ...news.find((each) => each.id === device.id) }));
        remember(news.flatMap(({ id, reading }) => (reading === undefined ? [] : [{ id, reading }])));
      },
    );
  }

  return { devices, loaded, history, chosen, training, load, start };
});
