/** A lab that answers from a table and sends events when told to. */
import { createPinia, setActivePinia } from 'pinia';
import { setClient } from '../../../renderer/stores/client.ts';
import type { ConnectionState } from '../../../renderer/stores/client.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';

type Answer = (input: never) => unknown;

export interface TestLab {
  readonly calls: { readonly route: string; readonly input: unknown }[];
  readonly routes: Record<string, Answer>;
  emit(topic: string, data: unknown): void;
  connection(state: ConnectionState, error?: Error): void;
}

export function testLab(routes: Record<string, Answer> = {}): TestLab {
  setActivePinia(createPinia());
  const listeners = new Map<string, ((data: never) => void)[]>();
  const states: ((state: ConnectionState, error?: Error) => void)[] = [];
  const lab: TestLab = {
    calls: [],
    routes,
    emit: (topic, data) => {
      for (const listener of listeners.get(topic) ?? []) listener(data as never);
    },
    connection: (state, error) => {
      for (const listener of states) listener(state, error);
    },
  };
  setClient({
    async call(route: string, input: unknown) {
      lab.calls.push({ route, input });
      const answer = lab.routes[route];
      if (answer === undefined) throw Object.assign(new Error(`no answer to ${route}`), { code: 'unknown-route' });
      return answer(input as never);
    },
    subscribe(topic: string, listener: (data: never) => void) {
      listeners.set(topic, [...(listeners.get(topic) ?? []), listener]);
      return () => undefined;
    },
    onState(listener: (state: ConnectionState, error?: Error) => void) {
      states.push(listener);
      listener('connecting');
      return () => undefined;
    },
  } as never);
  return lab;
}

export function testRun(id: string, more: Partial<RunRecord> = {}): RunRecord {
  return {
    id,
    name: id,
    sweepId: null,
    settingKey: 'a',
    seed: 1,
    config: {},
    state: 'queued',
    endReason: null,
    stopCause: null,
    origin: 'sweeplab',
    place: null,
    tags: [],
    note: '',
    createdAt: 0,
    startedAt: null,
    endedAt: null,
    trained: 0,
    sessionAt: null,
    steps: 0,
    tokens: 0,
    summary: {},
    parameters: null,
    environment: {},
    codeVersion: '',
    attempt: 0,
    checkpoint: null,
    color: 0,
    deletedAt: null,
    ...more,
  };
}
