/** Requests as a broken or hostile client would send them: recorded ones, damaged. */
import { readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import type { Random } from '../../oracles/random.ts';
import { recorded, replay } from './listening.ts';
import type { Listening, Recorded, SendOptions } from './listening.ts';

const JUNK: readonly unknown[] = [
  null, true, -1, 0.5, 1e300, Number.MAX_SAFE_INTEGER, '', '..', '../../../etc/passwd', 'a/../../b', '\u0000', '__proto__', 'constructor', 'NaN', '{}', '[', '{"a":',
  'x'.repeat(5000), [], [[[]]], {}, { value: { value: {} } }, { offset: -1, content: ['x'] }, { offset: 1e9, content: [] }, { offset: 0, content: [1, {}] },
  ['{"_step":"a"}'], ['{"_step":1e400,"loss":1}'], ['not json'], ['{"__proto__":{"x":1},"_step":0}'], '{"__proto__":{"value":{"polluted":1}}}', '🙂\ud800',
]; // prettier-ignore

interface Damaged {
  readonly path: string;
  readonly body: Buffer;
  readonly options: SendOptions;
}

/** Every place in a value that can be replaced or taken away. */
function placesIn(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [[...path, key], ...placesIn(inner, [...path, key])]);
}

function damage(body: Recorded['body'], random: Random): unknown {
  const copy = structuredClone(body) as Record<string, unknown>;
  for (let i = random.integer(1, 3); i > 0; i--) {
    const places = placesIn(copy);
    if (places.length === 0) break;
    const place = random.pick(places);
    const parent = place
      .slice(0, -1)
      .reduce((at: Record<string, unknown>, key) => at[key] as Record<string, unknown>, copy);
    if (random() < 0.2) delete parent[place.at(-1)!];
    else parent[place.at(-1)!] = structuredClone(random.pick(JUNK));
  }
  return copy;
}

const ROUTES = [
  '/graphql',
  '/files/a/b/c/file_stream',
  '/files/%ff/%2e%2e/x/file_stream',
  '/upload/00',
  '/../x',
  '//x',
  '/files/a/../../etc/file_stream',
  '/%',
];

export function damaged(requests: readonly Recorded[], random: Random): Damaged {
  const { path, body } = random.pick(requests);
  const bytes = Buffer.from(JSON.stringify(random() < 0.75 ? damage(body, random) : body));
  const kind = random();
  if (kind < 0.6) return { path, body: bytes, options: {} };
  if (kind < 0.7) return { path, body: bytes.subarray(0, random.integer(0, bytes.length)), options: {} };
  if (kind < 0.78) {
    for (let i = random.integer(1, 8); i > 0; i--) bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
    return { path, body: bytes, options: {} };
  }
  const gzip = { headers: { 'content-encoding': random() < 0.9 ? 'gzip' : 'br' } };
  if (kind < 0.86) {
    const packed = gzipSync(bytes);
    return { path, body: packed.subarray(0, random.integer(0, packed.length)), options: gzip };
  }
  if (kind < 0.9) return { path, body: bytes, options: gzip };
  if (kind < 0.93)
    return {
      path,
      body: Buffer.from(random.pick(['[', '{"a":'].map((open) => open.repeat(random.integer(1, 50_000))))),
      options: {},
    };
  return { path: random.pick(ROUTES), body: bytes, options: { method: random.pick(['POST', 'PUT', 'GET', 'DELETE']) } };
}

const filesUnder = (folder: string): string[] => readdirSync(folder, { recursive: true }).map(String).sort();

/** What is stored, in numbers. */
function stored({ store, folder }: Listening): unknown {
  const runs = store.listRuns({ deleted: 'any' });
  const points = runs.map(({ id, state, config, summary, name, tags }) => {
    const states = store.metricStates(id);
    return [
      id,
      name,
      state,
      JSON.stringify([config, summary, tags]),
      Object.values(states).reduce((sum, each) => sum + each.points, 0),
    ];
  });
  const files = filesUnder(folder).filter((name) => !name.startsWith('runs.sqlite'));
  return { points, sweeps: store.listSweeps().map(({ id, state }) => [id, state]), events: store.lastEvent(), files };
}

/** Sends so many damaged requests: each is answered, one that is refused has changed nothing, and afterwards all is as it should be. */
export async function sendDamaged(
  lab: Listening,
  random: Random,
  count: number,
): Promise<{ refused: number; taken: number }> {
  const requests = ['run', 'resume', 'sweep'].flatMap(recorded);
  await replay(lab, requests);
  let refused = 0;
  for (let i = 0; i < count; i++) {
    const { path, body, options } = damaged(requests, random);
    const before = stored(lab);
    const { status, text } = await lab.send(path, body, options);
    const what = `request ${i}: ${options.method ?? 'POST'} ${path} ${body.toString().slice(0, 500)} → ${status} ${text.slice(0, 300)}`;
    expect([200, 400, 401, 404, 405, 413, 415], what).toContain(status);
    if (status === 200) continue;
    refused++;
    expect(stored(lab), what).toEqual(before);
  }
  expect(lab.store.check()).toEqual([]);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  const outside = filesUnder(lab.folder).filter((name) => !/^(?:runs\.sqlite.*|files(?:$|[/\\]))/u.test(name));
  expect(outside).toEqual([]);
  // It answers as before.
  const again = recorded('run').map(
    (request) => JSON.parse(JSON.stringify(request).replaceAll('first001', 'after001')) as Recorded,
  );
  expect((await replay(lab, again)).every(({ status }) => status === 200)).toBe(true);
  return { refused, taken: count - refused };
}
