/** The connection to the lab as stores and views use it; tests hand in their own. */
import { shallowRef } from 'vue';
import type { Client } from '../connect/client.ts';

export type { ConnectionState } from '../connect/client.ts';
export type LabClient = Omit<Client, 'close'>;

const current = shallowRef<LabClient | null>(null);

export function setClient(client: LabClient): void {
  current.value = client;
}

export function useClient(): LabClient {
  if (current.value === null) throw new Error('The connection to the lab is used before it is set');
  return current.value;
}
