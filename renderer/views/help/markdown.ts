/**
 * The guide's Markdown as blocks, when the interface is built (`vite.config.ts`): `marked` finds the tokens, and of these only what
 * `blocks.ts` knows is taken. Anything else, HTML above all, is text like any other, so nothing of it can run.
 */
import { lexer } from 'marked';
import type { MarkedToken, Token, Tokens } from 'marked';
import { plainText } from './blocks.ts';
import type { Block, GuidePage, Inline } from './blocks.ts';

export const guidePage = (source: string): GuidePage => ({ blocks: parseMarkdown(source), text: source });

export const parseMarkdown = (source: string): Block[] => blocksOf(lexer(source), -1);

const slug = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .replaceAll(/^-|-$/gu, '');

/** Lists hold lists, quotes hold quotes: deeper than this nobody writes, and a page must not exhaust the stack. */
const DEEPEST = 20;

function blockOf(token: Token, depth: number): Block[] {
  const each = token as MarkedToken;
  if (depth > DEEPEST) return textOf(each.raw);
  switch (each.type) {
    case 'space':
    case 'def':
      return [];
    case 'heading': {
      const parts = inlineOf(each.tokens);
      return [{ kind: 'heading', level: each.depth, parts, id: slug(plainText(parts)) }];
    }
    case 'paragraph':
    case 'text':
      return [{ kind: 'paragraph', parts: each.tokens === undefined ? plain(each.text) : inlineOf(each.tokens) }];
    case 'code':
      return [{ kind: 'code', text: each.text, language: /^\S*/u.exec(each.lang ?? '')![0] }];
    case 'list':
      return [{ kind: 'list', ordered: each.ordered, items: each.items.map((item) => blocksOf(item.tokens, depth)) }];
    case 'blockquote':
      return [{ kind: 'quote', blocks: blocksOf(each.tokens, depth) }];
    case 'table':
      return [tableOf(each)];
    case 'hr':
      return [{ kind: 'rule' }];
    default:
      return textOf(each.raw);
  }
}

const blocksOf = (tokens: readonly Token[], depth: number): Block[] =>
  tokens.flatMap((token) => blockOf(token, depth + 1));

const tableOf = ({ header, rows }: Tokens.Table | Tokens.Generic): Block => {
  const cells = (row: readonly Tokens.TableCell[]): Inline[][] => row.map(({ tokens }) => inlineOf(tokens));
  return {
    kind: 'table',
    head: cells(header as Tokens.TableCell[]),
    rows: (rows as Tokens.TableCell[][]).map(cells),
  };
};

const textOf = (raw: string): Block[] => (raw.trim() === '' ? [] : [{ kind: 'paragraph', parts: plain(raw.trim()) }]);

/** Lines of a paragraph are one line. */
const plain = (text: string): Inline[] =>
  text === '' ? [] : [{ kind: 'text', text: text.replaceAll(/\s*\n\s*/gu, ' ') }];

function inlineOf(tokens: readonly Token[]): Inline[] {
  const parts = tokens.flatMap((token): Inline[] => {
    const each = token as MarkedToken;
    switch (each.type) {
      case 'codespan':
        return [{ kind: 'code', text: each.text }];
      case 'strong':
        return [{ kind: 'strong', parts: inlineOf(each.tokens) }];
      case 'em':
        return [{ kind: 'emphasis', parts: inlineOf(each.tokens) }];
      case 'link':
        return [{ kind: 'link', to: each.href, parts: inlineOf(each.tokens) }];
      case 'image':
        return [{ kind: 'image', source: each.href, alt: each.text }];
      case 'br':
        return plain(' ');
      case 'escape':
        return plain(each.text);
      case 'text':
        return 'tokens' in each && each.tokens !== undefined ? inlineOf(each.tokens) : plain(each.text);
      default:
        return plain(each.raw);
    }
  });
  return joined(parts);
}

/** Neighbouring texts as one. */
function joined(parts: readonly Inline[]): Inline[] {
  const all: Inline[] = [];
  for (const part of parts) {
    const last = all.at(-1);
    if (part.kind === 'text' && last?.kind === 'text')
      all[all.length - 1] = { kind: 'text', text: last.text + part.text };
    else all.push(part);
  }
  return all;
}
