/**
 * Where the user is, kept in the hash of the address (`#/run/abc?x=tokens`), so that a reload or a copied link comes back to
 * the same place in both hosts.
 */
import { computed, ref, shallowRef } from 'vue';
import type { ComputedRef, WritableComputedRef } from 'vue';
import { formatHash, parseHash } from './address.ts';
import type { Place, Query, RouteDefinition } from './address.ts';

export { formatHash };
export type { Query, RouteDefinition };

let routes: readonly RouteDefinition[] = [];
const current = shallowRef<Place>();
/** Counts the changes of place, for transitions and focus. */
export const visits = ref(0);

export const place: ComputedRef<Place> = computed(() => {
  if (current.value === undefined) throw new Error('The router is read before it is started');
  return current.value;
});

export function startRouter(definitions: readonly RouteDefinition[]): void {
  routes = definitions;
  const read = (): void => {
    const before = current.value;
    current.value = parseHash(window.location.hash, routes);
    if (before?.route !== current.value.route) visits.value += 1;
  };
  read();
  window.addEventListener('hashchange', read);
}

/** Goes to a path such as `/run/abc`. `replace` leaves no entry in the history. */
export function navigate(path: string, query: Query = {}, options: { replace?: boolean } = {}): void {
  const hash = formatHash(path, query);
  if (hash === window.location.hash) return;
  if (options.replace === true) {
    window.history.replaceState(null, '', hash);
    current.value = parseHash(hash, routes);
  } else {
    window.location.hash = hash;
  }
}

/** Changes entries of the query in place: state of a view that belongs in the link. */
export function setQuery(changes: Query): void {
  const [path] = window.location.hash.replace(/^#/u, '').split('?', 1);
  navigate(path === '' ? '/' : path, { ...place.value.query, ...changes }, { replace: true });
}

/** One entry of the query as a ref; the default is not written into the address. */
export function useQuery(key: string, fallback = ''): WritableComputedRef<string> {
  return computed({
    get: () => place.value.query[key] ?? fallback,
    set: (value) => setQuery({ [key]: value === fallback ? null : value }),
  });
}

export const useParam = (name: string): ComputedRef<string> => computed(() => place.value.params[name] ?? '');
