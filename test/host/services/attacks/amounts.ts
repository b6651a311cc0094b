/** A million of anything at every place of every call: refused in words that name the limit, at once, at no cost to the others. */
import { expect } from 'vitest';
import { LIMITS } from '../../../../preload/contract/limits.ts';
import { ERROR_CODES } from '../../../../preload/contract/rpc.ts';
import type { TestLab } from '../support.ts';
import { places } from './places.ts';
import type { Place } from './places.ts';
import { RawJson, wireOf } from './wire.ts';

const MANY = 1_000_000;
/** Just as many as one list and one map may have: what is refused for its meaning, or worked on. */
const ALLOWED = 9999;
const KEYS = 499;
const list = (length: number, value: unknown): unknown[] => Array.from({ length }, () => value);
const keys = (length: number, value: unknown): object =>
  Object.fromEntries(Array.from({ length }, (_, i) => [`model.depht${i}`, value]));

/** Written once: each is sent to hundreds of places. */
const AMOUNTS: Readonly<Record<string, RawJson>> = Object.fromEntries(
  Object.entries(amounts()).map(([what, value]) => [
    what,
    value instanceof RawJson ? value : new RawJson(JSON.stringify(value)),
  ]),
);
function amounts(): Readonly<Record<string, unknown>> {
  return {
    'a million letters': 'x'.repeat(MANY),
    'a million brackets in a text': '('.repeat(MANY),
    'a million lines': '- \n'.repeat(MANY / 3),
    'a million characters of two units': '\u{1F600}'.repeat(MANY / 2),
    'a million marks that JSON has to escape': '\u0000'.repeat(MANY / 2),
    'a million numbers': list(MANY, 1),
    'a million empty lists': list(MANY, []),
    'a million keys': keys(MANY, 1),
    'a million levels': new RawJson('['.repeat(MANY) + ']'.repeat(MANY)),
    'a million levels of maps': new RawJson('{"a":'.repeat(MANY / 2) + '1' + '}'.repeat(MANY / 2)),
    'a number of a million digits': new RawJson('9'.repeat(MANY)),
    'a list of all that a list may have': list(ALLOWED, 1),
    'a list of as many texts': list(ALLOWED, 'model.depth'),
    'a list of long texts': list(200, 'x'.repeat(15_000)),
    'a map of all that a map may have': keys(KEYS, 1),
    'a map of lists': keys(KEYS, list(45, 1)),
    'a text of all that a setting may have': '('.repeat(20_000),
    'a million': MANY,
    'a number as large as they come': 1e308,
    'the largest whole number': Number.MAX_SAFE_INTEGER,
  };
}

/** Nothing of these may start: the constraint holds for no run. */
const IDLE = { constraints: ['model.depth < 0'] };
function harmless({ route }: Place, input: unknown): unknown {
  const { draft } = input as { draft?: unknown };
  if (route !== 'sweeps.launch' || typeof draft !== 'object' || draft === null || Array.isArray(draft)) return input;
  return draft instanceof RawJson ? input : { ...(input as object), draft: { ...IDLE, ...draft } };
}

/** What the answer to one may take of the thread that serves everybody, in ms. */
const MOST_CPU = 200;
/** What took longer is sent so often again, and the least counts. */
const AGAIN = 2;

export interface Tried {
  readonly what: string;
  readonly cpu: number;
  readonly code: string;
}

/** Sends what `wanted` takes of all pairs of a place and an amount. @returns what each cost, the dearest first */
export async function sendAmounts(lab: TestLab, wanted: () => boolean): Promise<readonly Tried[]> {
  const call = wireOf(lab);
  const tried: Tried[] = [];
  for (const place of places())
    for (const [amount, value] of Object.entries(AMOUNTS)) {
      if (!wanted()) continue;
      const what = `${place.route}, ${place.path || 'the input'}: ${amount}`;
      if (place.path.endsWith('(key)') && !value.isText) continue;
      // What is too long is refused wherever it stands.
      if (value.json.length > LIMITS.messageBytes && place.path !== '') continue;
      const input = place.with(value);
      const answer = await call(place.route, harmless(place, input), value);
      let { cpu } = answer;
      // The first call that is worked on loads and compiles what works on it (0.4 s): that is no cost of the amount, and comes once.
      for (let again = 0; again < AGAIN && cpu > MOST_CPU; again++)
        cpu = Math.min(cpu, (await call(place.route, harmless(place, place.with(value)), value)).cpu);
      if (!answer.ok) {
        expect(ERROR_CODES, what).toContain(answer.code);
        expect(answer.code, `${what}: ${answer.message}`).not.toMatch(/^(internal|busy|storage)$/u);
        expect(answer.message.length, what).toBeLessThan(20_000);
        expect(JSON.stringify(answer).length, what).toBeLessThan(100_000);
      }
      tried.push({ what, cpu, code: answer.ok ? 'ok' : answer.code });
    }
  tried.sort((a, b) => b.cpu - a.cpu);
  const slow = tried.filter(({ cpu }) => cpu > MOST_CPU);
  expect(slow, 'answers that keep the serving thread').toEqual([]);
  expect(await call('app.info', {})).toMatchObject({ ok: true });
  return tried;
}
