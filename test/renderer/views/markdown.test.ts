import { describe, expect, it } from 'vitest';
import { guideLink } from '../../../renderer/views/help/links.ts';
import { parseInline, parseMarkdown, plainText } from '../../../renderer/views/help/markdown.ts';

describe('pages of the guide', () => {
  it('have the blocks that their writers use', () => {
    const kinds = parseMarkdown(
      '# Title\n\nOne\ntwo.\n\n- a\n- b\n  more\n\n1. x\n2. y\n\n```ts\nconst a = 1;\n\n```\n\n| a | b |\n|---|--:|\n| 1 | `x` |\n\n> said\n\n---\n\n    code',
    ).map((block) => block.kind);
    expect(kinds).toEqual(['heading', 'paragraph', 'list', 'list', 'code', 'table', 'quote', 'rule', 'code']);
  });

  it('keep lists within lists', () => {
    const [list] = parseMarkdown('- a\n  - inner\n- b');
    expect(list).toMatchObject({ kind: 'list', items: [[{}, { kind: 'list', items: [[{}]] }], [{}]] });
  });

  it('end, whatever the text', () => {
    // A block that consumes no line would hang the page.
    for (const text of ['|', '```', '- ', '>', '#', '1.', '* * *', '- a\n\n\n- b\n', '   - deep', '|a\n|-']) {
      expect(Array.isArray(parseMarkdown(text))).toBe(true);
    }
  });

  it('treat HTML as text', () => {
    const [block] = parseMarkdown('<img src=x onerror=alert(1)>');
    expect(block).toEqual({ kind: 'paragraph', parts: [{ kind: 'text', text: '<img src=x onerror=alert(1)>' }] });
  });

  it('leave stars and underscores of names alone', () => {
    expect(parseInline('data.batch_size and model_width, 2 * 3 * 4')).toHaveLength(1);
    expect(parseInline('`a_b` *em* **strong *in* it**').map(({ kind }) => kind)).toEqual([
      'code',
      'text',
      'emphasis',
      'text',
      'strong',
    ]);
    expect(plainText(parseInline('**a** [b `c`](x.md)'))).toBe('a b c');
  });
});

it('links lead to pages and to https only', () => {
  expect(guideLink('sweeps.md#grid')).toBe('#/help/sweeps?at=grid');
  expect(guideLink('https://example.org')).toBe('https://example.org');
  for (const bad of [
    'javascript:alert(1)',
    'http://example.org',
    '//example.org',
    '../secret.md',
    'data:text/html,x',
  ]) {
    expect(guideLink(bad)).toBeUndefined();
  }
});
