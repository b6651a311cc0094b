/** Random JSON and YAML of odd shapes: what a page, a file or a wrong program may send. */
import type { Random } from '../../../oracles/random.ts';

const TEXTS = [
  '',
  'x',
  'model.depth',
  '__proto__',
  'constructor',
  '\u0000a',
  '\u0000n',
  '../../etc/passwd',
  '/dev/zero',
  '%_%',
  '1e999',
  'NaN',
];
const ODD = [
  '\u001B]52;c;eA==\u0007',
  '\u202Etxt',
  '<svg onload=alert(1)>',
  'é'.repeat(300),
  'x'.repeat(5000),
  '\uD800',
  "'; DROP TABLE runs; --",
];
const NUMBERS = [0, -0, 1, -1, 0.5, 1e308, -1e308, NaN, Infinity, 2 ** 53, 4, 64, 1e9];
const NAMES = [
  'model.depth',
  'optimizer.lr',
  'seed',
  'data.size',
  'values',
  'value',
  'min',
  'max',
  'distribution',
  'parameters',
  'method',
  'x',
  '',
];

export function oddValue(random: Random, depth = 0): unknown {
  const kind = random.integer(0, depth > 5 ? 4 : 6);
  if (kind === 0) return random.pick(NUMBERS);
  if (kind === 1) return random.pick(TEXTS);
  if (kind === 2) return random.pick([true, false, null]);
  if (kind === 3) return random.pick(ODD);
  if (kind === 4) return random.integer(-5, 50);
  const length = random.pick([0, 1, 1, 2, 3, 7]);
  const parts = Array.from({ length }, () => oddValue(random, depth + 1));
  if (kind === 5) return parts;
  return Object.fromEntries(parts.map((part) => [random.pick([...NAMES, ...TEXTS]), part]));
}

/** Something of the right shape, of which one part is replaced by anything. */
export function damaged(value: unknown, random: Random): unknown {
  if (random() < 0.25 || typeof value !== 'object' || value === null) return oddValue(random, 3);
  if (Array.isArray(value)) {
    const at = random.integer(0, value.length - 1);
    return value.length === 0
      ? [oddValue(random, 3)]
      : value.map((each: unknown, i) => (i === at ? damaged(each, random) : each));
  }
  const entries = Object.entries(value);
  if (entries.length === 0 || random() < 0.2) return { ...value, [random.pick(NAMES)]: oddValue(random, 3) };
  const at = random.integer(0, entries.length - 1);
  return Object.fromEntries(entries.map(([key, each], i) => [key, i === at ? damaged(each, random) : each]));
}

const PIECES = [
  'method: grid\n',
  'parameters:\n',
  '  model.depth:\n',
  '    values: [1, 2]\n',
  '  ',
  '- ',
  '? ',
  ': ',
  '[',
  ']',
  '{',
  '}',
  ', ',
  '&a ',
  '*a',
  '!!map ',
  '!x ',
  '%YAML 1.2\n',
  '---\n',
  '...\n',
  '"',
  "'",
  '|\n',
  '>-\n',
  '# c\n',
  '\t',
  '\r\n',
  '\u0000',
  '\uFEFF',
  '<<: *a\n',
  'seeds: 3\n',
  '1',
  'x',
  'é',
  '\u{1F600}',
  '\n',
  '\n\n',
];

export function oddYaml(random: Random): string {
  return Array.from({ length: random.integer(0, 60) }, () => random.pick(PIECES)).join('');
}
