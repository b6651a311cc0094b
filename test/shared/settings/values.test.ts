import { describe, expect, it } from 'vitest';
import type { SettingSpec, SettingType, SettingValue } from '../../../preload/contract/settings.ts';
import { editDistance, nearestName } from '../../../preload/shared/settings/nearest.ts';
import {
  checkValue,
  formatValue,
  parseValue,
  problemText,
  showValue,
} from '../../../preload/shared/settings/values.ts';
import { builtInRegistry } from '../../../main/lab/settings/index.ts';
import { Stream } from '../../../main/engine/random/stream.ts';

const spec = (type: SettingType, fallback: SettingValue = 1): SettingSpec => ({
  name: 'x.y',
  type,
  default: fallback,
  help: 'h',
  question: 'data',
});
const registry = builtInRegistry();

describe('showValue', () => {
  it('shows in a list what was given, numbers that JSON lacks too (would catch null for .nan)', () => {
    expect(showValue([Number.NaN, Infinity, -Infinity])).toBe('[NaN,Infinity,-Infinity]');
    expect(showValue(['2', true, [1], { a: 1 }])).toBe('["2",true,[1],{"a":1}]');
    const long = showValue(Array.from({ length: 1_000_000 }, (_, i) => i));
    expect(long).toMatch(/^\[0,1,2,.*…$/u);
    expect(long.length).toBe(78);
  });
});

describe('parseValue', () => {
  it('hints at the number that other digits and prefixes mean, and takes none of them (would catch 0x10 without a word)', () => {
    const steps = registry.get('stop.steps')!;
    const meant = {
      '0x10': 16,
      '0b101': 5,
      '0o17': 15,
      '５０': 50,
      '٣٠': 30,
      '१k': 1000,
      '1 000': 1000,
      '1.000.000': 1e6,
    };
    for (const [text, number] of Object.entries(meant))
      expect(parseValue(steps, text)).toMatchObject({
        problem: { nearest: number, message: expect.stringContaining('decimal digits 0 to 9 alone') },
      });
    for (const text of ['0xg', 'steps', '1 00', '½', '1.0.0'])
      expect(parseValue(steps, text).problem?.nearest, text).toBeUndefined();
  });
  it.each([
    [{ kind: 'int' }, '10k', 10_000],
    [{ kind: 'int' }, '1.1M', 1_100_000],
    [{ kind: 'int' }, '2M', 2_000_000],
    [{ kind: 'int' }, '1G', 1_000_000_000],
    [{ kind: 'int' }, '1e3', 1000],
    [{ kind: 'int' }, '1_000', 1000],
    [{ kind: 'int' }, '-3', -3],
    [{ kind: 'float' }, '1e-3', 0.001],
    [{ kind: 'float' }, '.5', 0.5],
    [{ kind: 'float' }, '3.', 3],
    [{ kind: 'float' }, '1.5k', 1500],
    [{ kind: 'bool' }, 'yes', true],
    [{ kind: 'bool' }, 'Off', false],
    [{ kind: 'enum', values: ['a', 'b'] }, 'b', 'b'],
    [{ kind: 'string' }, '10k', '10k'],
  ] as [SettingType, string, SettingValue][])(
    '%o %s → %s (catches a suffix or spelling read wrongly)',
    (type, text, value) => {
      expect(parseValue(spec(type), text).value).toBe(value);
    },
  );

  it.each([
    [{ kind: 'int' }, '1.5'],
    [{ kind: 'int' }, ''],
    [{ kind: 'int' }, '0x10'],
    [{ kind: 'int' }, '1e400'],
    [{ kind: 'int' }, '10kk'],
    [{ kind: 'float' }, 'NaN'],
    [{ kind: 'float' }, 'Infinity'],
    [{ kind: 'float' }, '1,5'],
    [{ kind: 'bool' }, 'maybe'],
    [{ kind: 'bool' }, 'constructor'],
    [{ kind: 'enum', values: ['a'] }, ''],
  ] as [SettingType, string][])('%o refuses %j (catches JavaScript reading more than a user means)', (type, text) => {
    expect(parseValue(spec(type), text).problem?.message).toContain('x.y is');
  });

  it('reads escapes only where the default holds a control character (catches a Windows path mangled)', () => {
    expect(parseValue(registry.get('data.separator')!, '\\n\\n').value).toBe('\n\n');
    expect(parseValue(registry.get('data.corpus')!, 'C:\\new').value).toBe('C:\\new');
  });

  it('reads back what formatValue writes, for every setting (catches a value that a command line cannot carry)', () => {
    for (const each of registry.specs) {
      const values = each.type.kind === 'enum' ? each.type.values : [each.default];
      for (const value of values) expect(parseValue(each, formatValue(each, value)).value).toBe(value);
    }
    const separator = registry.get('data.separator')!;
    expect(parseValue(separator, formatValue(separator, 'a\\n\n\t')).value).toBe('a\\n\n\t');
  });
});

describe('checkValue', () => {
  it.each([
    [{ kind: 'int', min: 1, max: 8 }, 9, 8],
    [{ kind: 'int', min: 1, max: 8 }, 0, 1],
    [{ kind: 'int', min: 1, max: 8 }, 2.6, 3],
    [{ kind: 'int', min: 1, max: 100, multipleOf: 8 }, 99, 96],
    [{ kind: 'int', min: 1, max: 100, multipleOf: 8 }, 3, 8],
    [{ kind: 'float', min: 0, max: 0.5 }, 0.7, 0.5],
    [{ kind: 'float', min: 0, max: 1, exclusiveMax: true }, 1, undefined],
    [{ kind: 'float', min: 0, max: 1, exclusiveMax: true }, -1, 0],
    [{ kind: 'enum', values: ['cosine', 'linear'] }, 'cosin', 'cosine'],
    [{ kind: 'enum', values: ['cosine', 'linear'] }, 'zzz', undefined],
  ] as [SettingType, SettingValue, SettingValue | undefined][])(
    '%o: nearest to %s is %s (catches a nearest choice that is itself refused)',
    (type, value, nearest) => {
      const found = checkValue(spec(type), value);
      expect(found?.nearest).toBe(nearest);
      if (nearest !== undefined) expect(checkValue(spec(type), nearest)).toBeNull();
    },
  );

  it('names a valid nearest number for random ranges and values (property)', () => {
    const random = new Stream(7, 'test');
    for (let i = 0; i < 2000; i++) {
      const min = random.int(200) - 100;
      const max = min + random.int(50) + 10;
      const type: SettingType = { kind: 'int', min, max, ...(random.int(2) ? { multipleOf: 1 + random.int(10) } : {}) };
      const found = checkValue(spec(type), random.int(1000) - 500 + random.uniform());
      expect(checkValue(spec(type), found?.nearest)).toBeNull();
    }
  });

  it.each([null, undefined, [], {}, Number.NaN, Infinity, '3'])(
    'refuses %s for numbers (catches a type slipping through)',
    (value) => {
      expect(checkValue(spec({ kind: 'int' }), value)).not.toBeNull();
      expect(checkValue(spec({ kind: 'float' }), value)).not.toBeNull();
    },
  );
});

describe('did you mean', () => {
  it.each([
    ['model.widht', 'model.width'],
    ['width', 'model.width'],
    ['lr', 'optimizer.lr'],
    ['learning_rate', 'optimizer.lr'],
    ['batch_size', 'batch.sequences'],
    ['n_layer', 'model.depth'],
    ['schedule.warmup-steps', 'schedule.warmup_steps'],
    ['training.warmup_steps', 'schedule.warmup_steps'],
    ['model.head', 'model.heads'],
    ['qqqqq.zzzzz', undefined],
  ])('%s → %s (catches suggestions that do not help)', (given, wanted) => {
    expect(registry.suggest(given)).toBe(wanted);
  });

  it('measures edits (catches a swapped pair counted twice)', () => {
    expect(editDistance('abcd', 'abdc')).toBe(1);
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('kitten', 'sitting')).toBe(3);
    expect(nearestName('grdi', ['grid', 'random'])).toBe('grid');
  });
});

it('names the empty text as the nearest choice so that one sees it', () => {
  const problem = { setting: 'model.widths', value: 'abc', allowed: 'widths, or nothing', nearest: '' };
  expect(problemText(problem)).toBe('model.widths is "abc"; allowed: widths, or nothing; nearest: ""');
});
