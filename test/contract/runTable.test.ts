import { expect, it } from 'vitest';
import { decode, encode } from '../../preload/contract/codec.ts';
import type { RunRecord } from '../../preload/contract/runs.ts';
import { packRuns, unpackRuns } from '../../preload/contract/runTable.ts';
import { randomNumbers } from '../store/support.ts';

const sent = (runs: readonly RunRecord[]): RunRecord[] =>
  unpackRuns(decode(encode(packRuns(runs))) as ReturnType<typeof packRuns>);

it('any runs come back from a table that was sent (would catch a value in another row, null for missing, 0 for −0, shared lists)', () => {
  const seed = Math.floor(Math.random() * 1e9);
  const random = randomNumbers(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  const VALUES = [0, -0, 1, 1.5, Number.NaN, -Infinity, '', 'a', 'NaN', true, false];
  const record = (names: readonly string[], values: readonly unknown[]): Record<string, unknown> =>
    Object.fromEntries(names.filter(() => random() < 0.8).map((name) => [name, pick(values)]));
  for (let trial = 0; trial < 200; trial++) {
    const few = random() < 0.5 ? [pick(VALUES)] : VALUES;
    const run = (): RunRecord =>
      ({
        id: `r${random()}`,
        endReason: pick([null, 'why']),
        tags: pick([[], ['a'], ['a', 'b']]),
        seed: pick([1, 2]),
        config: record(['a.x', '__proto__x', 'constructor', 'b'], few),
        summary: record(['val/loss', 'lr'], [...few, null]),
        environment: record(['cpu', 'cores'], few),
      }) as unknown as RunRecord;
    const runs = Array.from({ length: Math.floor(random() * 6) }, run);
    const found = sent(runs);
    expect(found, `seed ${seed}, trial ${trial}`).toEqual(runs);
    for (const [i, { config }] of found.entries())
      for (const [name, value] of Object.entries(config)) expect(Object.is(value, runs[i].config[name])).toBe(true);
    if (found.length > 1) expect(found[0].tags).not.toBe(found[1].tags);
  }
});

it('is small where runs share their settings (would catch records in disguise)', () => {
  const config = Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`setting.${i}`, i]));
  const runs = Array.from(
    { length: 500 },
    (_, seed) => ({ id: `${seed}`, config: { ...config, seed }, summary: {}, environment: {} }) as unknown as RunRecord,
  );
  expect(encode(packRuns(runs)).length).toBeLessThan(encode(runs).length / 20);
});
