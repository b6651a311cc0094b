import { describe, expect, it } from 'vitest';
import { builtInRegistry } from '../../../main/lab/settings/index.ts';
import { Expression, ExpressionError } from '../../../preload/shared/settings/expression.ts';

const registry = builtInRegistry();
const config = { ...registry.defaults, 'model.width': 64, 'model.heads': 3, 'optimizer.kind': 'sgd' };

function error(source: string, at = config): ExpressionError {
  try {
    new Expression(source, registry).evaluate(at);
  } catch (caught) {
    if (caught instanceof ExpressionError) return caught;
    throw caught;
  }
  throw new Error(`${source} was accepted`);
}

describe('evaluation', () => {
  it.each([
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['2 ** 3 ** 2', 512],
    ['-(2 ** 2)', -4],
    ['(-2) ** 2', 4],
    ['7 % 4 - 1', 2],
    ['10 - 4 - 3', 3],
    ['model.width / model.heads', 64 / 3],
    ['floor(model.width / model.heads) + ceil(0.5) + round(1.5) + abs(-1)', 21 + 1 + 2 + 1],
    ['min(3, 1, 2) + max(4, 9) + log2(8) + sqrt(16)', 1 + 9 + 3 + 4],
    ['model.tied ? 1 : 2', 1],
    ['model.width == 64', true],
    ['model.width != 64', false],
    ['1 < 2 and 2 <= 2 and 3 > 2 and 2 >= 2', true],
    ['false or model.width < 3 || true', true],
    ['!(model.width < 3)', true],
    ['optimizer.kind in ["sgd", "rmsprop"]', true],
    ['model.heads in [1, 2]', false],
    ['optimizer.kind == "sgd" && model.heads == 3', true],
    ['seed + 1', 2],
  ])('%s = %s (catches wrong precedence or a missing operator)', (source, value) => {
    expect(new Expression(source, registry).evaluate(config)).toBe(value);
  });

  it('does not evaluate the right side of a decided and/or (catches a guard that does not guard)', () => {
    const guarded = new Expression('model.kv_heads == 0 || model.heads % model.kv_heads == 0', registry);
    expect(guarded.test({ ...config, 'model.kv_heads': 0 })).toBe(true);
  });

  it('lists the settings it reads (catches `when` that depends on a setting unseen by a form)', () => {
    const { names } = new Expression('model.width % model.heads == 0 and model.width > 3', registry);
    expect(names).toEqual(['model.width', 'model.heads']);
  });
});

describe('errors', () => {
  it.each([
    ['model.widht > 3', 1, 'did you mean model.width?'],
    ['1 + model.headz', 5, 'did you mean model.heads?'],
    ['optimizer.kind == "sdg"', 19, 'optimizer.kind is never "sdg"'],
    ['optimizer.kind in ["sgd", "adamm"]', 27, '"adamm"'],
    ['model.width > "a"', 15, 'a number is needed'],
    ['model.tied + 1', 1, 'true or false'],
    ['model.width == "64"', 1, 'cannot be compared'],
    ['model.width && true', 1, 'true or false is needed'],
    ['1 < 2 < 3', 1, 'a number is needed'],
    ['!model.width', 2, 'true or false is needed'],
    ['foo(3)', 1, 'there is no function foo'],
    ['constructor(3)', 1, 'there is no function constructor'],
    ['sqrt(1, 2)', 1, 'sqrt takes 1 number, not 2'],
    ['sqrt(0 - 1)', 1, 'is not a number'],
    ['model.width % 0', 1, '64 % 0 is not a number'],
    ['-2 ** 2', 1, 'parentheses'],
    ['model.width model.heads', 13, 'expected an operator'],
    ['not model.tied', 1, '!('],
    ['', 1, 'empty'],
    ['model.width +', 14, 'Expected expression'],
    ['(model.width', 13, 'Unclosed'],
    ['model.width & 3', 1, 'there is no operator &'],
    ['model["width"]', 1, 'expected the name of a setting'],
    ['null == 1', 1, 'is not a value'],
    ['[1, 2]', 1, 'on the right of `in`'],
    ['1 in 2', 6, 'needs a list'],
    ['this.process', 1, ''],
    ['x = 3', 3, ''],
    ['model.width < 1e999', 15, 'too large'],
  ])(
    '%s → column %i (catches messages without a place, and text that escapes the language)',
    (source, column, part) => {
      const found = error(source);
      expect(found.position).toBe(column);
      expect(found.message).toContain(part);
      expect(found.message).toContain(source);
    },
  );

  it('must be true or false where it is a test (catches a constraint `model.width % 2` read as truth)', () => {
    expect(() => new Expression('model.width % 2', registry).test(config)).toThrow('must be true or false');
  });
});

describe('explain', () => {
  it.each([
    ['model.width % model.heads == 0', 'model.width % model.heads == 0: 64 % 3 = 1'],
    ['model.heads == 4', 'model.heads == 4: model.heads = 3'],
    ['model.width == 64 and model.heads * 2 > 8', 'model.width == 64 and model.heads * 2 > 8: 3 * 2 = 6'],
    ['optimizer.kind == "adamw"', 'optimizer.kind == "adamw": optimizer.kind = "sgd"'],
    // The right side has no value where the left one is false.
    ['seed > 5 && model.width % model.kv_heads == 0', 'seed > 5 && model.width % model.kv_heads == 0: seed = 1'],
    ['false', 'false is false'],
  ])('%s (catches a reason without the numbers, or with the parts that hold)', (source, text) => {
    expect(new Expression(source, registry).explain(config)).toBe(text);
  });
});

describe('size', () => {
  const nested = (n: number): string => `${'('.repeat(n)}true${')'.repeat(n)}`;
  it.each([
    ['a million characters', `model.width == ${'1'.repeat(1_000_000)}`],
    ['a million letters in quotes', `"${'x'.repeat(1_000_000)}" == ""`],
    ['a sum of 250,000 terms', Array.from({ length: 250_000 }, () => '1').join(' + ')],
    ['100,000 brackets', nested(100_000)],
    ['100,000 open brackets', '('.repeat(100_000)],
    ['100,000 signs', `${'!'.repeat(100_000)}true`],
    ['brackets just too deep', nested(201)],
    ['lists just too deep', `1 in ${'['.repeat(201)}1${']'.repeat(201)}`],
    ['signs just too many', `${'!'.repeat(1900)}true`],
    ['choices just too deep', `${'true?1:'.repeat(250)}2`],
    ['a sum just too long', Array.from({ length: 300 }, () => '1').join('+')],
    ['a name of a thousand parts', Array.from({ length: 999 }, () => 'a').join('.')],
  ])('%s: an ExpressionError at once, with a short message (catches a hung or dead process)', (_, source) => {
    const before = process.cpuUsage();
    const found = error(source);
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(200);
    expect(found.message.length).toBeLessThan(800);
  });

  it('takes what people write: 150 alternatives, 100 brackets, brackets in quotes (catches a limit that is too tight)', () => {
    const chain = Array.from({ length: 150 }, (_, i) => `seed==${i}`).join(' or ');
    expect(new Expression(chain, registry).test({ ...config, seed: 149 })).toBe(true);
    expect(new Expression(nested(100), registry).test(config)).toBe(true);
    expect(new Expression(`data.corpus == "${'('.repeat(300)}"`, registry).test(config)).toBe(false);
  });

  it('knows no setting of the language it is written in (catches names that reach a prototype)', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
      expect(() => new Expression(`${name} == 1`).evaluate(config), name).toThrow('there is no setting');
  });
});

describe('words', () => {
  it.each([
    ['optimizer.kind in ["sgd", "rmsprop"] && !model.tied', 'optimizer.kind is sgd or rmsprop and model.tied is off'],
    ['optimizer.kind in ["sgd"]', 'optimizer.kind is sgd'],
    ['data.validation_path == "" or model.tied', 'data.validation_path is empty or model.tied is on'],
    [
      '(seed > 0 || seed <= -1) && model.tied != true',
      '(seed is above 0 or seed is at most -1) and model.tied is not on',
    ],
    ['!(model.width % 2 == 0)', 'not (model.width % 2 is 0)'],
    ['model.width / model.heads >= 8', 'model.width / model.heads is at least 8'],
  ])('%s: %s', (source, words) => {
    expect(new Expression(source).words()).toBe(words);
  });

  it('leaves no sign of the language in any `when` of a setting (catches a hint that reads like code)', () => {
    const whens = registry.names.flatMap((name) => registry.whenOf(name) ?? []);
    expect(whens.length).toBeGreaterThan(10);
    for (const when of whens) expect(when.words()).not.toMatch(/==|!=|&&|\|\||!|"|\[/u);
  });
});
