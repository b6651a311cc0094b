import { describe, expect, it } from 'vitest';
import { formatHash, matchPath, parseHash } from '../../../renderer/frame/address.ts';
import type { RouteDefinition } from '../../../renderer/frame/address.ts';

const route = (name: string, path: string): RouteDefinition => ({
  name,
  path,
  title: name,
  rail: name,
  component: () => Promise.reject(new Error('not shown here')),
});
const ROUTES = [route('start', '/'), route('run', '/run/:id'), route('board', '/board')];

describe('addresses', () => {
  it('come back as they were written', () => {
    const hash = formatHash(`/run/${encodeURIComponent('a/b c')}`, {
      x: 'train/loss',
      log: true,
      none: null,
      empty: '',
    });
    const { route: found, params, query } = parseHash(hash, ROUTES);
    expect(found.name).toBe('run');
    expect(params).toEqual({ id: 'a/b c' });
    expect(query).toEqual({ x: 'train/loss', log: 'true' });
  });

  it('that are unknown or malformed lead to the start instead of a blank page', () => {
    expect(parseHash('#/nowhere/at/all', ROUTES).route.name).toBe('start');
    expect(parseHash('', ROUTES).route.name).toBe('start');
    expect(matchPath('/run/:id', '/run/%E0%A4%A')).toEqual({ id: '%E0%A4%A' });
  });

  it('of another length do not match', () => {
    expect(matchPath('/run/:id', '/run')).toBeNull();
    expect(matchPath('/run/:id', '/run/a/b')).toBeNull();
  });
});
