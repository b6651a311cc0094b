/** An `nvidia-smi` of made-up cards, for PATH. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** What it answers by the names of its fields; a field that a card lacks is not known to this version of it. */
export type FakeCard = Readonly<Record<string, string | number>>;

export const RTX_4090: FakeCard = {
  name: 'NVIDIA GeForce RTX 4090',
  'memory.total': 24_564,
  'memory.used': 1024,
  'memory.free': 23_540,
  'utilization.gpu': 61,
  'temperature.gpu': 54,
  'power.draw': 212.4,
  driver_version: '570.86.16',
  compute_cap: '8.9',
};

export interface FakeSmi extends Disposable {
  /** PATH with it in front. */
  readonly path: string;
  /** Other cards, or other numbers, from now on. */
  set(cards: readonly FakeCard[]): void;
}

/** Cards are numbered in their order unless they say otherwise. */
export function fakeSmi(cards: readonly FakeCard[]): FakeSmi {
  const folder = mkdtempSync(join(tmpdir(), 'sweeplab-smi-'));
  const program = join(folder, 'nvidia-smi');
  const state = join(folder, 'cards.json');
  const set = (now: readonly FakeCard[]): void => {
    writeFileSync(state, JSON.stringify(now.map((card, index) => ({ index, uuid: `GPU-${index}f`, ...card }))));
  };
  set(cards);
  writeFileSync(
    program,
    `#!${process.execPath}
const cards = JSON.parse(require('node:fs').readFileSync(${JSON.stringify(state)}, 'utf8'));
const fields = /^--query-gpu=(.*)$/.exec(process.argv[2])[1].split(',');
for (const field of fields)
  if (cards.some((card) => !(field in card))) {
    console.log('Field "' + field + '" is not a valid field to query.');
    process.exit(2);
  }
for (const card of cards) console.log(fields.map((field) => card[field]).join(', '));
`,
  );
  chmodSync(program, 0o755);
  return {
    path: `${folder}${delimiter}${process.env.PATH}`,
    set,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
