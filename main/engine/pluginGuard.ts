/** Errors of a plug-in's own code, told as its mistakes: by file and kind, as bad input and not as a failure of Sweeplab. */
import type { Kind } from './kind.ts';

/** What JavaScript throws, authors throw by hand, and operations say of shapes that do not fit. Our other errors speak for themselves. */
const PLAIN = new Set([
  'Error',
  'TypeError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'EvalError',
  'URIError',
  'AggregateError',
  'ShapeError',
]);

function isOwn(error: unknown): boolean {
  if (!(error instanceof Error)) return true;
  // Of the disk or the network: true wherever it is asked.
  return PLAIN.has(error.name) && (error as NodeJS.ErrnoException).syscall === undefined;
}

type Wrong = (detail: string, cause: unknown) => Error;

/**
 * The same kind, with what its functions throw (or reject with) told by `wrong`. They are called on the kind itself, which may be an
 * object of a class.
 */
export function guarded<K extends Kind>(kind: K, wrong: Wrong): K {
  const told = (name: string | symbol, error: unknown): unknown => {
    if (!isOwn(error)) return error;
    const message = error instanceof Error ? error.message : String(error);
    return wrong(`${kind.family} ${kind.name}, ${String(name)}: ${message}`, error);
  };
  // A copy with the names of its own, as the kind itself may be frozen, whose functions a proxy could not replace.
  const copy = Object.assign(Object.create(Object.getPrototypeOf(kind) as object) as K, kind);
  const proxy: K = new Proxy(copy, {
    get(_, name) {
      const value = Reflect.get(kind, name) as unknown;
      if (typeof value !== 'function') return value;
      return function (this: unknown, ...given: unknown[]): unknown {
        try {
          const result: unknown = Reflect.apply(value, this === proxy ? kind : this, given);
          if (!(result instanceof Promise)) return result;
          return result.catch((error: unknown) => {
            throw told(name, error);
          });
        } catch (error) {
          throw told(name, error);
        }
      };
    },
  });
  return proxy;
}
