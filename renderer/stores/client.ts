/**
 * What the stores and views need of the connection to the lab. `renderer/connect` implements it over message ports or a WebSocket;
 * tests hand in their own.
 */
import { shallowRef } from 'vue';
import type { CallInput, CallOutput, Events, EventTopic, RouteName } from './contract.ts';

export type ConnectionState = 'connecting' | 'open' | 'lost';

export interface LabClient {
  /** Rejects with an Error that has `code` and perhaps `details`. An aborted call rejects with an AbortError. */
  call<R extends RouteName>(route: R, input: CallInput<R>, options?: { signal?: AbortSignal }): Promise<CallOutput<R>>;
  /** Returns the function that ends the subscription. Subscriptions survive a reconnection. */
  subscribe<T extends EventTopic>(topic: T, listener: (data: Events[T]) => void): () => void;
  /** Called at once with the present state, and at every change. */
  onState(listener: (state: ConnectionState, error?: Error) => void): () => void;
}

const current = shallowRef<LabClient | null>(null);

export function setClient(client: LabClient): void {
  current.value = client;
}

export function useClient(): LabClient {
  if (current.value === null) throw new Error('The connection to the lab is used before it is set');
  return current.value;
}
