/** Addresses of views as text: patterns, parameters, queries. Free of the DOM. */
import type { Component } from 'vue';

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
