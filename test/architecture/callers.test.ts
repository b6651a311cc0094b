/** Nothing is offered that nobody takes: routes, events and the keys of the desktop's bridge all have a caller. */
import { describe, expect, it } from 'vitest';
import { routes, TOPICS } from '../../preload/contract/api.ts';
import { BRIDGE_KEYS } from '../../preload/contract/bridge.ts';
import { codeOf, sources } from './sources.ts';

const clients = sources.filter(({ name }) => /^(renderer|main\/cli|main\/app)\//u.test(name));
const code = clients.map(({ name, text }) => ({ name, code: codeOf(text) }));
const used = (where: RegExp, pattern: RegExp): boolean =>
  code.some(({ name, code: each }) => where.test(name) && pattern.test(each));

describe('what is offered', () => {
  it('is called: every route by the interface, the command line or the app (would catch a wall without a door)', () => {
    const names = Object.keys(routes);
    expect(names.length).toBeGreaterThan(30);
    const alone = names.filter((name) => !used(/./u, new RegExp(`'${name.replaceAll('.', '\\.')}'`, 'u')));
    expect(alone).toEqual([]);
  });

  it('is heard: every event by the interface (would catch work done for nobody)', () => {
    const alone = TOPICS.filter((topic) => !used(/^renderer\//u, new RegExp(`subscribe\\(\\s*'${topic}'`, 'u')));
    expect(alone).toEqual([]);
  });

  it('is taken: everything that the desktop tells its page (would catch a menu whose entries do nothing)', () => {
    const contract = sources.find(({ name }) => name === 'preload/contract/bridge.ts')!.text;
    const types = [...contract.matchAll(/readonly type: '([^']+)'/gu)].map(([, type]) => type);
    expect(types).toHaveLength(4);
    expect(types.filter((type) => !used(/^renderer\/connect\//u, new RegExp(`'${type}'`, 'u')))).toEqual([]);
  });

  it('is used: every key of the bridge by the interface (would catch a way into the system that nobody needs)', () => {
    const alone = BRIDGE_KEYS.filter((key) => !used(/^renderer\/connect\//u, new RegExp(`\\.${key}\\b`, 'u')));
    expect(alone).toEqual([]);
  });
});
