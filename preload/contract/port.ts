/**
 * What carries messages between a client and the lab: Electron's message ports, a WebSocket, a child process, memory. Each is an
 * adapter behind this interface, and one suite of tests holds for all of them.
 *
 * Messages are plain data and typed arrays. They arrive in order, whole, once, and never in the turn in which they were posted.
 * After the close nothing arrives any more, and `post` does nothing.
 */
export interface Port {
  post(message: unknown): void;
  /** One listener at a time; what arrived before it was set is delivered to it. */
  onMessage(listener: (message: unknown) => void): void;
  /** Called once; at once when the port is closed already. */
  onClose(listener: () => void): void;
  /** Bytes that were posted and have not left yet; 0 where the carrier cannot tell. */
  pressure(): number;
  close(): void;
}

/** The part that all adapters share: waiting messages, the one listener, the one close. Adapters feed it. */
export class PortCore {
  #listener: ((message: unknown) => void) | undefined;
  #waiting: unknown[] = [];
  readonly #closers: (() => void)[] = [];
  #closed = false;

  get closed(): boolean {
    return this.#closed;
  }

  receive(message: unknown): void {
    if (this.#closed) return;
    if (this.#listener === undefined) this.#waiting.push(message);
    else this.#listener(message);
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#listener = listener;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const message of waiting) listener(message);
  }

  onClose(listener: () => void): void {
    if (this.#closed) listener();
    else this.#closers.push(listener);
  }

  /** @returns false when it was closed before */
  close(): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    this.#waiting = [];
    for (const closer of this.#closers.splice(0)) closer();
    return true;
  }
}

/** What browsers, Node and Electron call a message port, as far as it is used here. Their events differ; see {@link portOver}. */
export interface Carrier {
  post(message: unknown): void;
  close(): void;
  pressure?(): number;
}

/** Makes a port of a carrier. `attach` gets what the carrier has to call when a message comes and when it ends. */
export function portOver(
  carrier: Carrier,
  attach: (receive: (message: unknown) => void, closed: () => void) => void,
): Port {
  const core = new PortCore();
  attach(
    (message) => core.receive(message),
    () => void core.close(),
  );
  return {
    post(message) {
      if (!core.closed) carrier.post(message);
    },
    onMessage: (listener) => core.onMessage(listener),
    onClose: (listener) => core.onClose(listener),
    pressure: () => (core.closed ? 0 : (carrier.pressure?.() ?? 0)),
    close() {
      if (core.closed) return;
      carrier.close();
      core.close();
    },
  };
}

/** Two ports in one process; messages are cloned, as any carrier would. */
export function memoryPorts(): [Port, Port] {
  const cores = [new PortCore(), new PortCore()] as const;
  const make = (own: PortCore, other: PortCore): Port => ({
    post(message) {
      if (own.closed) return;
      const copy: unknown = structuredClone(message);
      queueMicrotask(() => other.receive(copy));
    },
    onMessage: (listener) => own.onMessage(listener),
    onClose: (listener) => own.onClose(listener),
    pressure: () => 0,
    close() {
      own.close();
      // What was posted before the close still arrives.
      queueMicrotask(() => other.close());
    },
  });
  return [make(cores[0], cores[1]), make(cores[1], cores[0])];
}
