/* The page's own world: what the preload script exposes appears here. Runs before any script of the page. */
export default (secret) => {
  const { document, CustomEvent, Promise, Error, Object, Map, structuredClone } = globalThis;
  const dispatch = document.dispatchEvent.bind(document);
  const promises = new Map();
  let answer;

  const failure = (message) => new Error(message);
  // What crosses is cloned by Chromium: worlds share no object.
  const ask = (detail) => {
    answer = undefined;
    dispatch(new CustomEvent(`${secret}own`, { detail }));
    return answer;
  };
  const call = (id, values) => {
    const { error, promise, value } = ask({ kind: 'call', id, values: structuredClone(values) });
    if (error !== undefined) throw failure(error);
    if (promise === undefined) return value;
    return new Promise((resolve, reject) => promises.set(promise, { resolve, reject }));
  };
  const build = ({ kind, id, entries, value }) => {
    if (kind === 'function') return Object.freeze((...values) => call(id, values));
    if (kind === 'value') return value;
    const made = kind === 'array' ? [] : {};
    for (const [key, held] of entries) made[key] = build(held);
    return Object.freeze(made);
  };
  const expose = ({ name, shape }) => {
    if (name in globalThis) return `Cannot bind an API on top of an existing property on the window object`;
    Object.defineProperty(globalThis, name, {
      value: build(shape),
      enumerable: true,
      writable: false,
      configurable: false,
    });
    return null;
  };
  document.addEventListener(`${secret}main`, ({ detail }) => {
    if (detail.kind === 'answer') answer = detail;
    else if (detail.kind === 'expose') dispatch(new CustomEvent(`${secret}told`, { detail: expose(detail) }));
    else {
      const { resolve, reject } = promises.get(detail.promise);
      promises.delete(detail.promise);
      if (detail.error === undefined) resolve(detail.value);
      else reject(failure(detail.error));
    }
  });
};
