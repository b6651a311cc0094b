/**
 * The guide's Markdown as a tree: headings, paragraphs, lists, code, quotes, tables, images; links, emphasis and code within. HTML in
 * the source is text like any other, so nothing of it can run.
 */

export type Inline =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'strong' | 'emphasis'; readonly parts: readonly Inline[] }
  | { readonly kind: 'link'; readonly to: string; readonly parts: readonly Inline[] }
  | { readonly kind: 'image'; readonly source: string; readonly alt: string };

export type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly parts: readonly Inline[]; readonly id: string }
  | { readonly kind: 'paragraph'; readonly parts: readonly Inline[] }
  | { readonly kind: 'code'; readonly text: string; readonly language: string }
  | { readonly kind: 'list'; readonly ordered: boolean; readonly items: readonly (readonly Block[])[] }
  | { readonly kind: 'quote'; readonly blocks: readonly Block[] }
  | {
      readonly kind: 'table';
      readonly head: readonly (readonly Inline[])[];
      readonly rows: readonly (readonly (readonly Inline[])[])[];
    }
  | { readonly kind: 'rule' };

const INLINE =
  /(?<code>`+)(?<codeText>[\s\S]*?[^`])\k<code>(?!`)|!\[(?<alt>[^\]]*)\]\((?<source>[^)\s]+)\)|\[(?<label>(?:[^[\]]|\[[^\]]*\])+)\]\((?<to>[^)\s]+)\)|\*\*(?<strong>[\s\S]+?)\*\*|(?<![\w*])[*_](?<emphasis>[^*_\s](?:[^*_]*[^*_\s])?)[*_](?![\w*])/u;

/** Runs of text with what is marked within. */
export function parseInline(text: string): Inline[] {
  const parts: Inline[] = [];
  let rest = text;
  for (;;) {
    const found = INLINE.exec(rest);
    if (found === null) break;
    if (found.index > 0) parts.push({ kind: 'text', text: rest.slice(0, found.index) });
    const { code, codeText, alt, source, label, to, strong, emphasis } = found.groups!;
    if (code !== undefined) parts.push({ kind: 'code', text: codeText.trim() });
    else if (source !== undefined) parts.push({ kind: 'image', source, alt });
    else if (to !== undefined) parts.push({ kind: 'link', to, parts: parseInline(label) });
    else if (strong !== undefined) parts.push({ kind: 'strong', parts: parseInline(strong) });
    else parts.push({ kind: 'emphasis', parts: parseInline(emphasis) });
    rest = rest.slice(found.index + found[0].length);
  }
  if (rest !== '') parts.push({ kind: 'text', text: rest });
  return parts;
}

export function plainText(parts: readonly Inline[]): string {
  return parts
    .map((part) => ('text' in part ? part.text : part.kind === 'image' ? part.alt : plainText(part.parts)))
    .join('');
}

export const slug = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .replaceAll(/^-|-$/gu, '');

const ITEM = /^(\s*)(?:[-*+]|(\d+)[.)])\s+(.*)$/u;
const cells = (line: string): string[] =>
  line
    .trim()
    .replaceAll(/^\||\|$/gu, '')
    .split(/(?<!\\)\|/u)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));

export function parseMarkdown(source: string): Block[] {
  return parseLines(source.replaceAll('\r\n', '\n').split('\n'));
}

function parseLines(lines: readonly string[]): Block[] {
  const blocks: Block[] = [];
  let i = 0;
  while (i < lines.length) {
    const line = lines[i];
    const heading = /^(#{1,6})\s+(.*?)\s*#*$/u.exec(line);
    const fence = /^\s*(```+|~~~+)\s*(\S*)/u.exec(line);
    if (line.trim() === '') {
      i += 1;
    } else if (heading !== null) {
      const parts = parseInline(heading[2]);
      blocks.push({ kind: 'heading', level: heading[1].length, parts, id: slug(plainText(parts)) });
      i += 1;
    } else if (fence !== null) {
      const end = lines.findIndex((each, at) => at > i && each.trim().startsWith(fence[1]));
      const stop = end < 0 ? lines.length : end;
      blocks.push({ kind: 'code', text: lines.slice(i + 1, stop).join('\n'), language: fence[2] });
      i = stop + 1;
    } else if (/^(?: {4}|\t)/u.test(line)) {
      let stop = i;
      while (stop < lines.length && (/^(?: {4}|\t)/u.test(lines[stop]) || lines[stop].trim() === '')) stop += 1;
      const text = lines.slice(i, stop).map((each) => each.replace(/^(?: {4}|\t)/u, ''));
      blocks.push({ kind: 'code', text: text.join('\n').trimEnd(), language: '' });
      i = stop;
    } else if (/^\s*(?:-{3,}|\*{3,})\s*$/u.test(line)) {
      blocks.push({ kind: 'rule' });
      i += 1;
    } else if (line.startsWith('>')) {
      let stop = i;
      while (stop < lines.length && lines[stop].startsWith('>')) stop += 1;
      blocks.push({ kind: 'quote', blocks: parseLines(lines.slice(i, stop).map((each) => each.replace(/^> ?/u, ''))) });
      i = stop;
    } else if (line.includes('|') && /^[\s|:-]+$/u.test(lines[i + 1] ?? '') && (lines[i + 1] ?? '').includes('-')) {
      let stop = i + 2;
      while (stop < lines.length && lines[stop].includes('|')) stop += 1;
      blocks.push({
        kind: 'table',
        head: cells(line).map(parseInline),
        rows: lines.slice(i + 2, stop).map((row) => cells(row).map(parseInline)),
      });
      i = stop;
    } else if (ITEM.test(line)) {
      const [block, next] = parseList(lines, i);
      blocks.push(block);
      i = next;
    } else {
      let stop = i + 1;
      while (
        stop < lines.length &&
        lines[stop].trim() !== '' &&
        !/^(?:#{1,6}\s|```|~~~|>)/u.test(lines[stop]) &&
        !ITEM.test(lines[stop])
      ) {
        stop += 1;
      }
      blocks.push({
        kind: 'paragraph',
        parts: parseInline(
          lines
            .slice(i, stop)
            .map((each) => each.trim())
            .join(' '),
        ),
      });
      i = stop;
    }
  }
  return blocks;
}

/** Items of one indent; what is indented further belongs to the item before it. */
function parseList(lines: readonly string[], from: number): [Block, number] {
  const first = ITEM.exec(lines[from])!;
  const indent = first[1].length;
  const items: string[][] = [];
  let i = from;
  while (i < lines.length) {
    const line = lines[i];
    const item = ITEM.exec(line);
    if (item !== null && item[1].length === indent) {
      if ((item[2] !== undefined) !== (first[2] !== undefined)) break;
      items.push([item[3]]);
    } else if (line.trim() === '') {
      const next = lines[i + 1] ?? '';
      if (!/^\s/u.test(next) && !ITEM.test(next)) break;
      items.at(-1)!.push('');
    } else if ((/^\s+/u.exec(line)?.[0].length ?? 0) > indent) {
      items.at(-1)!.push(line.replace(new RegExp(`^\\s{1,${indent + 3}}`, 'u'), ''));
    } else {
      const open = items.at(-1)!;
      if (open.at(-1) === '' || /^(?:#{1,6}\s|```|>)/u.test(line)) break;
      open.push(line);
    }
    i += 1;
  }
  return [{ kind: 'list', ordered: first[2] !== undefined, items: items.map(parseLines) }, i];
}
