/* The preload script's world: what it may require, and the way to the main process. */
export default (secret, { pack, unpack }, { isolated, everywhere, platform }, run) => {
  if (!everywhere && globalThis.top !== globalThis.self) return;
  const { document, CustomEvent, setTimeout } = globalThis;
  const say = (message) => globalThis[secret](JSON.stringify(message));
  const ports = new Map();
  const listeners = new Map();
  const invoked = new Map();
  let next = 1;

  /* The other end stays here, as a real port: what comes over it goes on to the main process. */
  const portOf = (id) => {
    const { port1, port2 } = new MessageChannel();
    ports.set(id, port1);
    port1.addEventListener('message', ({ data }) => say({ kind: 'port', id, value: pack(data) }));
    port1.addEventListener('close', () => ports.delete(id) && say({ kind: 'portClosed', id }));
    port1.start();
    return port2;
  };
  const hear = {
    message({ channel, values, ports: ids }) {
      const event = { sender: ipcRenderer, senderId: 0, ports: ids.map(portOf) };
      for (const listener of listeners.get(channel)?.slice() ?? []) listener(event, ...unpack(values));
    },
    answer({ id, error, value }) {
      const { resolve, reject } = invoked.get(id);
      invoked.delete(id);
      if (error === undefined) resolve(unpack(value));
      else reject(new Error(error));
    },
    port: ({ id, value }) => ports.get(id)?.postMessage(unpack(value)),
    portClosed({ id }) {
      const port = ports.get(id);
      ports.delete(id);
      port?.close();
    },
  };
  Object.defineProperty(globalThis, `${secret}hear`, { value: (told) => void hear[told.kind](told) });

  const ipcRenderer = {
    on(channel, listener) {
      listeners.set(channel, [...(listeners.get(channel) ?? []), listener]);
      return ipcRenderer;
    },
    send: (channel, ...values) => say({ kind: 'send', channel, values: pack(values) }),
    invoke: (channel, ...values) =>
      new Promise((resolve, reject) => {
        const id = next++;
        say({ kind: 'invoke', id, channel, values: pack(values) });
        invoked.set(id, { resolve, reject });
      }),
  };

  const functions = [];
  const tell = (detail) => document.dispatchEvent(new CustomEvent(`${secret}main`, { detail }));
  const words = (error) => (error instanceof Error || error instanceof DOMException ? error.message : String(error));
  const shapeOf = (value) => {
    if (typeof value === 'function') return { kind: 'function', id: functions.push(value) - 1 };
    if (Array.isArray(value)) return { kind: 'array', entries: value.map((each, i) => [i, shapeOf(each)]) };
    if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)
      return { kind: 'object', entries: Object.entries(value).map(([key, each]) => [key, shapeOf(each)]) };
    return { kind: 'value', value: structuredClone(value) };
  };
  const called = (id, values) => {
    try {
      const value = functions[id](...values);
      if (!(value instanceof Promise)) return { value: structuredClone(value) };
      const promise = next++;
      value
        .then((settled) => ({ value: structuredClone(settled) }))
        .catch((error) => ({ error: words(error) }))
        .then((settled) => tell({ kind: 'settled', promise, ...settled }));
      return { promise };
    } catch (error) {
      return { error: words(error) };
    }
  };
  document.addEventListener(`${secret}own`, ({ detail }) =>
    tell({ kind: 'answer', ...called(detail.id, detail.values) }),
  );
  const contextBridge = {
    exposeInMainWorld(name, api) {
      if (!isolated) throw new Error('contextBridge API can only be used when contextIsolation is enabled');
      let refused;
      const told = ({ detail }) => (refused = detail);
      document.addEventListener(`${secret}told`, told, { once: true });
      tell({ kind: 'expose', name, shape: shapeOf(api) });
      if (refused !== null) throw new Error(refused);
    },
  };

  /* Keys that the page left alone belong to the menu. Whether it did is known only when all of its listeners have run. */
  addEventListener('keydown', (event) => {
    const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
    setTimeout(() => event.defaultPrevented || say({ kind: 'key', key, ctrlKey, metaKey, altKey, shiftKey }), 0);
  });

  const modules = { electron: { contextBridge, ipcRenderer } };
  const require = (name) => {
    if (!Object.hasOwn(modules, name)) throw new Error(`module not found: ${name}`);
    return modules[name];
  };
  try {
    const module = { exports: {} };
    run?.(require, module, module.exports, { platform, type: 'renderer', sandboxed: true, env: {} });
  } catch (error) {
    say({ kind: 'preloadError', message: words(error), stack: error?.stack });
  }
};
