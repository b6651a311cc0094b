/**
 * Where the user is, kept in the hash of the address (`#/run/abc?x=tokens`), so that a reload or a copied link comes back to
 * the same place in both hosts. Free of the DOM apart from `startRouter`.
 */
import { computed, ref, shallowRef } from 'vue';
import type { Component, ComputedRef, WritableComputedRef } from 'vue';

export interface RouteDefinition {
  readonly name: string;
  /** Segments; `:id` is a parameter. */
  readonly path: string;
  readonly title: string;
  /** Entry of the rail that is marked while the route is shown. */
  readonly rail: string;
  readonly component: () => Promise<{ default: Component }>;
}

export interface Place {
  readonly route: RouteDefinition;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Segments of a pattern against segments of a path; null when they differ. */
export function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/').filter(Boolean);
  const given = path.split('/').filter(Boolean);
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [i, segment] of wanted.entries()) {
    const text = given[i];
    if (segment.startsWith(':')) params[segment.slice(1)] = decode(text);
    else if (segment !== text) return null;
  }
  return params;
}

/** A malformed escape in a typed address stays as it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function parseHash(hash: string, routes: readonly RouteDefinition[]): Place {
  const [path, search = ''] = hash.replace(/^#/u, '').split('?', 2);
  const query = Object.fromEntries(new URLSearchParams(search));
  for (const route of routes) {
    const params = matchPath(route.path, path);
    if (params !== null) return { route, params, query };
  }
  return { route: routes[0], params: {}, query: {} };
}

/** `#/run/abc?x=tokens`. Entries without a value are left out. */
export function formatHash(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') search.set(key, String(value));
  }
  const text = search.toString();
  return `#${path.startsWith('/') ? path : `/${path}`}${text === '' ? '' : `?${text}`}`;
}

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
