/** Events whose names and values are known: what an object here never emits cannot be listened to. */
import { EventEmitter } from 'node:events';

export class Emitter<Events extends { [Name in keyof Events]: unknown[] }> {
  readonly #events = new EventEmitter();

  on<Name extends keyof Events & string>(name: Name, listener: (...values: Events[Name]) => void): this {
    this.#events.on(name, listener as (...values: unknown[]) => void);
    return this;
  }

  once<Name extends keyof Events & string>(name: Name, listener: (...values: Events[Name]) => void): this {
    this.#events.once(name, listener as (...values: unknown[]) => void);
    return this;
  }

  emit<Name extends keyof Events & string>(name: Name, ...values: Events[Name]): boolean {
    return this.#events.emit(name, ...values);
  }

  listenerCount(name: keyof Events & string): number {
    return this.#events.listenerCount(name);
  }
}

/** An event of Electron with what it tells. */
export function eventOf<Told extends object>(told: Told): Told & Electron.Event<Told> {
  const event = {
    ...told,
    defaultPrevented: false,
    preventDefault: () => void (event.defaultPrevented = true),
  };
  return event as unknown as Told & Electron.Event<Told>;
}
