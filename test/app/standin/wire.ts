/**
 * What the structured clone algorithm carries, as text: pages and this process are joined by DevTools, which carry nothing else. The
 * function is also sent to pages, as it is: it uses nothing from outside of itself.
 */
export interface Wire {
  /** @throws DataCloneError for functions, symbols and what else cannot be cloned */
  pack(value: unknown): string;
  unpack(text: string): unknown;
}

export function makeWire(): Wire {
  type Tree = string | number | boolean | null | readonly unknown[];
  const views = [
    Uint8Array,
    Int8Array,
    Uint8ClampedArray,
    Uint16Array,
    Int16Array,
    Uint32Array,
    Int32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ] as const;
  const errors = [TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError];
  const refuse = (value: unknown): never => {
    const what = typeof value === 'function' ? String(value).slice(0, 80) : String(value);
    throw new DOMException(`${what} could not be cloned.`, 'DataCloneError');
  };
  const text = (bytes: Uint8Array): string => {
    let all = '';
    for (let at = 0; at < bytes.length; at += 0x8000) all += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
    return btoa(all);
  };
  const bytesOf = (code: string): Uint8Array => Uint8Array.from(atob(code), (letter) => letter.charCodeAt(0));

  const pack = (value: unknown): string => {
    const seen = new Map<object, number>();
    const walk = (each: unknown): Tree => {
      if (each === null || typeof each === 'string' || typeof each === 'boolean') return each;
      if (each === undefined) return ['u'];
      if (typeof each === 'number')
        return Number.isFinite(each) && !Object.is(each, -0) ? each : ['n', Object.is(each, -0) ? '-0' : String(each)];
      if (typeof each === 'bigint') return ['b', String(each)];
      if (typeof each !== 'object') return refuse(each);
      const before = seen.get(each);
      if (before !== undefined) return ['r', before];
      seen.set(each, seen.size);
      if (each instanceof Date) return ['d', each.getTime()];
      if (each instanceof RegExp) return ['x', each.source, each.flags];
      if (each instanceof ArrayBuffer) return ['B', text(new Uint8Array(each))];
      if (each instanceof DataView) return ['V', text(new Uint8Array(each.buffer, each.byteOffset, each.byteLength))];
      if (ArrayBuffer.isView(each)) {
        const kind = views.findIndex((view) => each instanceof view);
        return ['v', kind, text(new Uint8Array(each.buffer, each.byteOffset, each.byteLength))];
      }
      if (each instanceof Map) return ['M', [...each].map(([key, held]) => [walk(key), walk(held)])];
      if (each instanceof Set) return ['S', [...each].map(walk)];
      if (each instanceof Error) return ['e', errors.findIndex((kind) => each instanceof kind), each.message];
      if (Array.isArray(each)) return ['a', each.map(walk)];
      // A proxy is like what it stands for here; in Chromium it cannot be cloned.
      if (each instanceof Promise || each instanceof WeakMap || each instanceof WeakSet) return refuse(each);
      return ['o', Object.entries(each).map(([key, held]) => [key, walk(held)])];
    };
    return JSON.stringify(walk(value));
  };

  const unpack = (packed: string): unknown => {
    const seen: unknown[] = [];
    const keep = <T>(each: T): T => (seen.push(each), each);
    // oxlint-disable-next-line typescript/no-explicit-any
    const walk = (tree: any): unknown => {
      if (!Array.isArray(tree)) return tree;
      const [tag, first, second] = tree;
      switch (tag) {
        case 'u':
          return undefined;
        case 'n':
          return Number(first);
        case 'b':
          return BigInt(first);
        case 'r':
          return seen[first];
        case 'd':
          return keep(new Date(first));
        case 'x':
          return keep(new RegExp(first, second));
        case 'B':
          return keep(bytesOf(first).buffer);
        case 'V':
          return keep(new DataView(bytesOf(first).buffer));
        case 'v':
          return keep(new views[first as number]!(bytesOf(second).buffer as ArrayBuffer));
        case 'e':
          return keep(new (errors[first] ?? Error)(second));
        case 'M': {
          const map = keep(new Map());
          for (const [key, held] of first) map.set(walk(key), walk(held));
          return map;
        }
        case 'S': {
          const set = keep(new Set());
          for (const held of first) set.add(walk(held));
          return set;
        }
        case 'a': {
          const list: unknown[] = keep([]);
          for (const held of first) list.push(walk(held));
          return list;
        }
        default: {
          const object: Record<string, unknown> = keep({});
          for (const [key, held] of first)
            Object.defineProperty(object, key, {
              value: walk(held),
              writable: true,
              enumerable: true,
              configurable: true,
            });
          return object;
        }
      }
    };
    return walk(JSON.parse(packed));
  };
  return { pack, unpack };
}
