import { describe, expect, it } from 'vitest';
import { guideLink } from '../../../renderer/views/help/links.ts';
import { readdirSync, readFileSync } from 'node:fs';
import { plainText } from '../../../renderer/views/help/blocks.ts';
import type { Block, Inline } from '../../../renderer/views/help/blocks.ts';
import { guidePage, parseMarkdown } from '../../../renderer/views/help/markdown.ts';

/** What is left when everything that holds other things is opened. */
function leaves(blocks: readonly Block[]): Inline[] {
  const inline = (parts: readonly Inline[]): Inline[] =>
    parts.flatMap((part) =>
      'parts' in part ? [...(part.kind === 'link' ? [part] : []), ...inline(part.parts)] : [part],
    );
  return blocks.flatMap((block) => {
    switch (block.kind) {
      case 'heading':
      case 'paragraph':
        return inline(block.parts);
      case 'code':
      case 'rule':
        return [];
      case 'list':
        return block.items.flatMap(leaves);
      case 'quote':
        return leaves(block.blocks);
      case 'table':
        return [...block.head, ...block.rows.flat()].flatMap(inline);
    }
    return [];
  });
}

/** What is marked within a paragraph. */
function inline(text: string): readonly Inline[] {
  const [block] = parseMarkdown(text);
  return block.kind === 'paragraph' ? block.parts : expect.fail(`${text} is a ${block.kind}`);
}

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
    for (const text of ['|', '```', '- ', '>', '#', '1.', '* * *', '- a\n\n\n- b\n', '   - deep', '|a\n|-']) {
      expect(Array.isArray(parseMarkdown(text))).toBe(true);
    }
  });

  it('treat HTML as text', () => {
    const [block] = parseMarkdown('<img src=x onerror=alert(1)>');
    expect(block).toEqual({ kind: 'paragraph', parts: [{ kind: 'text', text: '<img src=x onerror=alert(1)>' }] });
    const hostile = [
      'a <b onclick="x()">b</b> c',
      '<script>\nalert(1)\n</script>',
      '- <iframe src=x>',
      '> <svg/onload=alert(1)>',
      '| <i> |\n|---|\n| <a href="javascript:x"> |',
      '<!-- hidden -->',
      '[x](<javascript:alert(1)>)',
      '&lt;script&gt;',
    ];
    for (const text of hostile)
      for (const part of leaves(parseMarkdown(text)))
        // Nothing but text, or a link whose address `guideLink` decides on.
        expect(['text', 'link'], text).toContain(part.kind);
    expect(plainText(inline('a <b onclick="x()">b</b> c'))).toBe('a <b onclick="x()">b</b> c');
  });

  it('of many blocks, and of lists deep within lists, are whole (would catch a depth that counts blocks)', () => {
    const many = Array.from({ length: 60 }, (_, i) => `## H ${i}\n\n**p** ${i}`).join('\n\n');
    const blocks = parseMarkdown(many);
    expect(blocks).toHaveLength(120);
    expect(blocks.at(-1)).toMatchObject({ kind: 'paragraph', parts: [{ kind: 'strong' }, { text: ' 59' }] });
    const deep = Array.from({ length: 500 }, (_, i) => `${'  '.repeat(i)}- ${i}`).join('\n');
    const quotes = `${'>'.repeat(3000)} end`;
    for (const text of [deep, quotes]) expect(leaves(parseMarkdown(text)).length).toBeGreaterThan(0);
  });

  it('are read whole: every page of the guide, with its headings under their own names', () => {
    const folder = new URL('../../../resources/guide/', import.meta.url);
    const names = readdirSync(folder).filter((name) => name.endsWith('.md'));
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) {
      const { blocks, text } = guidePage(readFileSync(new URL(name, folder), 'utf8'));
      const ids = blocks.flatMap((block) => (block.kind === 'heading' ? [block.id] : []));
      expect(ids, name).toHaveLength(text.replaceAll(/^ {4}.*$|```[\s\S]*?```/gmu, '').match(/^#+ /gmu)!.length);
      expect(new Set(ids).size, name).toBe(ids.length);
      // Marks of what was not understood would be shown as they are.
      for (const part of leaves(blocks))
        if (part.kind === 'text') expect(part.text, name).not.toMatch(/\*\*|\]\(|^\s*#+ /u);
    }
  });

  it('leave stars and underscores of names alone', () => {
    expect(inline('data.batch_size and model_width, 2 * 3 * 4')).toHaveLength(1);
    expect(inline('`a_b` *em* **strong *in* it**').map(({ kind }) => kind)).toEqual([
      'code',
      'text',
      'emphasis',
      'text',
      'strong',
    ]);
    expect(plainText(inline('**a** [b `c`](x.md)'))).toBe('a b c');
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
